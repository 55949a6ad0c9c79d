"""Files of pictures that were deleted for good: their rows are gone, so they go as well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.database import Library
from app.database.acts.destruction import Removal
from app.storage.files import remove, sync_folder, writing
from app.storage.metadata.container import sidecar_of
from app.storage.store import THUMB_WIDTHS, Store


class FileRemoval:
    """Removes the files that the database names for it, and masks that no picture has."""

    def __init__(self, library: Library, store: Store) -> None:
        self._removals = library.removals
        self._store = store

    async def finish(self) -> None:
        """Remove all of them; one that the disk does not let go is tried again another time.

        Raises `StorageFailed`.
        """
        last = ''
        while some := await self._removals.after(last):
            gone = await asyncio.to_thread(remove_files, self._store, some)
            await self._removals.done(gone)
            last = some[-1].file

    async def finish_masks(self) -> None:
        """Remove the masks of which no picture is left, once all files are removed."""
        for digest in await self._removals.masks():
            await asyncio.to_thread(remove, self._store.mask(digest))
            await self._removals.forget_mask(digest)


def remove_files(store: Store, some: Sequence[Removal]) -> list[str]:
    """Remove files with what belongs to them; return those that will not come back.

    Raises `StorageFailed`.
    """
    for one in some:
        _remove(store, one)
    with writing():
        for folder in {store.original(one.file).parent for one in some}:
            if folder.exists():
                sync_folder(folder)  # else a power cut brings them back, without their rows
    paths = {one.file: store.original(one.file) for one in some if not one.keeps_file}
    return [one.file for one in some if one.keeps_file or not paths[one.file].exists()]


def _remove(store: Store, one: Removal) -> None:
    """Remove the picture first: while it is there, missing thumbnails are made again."""
    if not one.keeps_file:
        original = store.original(one.file)
        remove(original, sidecar_of(original))
    if not one.keeps_thumbs:
        remove(*(store.thumb(one.digest, width) for width in THUMB_WIDTHS))

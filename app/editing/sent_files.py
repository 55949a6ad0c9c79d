"""Makes the files that a server is sent to start from, for as long as it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from app.database import Library
from app.editing.originals import (
    MASK_IS_NOT_WHOLE,
    deleted,
    mask_of,
    not_whole,
    original_of,
    told_as,
)
from app.errors import ProviderError
from app.models import Generation, Image
from app.storage.arriving import new_work_file
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.edit_orders import make_sent_mask, make_sent_picture
from app.storage.edit_input import EditInput, SentMask, SentPicture
from app.storage.files import remove
from app.storage.store import Store

Seen = Callable[[int | None, Sequence[Image]], Awaitable[Sequence[Image]]]


async def everything(_: int | None, images: Sequence[Image]) -> Sequence[Image]:
    """Return those of some pictures that the owner may start from."""
    return images


class SentFiles:
    """Makes them in a decoder of its own, so that no picture waits that came meanwhile.

    `seen` returns those of some pictures that a guest, None: the owner, may still look at.
    """

    def __init__(
        self, library: Library, store: Store, decoder: Decoder, seen: Seen = everything
    ) -> None:
        self._library = library
        self._store = store
        self._decoder = decoder
        self._seen = seen

    @asynccontextmanager
    async def made(
        self, claimed: Generation, *, mask_inverted: bool
    ) -> AsyncIterator[EditInput | None]:
        """Make the files of an attempt, None where it starts from words alone; they go at its end.

        Raises ProviderError where a picture or the mask is not there, or cannot be read, and
        `StorageFailed` where the disk takes no file.
        """
        made = list[Path]()
        try:
            starts = bool(claimed.request.sources)
            yield await self._make(claimed, made, mask_inverted) if starts else None
        finally:
            await asyncio.to_thread(remove, *made)  # of 16 × 50 MB, it takes a tenth of a second

    async def _make(self, claimed: Generation, made: list[Path], mask_inverted: bool) -> EditInput:
        request = claimed.request
        images = await self._library.images.some(request.sources)
        found = {image.id: image for image in await self._seen(claimed.guest, images)}
        sources = list[SentPicture]()
        for number, image_id in enumerate(request.sources):
            if image_id not in found:
                raise ProviderError(deleted(image_id))
            as_png = number == 0 and request.mask is not None
            target = self._new_file(claimed, made)
            sources.append(await self._picture(found[image_id], target, as_png=as_png))
        if request.mask is None:
            return EditInput(sources=tuple(sources))
        grey, dual = (self._new_file(claimed, made) for _ in range(2))
        mask = await self._mask(request.mask, sources[0], grey, dual, inverted=mask_inverted)
        return EditInput(sources=tuple(sources), mask=mask)

    async def _picture(self, image: Image, target: Path, *, as_png: bool) -> SentPicture:
        path = await original_of(image, self._library, self._store)
        with told_as(not_whole(image)):
            return await make_sent_picture(self._decoder, path, image.mime, target, as_png=as_png)

    async def _mask(
        self, digest: str, of: SentPicture, grey: Path, dual: Path, *, inverted: bool
    ) -> SentMask:
        path = await mask_of(digest, self._store)
        with told_as(MASK_IS_NOT_WHOLE):
            return await make_sent_mask(self._decoder, path, of, grey, dual, inverted=inverted)

    def _new_file(self, claimed: Generation, made: list[Path]) -> Path:
        made.append(new_work_file(self._store.arriving, claimed.id))
        return made[-1]

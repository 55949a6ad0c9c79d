"""The files that `easel generate` starts from: checked before anything, sent or added here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.errors import ErrorKind, Failure, InvalidRequest, ProviderError
from app.gallery.folder_import import copied, open_source
from app.gallery.importing import Importer, Taken, examine
from app.models import Received
from app.models.request import MOST_SOURCE_BYTES, Size
from app.storage.files import remove
from app.storage.masks import keep, normalised
from app.storage.metadata.container import sidecar_of
from app.web.context import Services

KEPT_TYPES = 'PNG, JPEG, WebP, GIF or AVIF'
ANY_DIGEST = '0' * 64
Parts = list[tuple[str, tuple[str, BinaryIO]]]


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """Pictures in their order, and the mask of the first."""

    pictures: Sequence[Path] = ()
    mask: Path | None = None

    @property
    def stand_ins(self) -> dict[str, str]:
        """Fields as they will be, by which the others can be checked; raises `InvalidRequest`."""
        for option, path in self._named():
            try:
                with open_source(path.resolve()) as file:
                    size_bytes = os.fstat(file.fileno()).st_size
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else None
                raise _refused(option, path, reason or str(error)) from error
            if size_bytes > MOST_SOURCE_BYTES:
                raise _refused(option, path, 'over 50 MB')
        ids = ' '.join(str(number) for number, _ in enumerate(self.pictures, start=1))
        return {'source': ids, 'mask': ANY_DIGEST if self.mask else ''}

    def _named(self) -> Iterator[tuple[str, Path]]:
        yield from (('--source', path) for path in self.pictures)
        if self.mask:
            yield '--mask', self.mask

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """Open the files as parts of a form."""
        names = {'--source': 'source_file', '--mask': 'mask'}
        with ExitStack() as opened:
            yield [
                (names[option], (path.name, opened.enter_context(open_source(path.resolve()))))
                for option, path in self._named()
            ]

    async def add_to(self, services: Services) -> Mapping[str, str]:
        """Add the pictures to the gallery, keep the mask; return the fields that name them.

        Raises `InvalidRequest` at a file that is none, and `StorageFailed`.
        """
        ids = [await _added(services, path) for path in self.pictures]
        fields = {'source': ' '.join(map(str, ids))}
        if self.mask:
            image = await services.library.images.one(ids[0])
            size = Size(image.width, image.height)
            fields['mask'] = await _kept(services, self.mask, size)
        return fields


async def _added(services: Services, path: Path) -> int:
    received, modified_at = await asyncio.to_thread(_copied, services, path)
    try:
        examined = await examine(services.store, received, path.name, modified_at)
    except ProviderError as error:
        raise _refused('--source', path, _why(error.failure, KEPT_TYPES)) from error
    [taken] = await Importer(services.library, services.store).keep([examined])
    if taken.taken is Taken.REFUSED:
        raise _refused('--source', path, taken.reason)
    await services.library.images.set_deleted(taken.image_id, None)
    return taken.image_id


async def _kept(services: Services, path: Path, size: Size) -> str:
    received, _ = await asyncio.to_thread(_copied, services, path)
    try:
        mask = await normalised(services.store, received)
    except ProviderError as error:
        raise _refused('--mask', path, _why(error.failure, 'PNG')) from error
    finally:
        remove(sidecar_of(received.path))  # which has nothing to say of a mask
    try:
        if mask.size != size:
            raise _refused('--mask', path, f'it is {mask.size} pixels, the picture {size}')
        await asyncio.to_thread(keep, services.store, mask)
    finally:
        mask.discard()
    return mask.digest


def _copied(services: Services, path: Path) -> tuple[Received, float]:
    return copied(services.store, path.resolve())


def _why(failure: Failure, types: str) -> str:
    if failure.kind is ErrorKind.NOT_AN_IMAGE:
        return f'not a {types} ({failure.reason})'
    return failure.reason


def _refused(option: str, path: Path, reason: str) -> InvalidRequest:
    return InvalidRequest('{option} {path}: {reason}.', option=option, path=path, reason=reason)

"""Makes the files that a server is sent to start from, for as long as it is asked."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.database import Library
from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.log import logger
from app.models import Generation, Image
from app.storage.decoding.decoder import Decoder, DecoderFailed
from app.storage.decoding.edit_orders import make_sent_mask, make_sent_picture
from app.storage.edit_input import EditInput, SentMask, SentPicture
from app.storage.files import PART, remove, writing
from app.storage.inventory import DamagedFile, open_kept
from app.storage.store import Store

log = logger(__name__)

MASK_IS_NOT_WHOLE = Failure(kind=ErrorKind.STORAGE, reason=Reason.MASK_IS_NOT_WHOLE)


class EditFiles:
    """Makes them in a decoder of its own, so that no picture waits that came meanwhile."""

    def __init__(self, library: Library, store: Store, decoder: Decoder) -> None:
        self._library = library
        self._store = store
        self._decoder = decoder

    async def close(self) -> None:
        await self._decoder.close()

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
            remove(*made)

    async def _make(self, claimed: Generation, made: list[Path], mask_inverted: bool) -> EditInput:
        request = claimed.request
        found = {image.id: image for image in await self._library.images.some(request.sources)}
        sources = list[SentPicture]()
        for number, image_id in enumerate(request.sources):
            if image_id not in found:
                kind, reason = ErrorKind.INVALID_REQUEST, Reason.SOURCE_WAS_DELETED
                raise ProviderError(Failure(kind=kind, reason=reason, value=str(image_id)))
            as_png = number == 0 and request.mask is not None
            target = self._new_file(claimed, made)
            sources.append(await self._picture(found[image_id], target, as_png=as_png))
        if request.mask is None:
            return EditInput(sources=tuple(sources))
        grey, dual = (self._new_file(claimed, made) for _ in range(2))
        mask = await self._mask(request.mask, sources[0], grey, dual, inverted=mask_inverted)
        return EditInput(sources=tuple(sources), mask=mask)

    async def _picture(self, image: Image, target: Path, *, as_png: bool) -> SentPicture:
        path, kept = self._store.original(image.file), await self._library.files.one(image.id)
        try:
            os.close(await asyncio.to_thread(open_kept, self._store.data, path, kept))
            return await make_sent_picture(self._decoder, path, image.mime, target, as_png=as_png)
        except (OSError, DamagedFile, ProviderError) as error:
            if isinstance(error, DecoderFailed):
                raise
            log.warning('picture %s, which another starts from, is not usable: %r', image.id, error)
            kind, reason = ErrorKind.STORAGE, Reason.SOURCE_IS_NOT_WHOLE
            raise ProviderError(Failure(kind=kind, reason=reason, value=str(image.id))) from error

    async def _mask(
        self, digest: str, of: SentPicture, grey: Path, dual: Path, *, inverted: bool
    ) -> SentMask:
        path = self._store.mask(digest)
        try:
            os.close(await asyncio.to_thread(open_kept, self._store.data, path))
            return await make_sent_mask(self._decoder, path, of, grey, dual, inverted=inverted)
        except (OSError, ProviderError) as error:
            if isinstance(error, DecoderFailed):
                raise
            log.warning('the mask %s is not usable: %r', digest, error)
            raise ProviderError(MASK_IS_NOT_WHOLE) from error

    def _new_file(self, claimed: Generation, made: list[Path]) -> Path:
        """Name a file that is swept at the next start where this one comes to a bad end."""
        with writing():
            self._store.arriving.mkdir(mode=0o700, exist_ok=True)
        made.append(self._store.arriving / f'{claimed.id}-{uuid.uuid4().hex}{PART}')
        return made[-1]

"""What a mask protects: how much of it an answer changed, and the original laid back over it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from app.database import Library
from app.editing.originals import MASK_IS_NOT_WHOLE, deleted, mask_of, original_of
from app.errors import AppError, ProviderError
from app.log import logger
from app.models import Received, StoredImage, TracedPicture
from app.models.request import GenerationRequest
from app.storage.arriving import new_work_file, received_at
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.edit_orders import Protected, lay_back, measure_change
from app.storage.files import remove
from app.storage.metadata.mime import PNG, mime_of
from app.storage.store import Store

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)


class Protection:
    """Works in the decoder that makes what is sent, so that no other picture waits for it."""

    def __init__(self, library: Library, store: Store, decoder: Decoder) -> None:
        self._library = library
        self._store = store
        self._decoder = decoder

    async def changed(self, request: GenerationRequest, answer: Received) -> float | None:
        """Return the share, 0 to 1, of what a mask protects that an answer changed.

        None without a mask, and where it cannot be told: no picture is lost for that.
        """
        mime = mime_of(answer.head)
        if not request.protects or mime is None:
            return None
        try:
            of = await self._protected(request)
            return await measure_change(self._decoder, of, answer.path, mime)
        except (AppError, OSError) as error:
            log.warning('what changed outside a mask is not known: %r', error)
            return None

    async def lay_back(
        self, request: GenerationRequest, answer: StoredImage, label: Label
    ) -> StoredImage | None:
        """Keep a picture of what the mask protects, with an answer inside it; it costs nothing.

        None where the answer is just that already. Raises ProviderError where a file is missing or
        cannot be read, and `StorageFailed`.
        """
        target = new_work_file(self._store.arriving, label.generation_id)
        try:
            of, path = await self._protected(request), self._store.original(answer.file)
            if not await lay_back(self._decoder, of, path, answer.mime, target):
                return None
            made = await asyncio.to_thread(received_at, target)
            received = replace(made, revised_prompt=answer.revised_prompt, seed=answer.seed)
            share = await measure_change(self._decoder, of, target, PNG)
            under = TracedPicture(answer.id or 0, answer.digest)
            label = replace(label, changed_outside_mask=share, laid_back_from=str(under))
            label = replace(label, source_url=None, cost=None)
            return replace(await self._store.keep(received, label), laid_back_from=answer.id)
        finally:
            await asyncio.to_thread(remove, target)

    async def _protected(self, request: GenerationRequest) -> Protected:
        """Find what an answer is compared with; raise ProviderError where it is not whole."""
        found = await self._library.images.some(request.sources[:1])
        if not found:
            raise ProviderError(deleted(request.sources[0]))
        if request.mask is None:
            raise ProviderError(MASK_IS_NOT_WHOLE)
        source = await original_of(found[0], self._library, self._store)
        mask = await mask_of(request.mask, self._store)
        return Protected(source=source, mime=found[0].mime, mask=mask)

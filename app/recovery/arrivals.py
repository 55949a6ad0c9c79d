"""Pictures that had come whole when Easel ended, and were not in their places yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.database import Library
from app.editing.protection import Protection
from app.errors import AppError
from app.generation.keeper import label_for
from app.log import logger
from app.models import Generation, Outcome, Received, Status
from app.recovery.labelled import LabelledImage
from app.storage.files import remove
from app.storage.place import mark_of
from app.storage.store import Store

log = logger(__name__)


class Arrivals:
    """Keeps what the last run had received, as the generations that asked for it would have."""

    def __init__(self, library: Library, store: Store) -> None:
        self._library = library
        self._store = store

    async def keep(self, held: Mapping[tuple[int, int], Received]) -> None:
        """Keep each, and attach it; one that cannot be kept now stays for the next start."""
        for (generation_id, position), received in held.items():
            try:
                generation = await self._library.generations.one(generation_id)
                if generation.status is Status.CANCELLED or _has(generation, received):
                    remove(received.path)
                else:
                    await self._keep(generation, position, received)
            except AppError as error:
                log.warning('%s: what came is not kept yet: %s', generation_id, error)

    async def _keep(self, generation: Generation, position: int, received: Received) -> None:
        outcome = Outcome(
            status=Status.DONE,
            provider=generation.provider,
            model=generation.request.model or generation.model,
        )
        protection = Protection(self._library, self._store, self._store.decoder)
        share = await protection.changed(generation.request, received)
        sources = await self._library.files.traced(generation.request.sources)
        label = label_for(generation, outcome, generation.dropped, sources, received, position)
        label = replace(
            label,
            image_id=await self._library.images.reserve(),
            created_at=received.path.stat().st_mtime,
            changed_outside_mask=share,
        )
        kept = await self._store.keep(received, label)
        await self._library.recovery.end(generation.id)
        [attached] = await self._library.recovery.attach([LabelledImage(kept, label).told()])
        log.info('%s: what had come is kept (%s)', generation.id, attached.fate)


def _has(generation: Generation, received: Received) -> bool:
    """Check whether a picture is in its place already: a kill came before its removal."""
    names = (image.name.rpartition('.')[0] for image in generation.images)
    return any(name.endswith(mark_of(received)) for name in names)

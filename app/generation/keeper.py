"""Keeps the pictures of one attempt: again and again, however long the storage refuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from app.database import Library
from app.editing.protection import Protection
from app.errors import AppError, ErrorKind, Failure, ProviderError, Reason, StorageFailed
from app.generation.request import label_fields_of
from app.generation.storage_monitor import StorageMonitor
from app.log import logger
from app.models import (
    Generation,
    GenerationResult,
    Outcome,
    Received,
    Status,
    StoredImage,
    TracedPicture,
)
from app.net.urls import without_query
from app.storage.arriving import hold, is_lost
from app.storage.decoding.decoder import DecoderFailed
from app.storage.files import remove
from app.storage.store import Store

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)

LOST = Failure(kind=ErrorKind.STORAGE, reason=Reason.FILE_WAS_REMOVED)
NOT_LAID_BACK = Failure(kind=ErrorKind.NOT_LAID_BACK)
MOST_TRIES = 4  # to lay back while the storage fails: it can be done at any time afterwards


class PictureKeeper:
    """Turns what came into pictures in their places, each with its label."""

    def __init__(
        self,
        library: Library,
        store: Store,
        monitor: StorageMonitor,
        protection: Protection,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._library = library
        self._store = store
        self._monitor = monitor
        self._protection = protection
        self._clock = clock
        self._sleep = sleep

    async def keep(
        self,
        claimed: Generation,
        result: GenerationResult,
        outcome: Outcome,
        pauses: Iterator[float],
        first: int = 0,
    ) -> tuple[tuple[StoredImage, ...], tuple[Failure, ...]]:
        """Keep what is a picture, from the position `first` on; a bad one takes none along.

        Raises `StorageFailed` where no pause (seconds) before another try is left. Nothing that
        came is deleted then, nor by a stop: only where the generation itself was cancelled.
        """
        sources = await self._library.files.traced(claimed.request.sources)
        waiting = dict(enumerate(result.received, start=first))
        kept, failures = list[StoredImage](), list(result.item_errors)
        label_of = partial(label_for, claimed, outcome, result.dropped, sources)
        try:
            for position in waiting:
                with suppress(StorageFailed):
                    await self._hold(waiting, position, claimed.id)
            for position in list(waiting):
                label = label_of(waiting[position], first + len(kept))
                try:
                    kept.append(await self._until_kept(claimed, waiting, position, label, pauses))
                except ProviderError as error:
                    failures.append(error.failure)
                del waiting[position]
            for answer in tuple(kept) if claimed.request.lays_back else ():
                label = label_of(answer, first + len(kept))
                await self._lay_back(claimed, answer, label, pauses, kept, failures)
        except asyncio.CancelledError:
            if await self._was_cancelled(claimed):
                for picture in kept:
                    self._store.forget(picture)
                remove(*(received.path for received in waiting.values()))
            raise
        finally:
            self._monitor.held.discard(claimed.id)
        return tuple(kept), tuple(failures)

    async def _until_kept(
        self,
        claimed: Generation,
        waiting: dict[int, Received],
        position: int,
        label: Label,
        pauses: Iterator[float],
    ) -> StoredImage:
        """Keep the picture of a position; where it waits in the meantime is noted there."""
        while True:
            try:
                received = await self._hold(waiting, position, claimed.id)
                if label.image_id is None:  # for the file to name it
                    share = await self._protection.changed(claimed.request, received)
                    now, image_id = self._clock(), await self._library.images.reserve()
                    label = replace(
                        label, image_id=image_id, created_at=now, changed_outside_mask=share
                    )
                return await self._store.keep(received, label)
            except (StorageFailed, DecoderFailed) as error:
                if is_lost(self._store.arriving, waiting[position]):
                    raise ProviderError(LOST) from error
                log.warning('%s: a picture cannot be kept yet: %s', claimed.id, error)
                self._monitor.report(claimed.id, error)
                await self._rest(error, pauses)

    async def _lay_back(
        self,
        claimed: Generation,
        answer: StoredImage,
        label: Label,
        pauses: Iterator[float],
        kept: list[StoredImage],
        failures: list[Failure],
    ) -> None:
        """Lay the original back over an answer that changed it; what hinders it is a note."""
        few = islice(pauses, MOST_TRIES - 1)
        while True:
            try:
                image_id = await self._library.images.reserve()
                label = replace(label, image_id=image_id, created_at=self._clock())
                laid_back = await self._protection.lay_back(claimed.request, answer, label)
                kept += [laid_back] if laid_back else []
                return
            except (StorageFailed, ProviderError, OSError) as error:
                log.warning('%s: the original cannot be laid back: %r', claimed.id, error)
                if isinstance(error, StorageFailed):
                    self._monitor.report(claimed.id, error)
                    with suppress(StorageFailed):
                        await self._rest(error, few)
                        continue
                failures.append(NOT_LAID_BACK)
                return

    async def _hold(
        self, waiting: dict[int, Received], position: int, generation_id: int
    ) -> Received:
        folder, received = self._store.arriving, waiting[position]
        waiting[position] = await asyncio.to_thread(hold, folder, received, generation_id, position)
        return waiting[position]

    async def _rest(self, refused: AppError, pauses: Iterator[float]) -> None:
        """Wait until the storage is well; raise what was refused where no pause is left."""
        for pause_s in pauses:
            await self._sleep(pause_s)
            if await self._monitor.check():
                return
        raise refused

    async def _was_cancelled(self, claimed: Generation) -> bool:
        with suppress(AppError):
            row = await self._library.generations.one(claimed.id)
            return row.status is Status.CANCELLED or row.attempt != claimed.attempt
        return False


def label_for(
    claimed: Generation,
    outcome: Outcome,
    dropped: tuple[str, ...],
    sources: Sequence[TracedPicture],
    received: Received | StoredImage,
    position: int,
) -> Label:
    """Build a picture's label: nothing dropped, and the seed asked for is only the first one's."""
    from app.storage.metadata.label import Label, traced_text

    asked = label_fields_of(claimed.request, dropped)
    asked_seed = asked.get('seed') if position == 0 else None
    own = {'model': outcome.model, 'seed': asked_seed if received.seed is None else received.seed}
    return Label(
        **asked | own,  # type: ignore[arg-type]
        provider=outcome.provider,
        created_at=claimed.created_at,
        generation_id=claimed.id,
        position=position,
        revised_prompt=received.revised_prompt,
        asked_size=str(claimed.request.size) if claimed.request.size else None,
        source_url=without_query(received.source_url),
        cost=str(received.cost) if received.cost else None,
        sources=traced_text(sources),
    )

"""One attempt at a generation: ask the provider, keep what comes, pass its progress on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.database import Library
from app.errors import ErrorKind, Failure, ProviderError, StorageFailed
from app.generation.changes import Changes
from app.generation.previews import Previews
from app.generation.request import label_fields_of
from app.log import logger
from app.models import (
    DEMO,
    Call,
    Generation,
    GenerationResult,
    Outcome,
    Received,
    Status,
    StoredImage,
)
from app.net.urls import without_query
from app.providers.core.base import Run
from app.providers.registry import Providers
from app.storage.store import Store

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)


class GenerationRunner:
    """Draws claimed generations; what becomes of the rows is the worker's."""

    def __init__(
        self,
        library: Library,
        providers: Providers,
        store: Store,
        changes: Changes,
        previews: Previews,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._providers = providers
        self._store = store
        self._changes = changes
        self._previews = previews
        self._clock = clock
        self._writing_progress: set[asyncio.Task[None]] = set()

    async def draw(self, claimed: Generation) -> Outcome:
        """Ask the provider and keep what comes; every expected failure is an outcome."""
        provider = await self._providers.drawing(claimed.provider)
        settings = provider.settings
        model = claimed.request.model or settings.model or None
        if settings.name == DEMO != claimed.provider:
            model = settings.model
        request, attempts = claimed.request, list[Call]()
        failed = Outcome(status=Status.FAILED, provider=settings.name, model=model)
        try:
            result = await provider.generate(request, self._run(claimed, attempts))
            self._providers.saw(provider, answered=True)
            kept, failures = await self._keep(claimed, result, settings.name, model)
        except ProviderError as error:
            failure = error.failure
            self._providers.saw(provider, answered=failure.kind is not ErrorKind.UNREACHABLE)
            log.warning('%s: %s: %s', claimed.id, failure.kind, failure.words or failure.reason)
            return replace(failed, error=failure, attempts=tuple(attempts))
        if not kept:
            return replace(failed, error=failures[0], attempts=tuple(attempts))
        log.info('%s: kept %s, lost %s', claimed.id, len(kept), len(failures))
        self._previews.forget(claimed.id)
        return replace(
            failed,
            status=Status.DONE,
            kept=kept,
            item_errors=failures,
            dropped=result.dropped,
            attempts=tuple(attempts),
        )

    def _run(self, claimed: Generation, attempts: list[Call]) -> Run:
        def progressed(progress: float) -> None:
            task = asyncio.create_task(self._write_progress(claimed, progress))
            self._writing_progress.add(task)
            task.add_done_callback(self._writing_progress.discard)

        add_preview = self._previews.begin(claimed.id)
        return Run(self._store.new_temp_file, attempts.append, add_preview, progressed)

    async def _write_progress(self, claimed: Generation, progress: float) -> None:
        try:
            await self._library.queue.progressed(claimed.id, claimed.attempt, progress)
        except StorageFailed:
            log.exception('%s: its progress could not be written', claimed.id)
        self._changes.announce(claimed.id)

    async def _keep(
        self, claimed: Generation, result: GenerationResult, provider: str, model: str | None
    ) -> tuple[tuple[StoredImage, ...], tuple[Failure, ...]]:
        """Keep what can be kept; a bad picture does not take the good ones along."""
        kept: list[StoredImage] = []
        failures = list(result.item_errors)
        waiting = list(result.received)
        try:
            while waiting:
                received = waiting.pop(0)
                label = _label(claimed, received, len(kept), provider, model, result.dropped)
                label = replace(
                    label, image_id=await self._reserve_id(claimed), created_at=self._clock()
                )
                try:
                    kept.append(await self._store.keep(received, label))
                except ProviderError as error:
                    failures.append(error.failure)
        except BaseException:
            for picture in kept:
                self._store.forget(picture)
            for left in waiting:
                left.path.unlink(missing_ok=True)
            raise
        return tuple(kept), tuple(failures)

    async def _reserve_id(self, claimed: Generation) -> int | None:
        """Reserve an id for the file to name, None where the database refuses now."""
        try:
            return await self._library.images.reserve()
        except StorageFailed as error:
            log.warning('%s: a picture is kept without its id inside: %s', claimed.id, error)
            return None


def _label(
    claimed: Generation,
    received: Received,
    position: int,
    provider: str,
    model: str | None,
    dropped: tuple[str, ...],
) -> Label:
    """Build a picture's label: nothing dropped, and the seed asked for is only the first one's."""
    from app.storage.metadata.label import Label

    asked = label_fields_of(claimed.request, dropped)
    asked_seed = asked.get('seed') if position == 0 else None
    own = {'model': model, 'seed': asked_seed if received.seed is None else received.seed}
    return Label(
        **asked | own,  # type: ignore[arg-type]
        provider=provider,
        created_at=claimed.created_at,
        generation_id=claimed.id,
        position=position,
        revised_prompt=received.revised_prompt,
        asked_size=str(claimed.request.size) if claimed.request.size else None,
        source_url=without_query(received.source_url),
    )

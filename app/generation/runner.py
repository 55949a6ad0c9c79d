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
        settings, calls = provider.settings, list[Call]()
        model = claimed.request.model or settings.model or None
        if settings.name == DEMO != claimed.provider:
            model = settings.model
        outcome = Outcome(status=Status.FAILED, provider=settings.name, model=model)
        try:
            result = await provider.generate(claimed.request, self._run(claimed, calls))
            self._providers.saw(provider, answered=True)
            kept, failures = await self._keep(claimed, result, outcome)
        except ProviderError as error:
            failure = error.failure
            self._providers.saw(provider, answered=failure.kind is not ErrorKind.UNREACHABLE)
            log.warning('%s: %s: %s', claimed.id, failure.kind, failure.words or failure.reason)
            return replace(outcome, error=failure, calls=tuple(calls))
        outcome = replace(outcome, calls=tuple(calls))
        if not kept:
            return replace(outcome, error=failures[0])
        log.info('%s: kept %s, lost %s', claimed.id, len(kept), len(failures))
        self._previews.forget(claimed.id)
        done = replace(outcome, status=Status.DONE, kept=kept, item_errors=failures)
        return replace(done, dropped=result.dropped)

    def _run(self, claimed: Generation, calls: list[Call]) -> Run:
        async def write(progress: float) -> None:
            try:
                await self._library.queue.progressed(claimed.id, claimed.attempt, progress)
            except StorageFailed:
                log.exception('%s: its progress could not be written', claimed.id)
            self._changes.announce(claimed.id)

        def progressed(progress: float) -> None:
            task = asyncio.create_task(write(progress))
            self._writing_progress.add(task)
            task.add_done_callback(self._writing_progress.discard)

        add_preview = self._previews.begin(claimed.id)
        return Run(self._store.new_temp_file, calls.append, add_preview, progressed)

    async def _keep(
        self, claimed: Generation, result: GenerationResult, outcome: Outcome
    ) -> tuple[tuple[StoredImage, ...], tuple[Failure, ...]]:
        """Keep what can be kept; a bad picture does not take the good ones along."""
        kept: list[StoredImage] = []
        failures = list(result.item_errors)
        waiting = list(result.received)
        try:
            while waiting:
                received = waiting.pop(0)
                label = _label(claimed, received, len(kept), outcome, result.dropped)
                image_id = None  # for the file to name; none where the database refuses now
                try:
                    image_id = await self._library.images.reserve()
                except StorageFailed as error:
                    log.warning(
                        '%s: a picture is kept without its id inside: %s', claimed.id, error
                    )
                label = replace(label, image_id=image_id, created_at=self._clock())
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


def _label(
    claimed: Generation,
    received: Received,
    position: int,
    outcome: Outcome,
    dropped: tuple[str, ...],
) -> Label:
    """Build a picture's label: nothing dropped, and the seed asked for is only the first one's."""
    from app.storage.metadata.label import Label

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
    )

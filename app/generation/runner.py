"""One attempt at a generation: ask the provider, keep what comes, pass its progress on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from app.database import Library
from app.demo.request import MODELS as DEMO_MODELS
from app.editing.sent_files import SentFiles
from app.errors import ErrorKind, Failure, ProviderError, StorageFailed
from app.generation.changes import Changes
from app.generation.keeper import PictureKeeper
from app.generation.previews import Previews
from app.log import logger
from app.models import DEMO, Call, Generation, Outcome, Status, StoredImage
from app.providers.core.base import Provider, ProviderSettings, Run
from app.providers.registry import Providers
from app.storage.store import Store
from app.tasks import logging_faults

log = logger(__name__)


def failures_of(generation: Generation) -> tuple[Failure, ...]:
    """Return the failure of each picture that did not come."""
    first = (generation.error,) if generation.error else ()
    return (*first, *generation.item_errors)


def is_fetchable(generation: Generation) -> bool:
    """Whether a picture was made that can be fetched again without asking anew."""
    has_ended = generation.status in (Status.DONE, Status.FAILED)
    return has_ended and any(failure.picture_url for failure in failures_of(generation))


class GenerationRunner:
    """Draws claimed generations; what becomes of the rows is the worker's."""

    def __init__(
        self,
        library: Library,
        providers: Providers,
        store: Store,
        changes: Changes,
        previews: Previews,
        keeper: PictureKeeper,
        sent_files: SentFiles,
    ) -> None:
        self._library = library
        self._providers = providers
        self._store = store
        self._changes = changes
        self._previews = previews
        self._keeper = keeper
        self._sent_files = sent_files
        self._writing_progress: set[asyncio.Task[None]] = set()

    async def draw(self, claimed: Generation, pauses: Iterator[float]) -> Outcome:
        """Ask the provider and keep what comes; every expected failure is an outcome.

        Raises `StorageFailed` where no pause (seconds) before another try to keep is left, and
        ProviderError where the provider is gone, or what it would start from.
        """
        provider, calls = await self._providers.drawing(claimed.provider), list[Call]()
        try:
            return await self._draw(claimed, provider, calls, pauses)
        except BaseException:  # what was called may have cost something all the same
            await self._keep_calls(claimed, provider, calls)
            raise

    async def _draw(
        self, claimed: Generation, provider: Provider, calls: list[Call], pauses: Iterator[float]
    ) -> Outcome:
        settings = provider.settings
        model = claimed.request.model or await provider.default_model() or None
        if settings.name == DEMO != claimed.provider and model not in DEMO_MODELS:
            model = settings.model
        outcome = Outcome(status=Status.FAILED, provider=settings.name, model=model)
        async with self._sent_files.made(claimed, mask_inverted=settings.mask_inverted) as edit:
            run = replace(self._run(claimed, calls), edit=edit)
            try:
                result = await provider.generate(claimed.request, run)
                self._providers.saw(provider, answered=True)
            except ProviderError as error:
                failure = error.failure
                self._providers.saw(provider, answered=failure.kind is not ErrorKind.UNREACHABLE)
                log.warning('%s: %s: %s', claimed.id, failure.kind, failure.words or failure.reason)
                outcome = replace(outcome, error=failure, item_errors=error.others)
                return replace(outcome, calls=tuple(calls))
        outcome = replace(outcome, model=model or result.model or None, calls=tuple(calls))
        kept, failures = await self._keeper.keep(claimed, result, outcome, pauses)
        if not kept:
            return replace(outcome, error=failures[0], item_errors=failures[1:])
        await self._learn_of_mask(claimed, settings, kept)
        log.info('%s: kept %s, lost %s', claimed.id, len(kept), len(failures))
        self._previews.forget(claimed.id)
        done = replace(outcome, status=Status.DONE, kept=kept, item_errors=failures)
        return replace(done, dropped=result.dropped)

    async def _learn_of_mask(
        self, claimed: Generation, settings: ProviderSettings, kept: Sequence[StoredImage]
    ) -> None:
        """Remember whether the mask was followed: by one answer of several, it was."""
        answers = (one.changed_outside_mask for one in kept if one.laid_back_from is None)
        if shares := [share for share in answers if share is not None]:
            model = claimed.request.model or settings.model
            try:
                memory = self._providers.memory
                await memory.saw_masked(settings.base_url, model, min(shares))
            except StorageFailed as error:
                log.warning('%s: what its mask showed is not kept: %s', claimed.id, error)

    async def fetch_again(
        self, generation: Generation, first: int, pauses: Iterator[float]
    ) -> Outcome:
        """Fetch the pictures that were made and could not be fetched, for positions from `first`.

        Raises ProviderError where the provider is gone, and as `draw`.
        """
        provider = await self._providers.drawing(generation.provider)
        lost = failures_of(generation)
        fetchable = [failure for failure in lost if failure.picture_url]
        outcome = Outcome(
            status=generation.status,
            provider=generation.provider,
            model=generation.model,
            dropped=generation.dropped,
        )
        new_file = partial(self._store.new_temp_file, generation.id)
        result = await provider.fetch(fetchable, Run(new_file))
        kept, failures = await self._keeper.keep(generation, result, outcome, pauses, first)
        failures = (*(failure for failure in lost if not failure.picture_url), *failures)
        if kept or generation.status is Status.DONE:
            return replace(outcome, status=Status.DONE, kept=kept, item_errors=failures)
        return replace(outcome, error=failures[0], item_errors=failures[1:])

    async def _keep_calls(self, claimed: Generation, provider: Provider, calls: list[Call]) -> None:
        try:
            rows, name = self._library.generations, provider.settings.name
            await rows.keep_calls(claimed, name, calls)
        except StorageFailed as error:
            log.warning('%s: its calls could not be written: %s', claimed.id, error)

    def _run(self, claimed: Generation, calls: list[Call]) -> Run:
        async def write(progress: float) -> None:
            try:
                await self._library.queue.progressed(claimed.id, claimed.attempt, progress)
            except StorageFailed as error:
                log.warning('%s: its progress could not be written: %s', claimed.id, error)
            self._changes.announce(claimed.id)

        def progressed(progress: float) -> None:
            task = asyncio.create_task(logging_faults(partial(write, progress)))
            self._writing_progress.add(task)
            task.add_done_callback(self._writing_progress.discard)

        add_preview = self._previews.begin(claimed.id)
        new_file = partial(self._store.new_temp_file, claimed.id)
        return Run(new_file, calls.append, add_preview, progressed)

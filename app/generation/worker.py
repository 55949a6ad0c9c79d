"""Takes generations from the queue, has them drawn, keeps what came and announces it.

The database is the queue; an event only wakes the worker. A generation that was running when the
server ended is never sent again by itself: it may have been paid for.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from itertools import islice

from app.database import Library
from app.database.queue import Submitted
from app.errors import N_, Conflict, ErrorKind, Failure, ProviderError, StorageFailed
from app.generation.changes import Changes
from app.generation.outcome_writer import OutcomeWriter, growing_pauses
from app.generation.runner import GenerationRunner, is_fetchable
from app.generation.running import Running
from app.generation.scheduler import Scheduler
from app.generation.storage_monitor import StorageMonitor
from app.log import logger
from app.models import Generation, Outcome, Status
from app.models.request import GenerationRequest
from app.providers.registry import Providers
from app.tasks import end_tasks

log = logger(__name__)

MOST_TRIES_NOW = 5  # of writing down, for a command that somebody waits for


class Worker:
    """The one place that runs a generation, whoever asked for it."""

    def __init__(
        self,
        library: Library,
        providers: Providers,
        runner: GenerationRunner,
        writer: OutcomeWriter,
        changes: Changes,
        storage_monitor: StorageMonitor,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._providers = providers
        self._runner = runner
        self._writer = writer
        self._changes = changes
        self._storage_monitor = storage_monitor
        self._clock = clock
        self._wake = asyncio.Event()
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}  # by generation and attempt
        self._fetching: set[int] = set()
        self.scheduler = Scheduler(library, providers, Running(changes))
        self._loop_task: asyncio.Task[None] | None = None
        self._settling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Mark what an earlier server left running as interrupted, then work through the queue."""
        for generation_id in await self._library.generations.interrupt_running(self._clock()):
            log.warning('%s: was running when Easel stopped; it waits for Retry', generation_id)
        self._wake.set()
        self._loop_task = asyncio.create_task(self._loop(), name='worker')

    async def stop(self, grace_s: float = 0) -> None:
        """Begin nothing more, and let what runs end within its grace, or until `hurry`.

        What runs then becomes interrupted, what waits stays queued.
        """
        await end_tasks(self._loop_task)
        limit = asyncio.get_running_loop().call_later(grace_s, self.hurry)
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        limit.cancel()
        for settling in self._settling:
            settling.cancel()
        try:
            await self._library.generations.interrupt_running(self._clock())
        except StorageFailed as error:
            log.warning('what is running stays so until the next start: %s', error)

    def hurry(self) -> None:
        """End what runs, while it is being stopped."""
        for task in self._running.values():
            task.cancel()

    async def submit(
        self,
        request: GenerationRequest,
        submission: str | None = None,
        quota_key: str = '',
        guest: int | None = None,
    ) -> Submitted:
        """Queue a request; the same submission again returns the same generation.

        Raises `InvalidRequest` where no provider can take it, and what `Generations.submit` does.
        """
        submitted = await self._library.generations.submit(
            request,
            provider=self._providers.expected(request.provider, request.model),
            submission=submission,
            now=self._clock(),
            quota_key=quota_key,
            guest=guest,
        )
        if submitted.new:
            self._announce(submitted.generation.id)
        return submitted

    async def cancel(self, generation_id: int) -> Generation:
        """Close a generation's call and end it; a final one stays as it is. Raises `NotFound`."""
        cancelled = await self._library.generations.cancel(generation_id, self._clock())
        task = self._running.get((cancelled.id, cancelled.attempt))
        if task and cancelled.status is Status.CANCELLED:
            task.cancel()
        self._announce(generation_id)
        return cancelled

    async def retry(
        self, generation_id: int, quota_key: str = '', guest: int | None = None
    ) -> Generation:
        """Queue a failed, cancelled or interrupted generation again, as its next attempt.

        Raises `InvalidRequest` where its provider is gone, and what `Generations.retry` does.
        """
        before = await self._library.generations.one(generation_id)
        provider = self._providers.expected(before.request.provider, before.request.model)
        again = await self._library.generations.retry(generation_id, provider, quota_key, guest)
        self._announce(generation_id)
        return again

    async def fetch(self, generation_id: int) -> Generation:
        """Fetch again what was made and could not be fetched. Raises `NotFound`.

        Raises `Conflict` where there is nothing of that kind, or it is being fetched already, and
        `InvalidRequest` or ProviderError where the provider is gone.
        """
        generation = await self._library.generations.one(generation_id)
        if not is_fetchable(generation):
            raise Conflict(N_("There's no picture to download again."))
        if generation_id in self._fetching:
            raise Conflict(N_("It's already being downloaded."))
        self._fetching.add(generation_id)
        try:
            first = await self._library.images.next_position(generation_id)
            pauses = islice(growing_pauses(), MOST_TRIES_NOW - 1)
            outcome = await self._runner.fetch_again(generation, first, pauses)
            ended_at, rows = generation.finished_at, self._library.generations
            if not await rows.finish(generation, outcome, ended_at, first):
                self._writer.forget(outcome)
        finally:
            self._fetching.discard(generation_id)
        self._changes.announce(generation_id)
        return await self._library.generations.one(generation_id)

    async def draw_now(self, request: GenerationRequest) -> Generation:
        """Draw a request without the queue, for a command that has no server.

        Raises `InvalidRequest` where no provider can take it, or `StorageFailed`.
        """
        await self._storage_monitor.require()
        await self._providers.look()
        queued = (await self.submit(request)).generation
        claimed = await self._library.generations.claim(queued.provider, self._clock(), queued.id)
        if claimed:
            await self.run_generation(claimed, islice(growing_pauses(), MOST_TRIES_NOW - 1))
        return await self._library.generations.one(queued.id)

    def look_again(self) -> None:
        """Look at the queue again, since who may draw has changed."""
        self._wake.set()

    async def run_generation(self, claimed: Generation, pauses: Iterator[float]) -> None:
        """Draw a claimed generation and write down the outcome, after pauses (seconds) again.

        Raises `StorageFailed` where no pause is left.
        """
        log.info('%s: attempt %s begins', claimed.id, claimed.attempt)
        began_s = time.monotonic()
        try:
            outcome = await self._runner.draw(claimed, pauses)
        except ProviderError as error:  # its provider is gone, or what it starts from
            outcome = _failed(claimed, error.failure)
        except Exception as error:
            log.exception('%s: could not be drawn', claimed.id)
            outcome = _failed(claimed, _failure_of(error))
        self.scheduler.saw(claimed, outcome)
        began_at = self._clock() if claimed.started_at is None else claimed.started_at
        ended_at = began_at + time.monotonic() - began_s  # whatever the clock was set to meanwhile
        await self._finish(claimed, outcome, ended_at, pauses)

    def _announce(self, generation_id: int) -> None:
        self._changes.announce(generation_id)
        self._wake.set()

    @property
    def is_drawing(self) -> bool:
        return bool(self._running)

    async def _loop(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._begin_all():
                await self._storage_monitor.rest()
                self._wake.set()

    async def _begin_all(self) -> bool:
        """Begin all that can begin now; False where storage fails, so that it is tried again."""
        try:
            while await self._storage_monitor.check():
                claimed = await self.scheduler.next(self._clock())
                if claimed is None:
                    return True
                self._begin(claimed)
        except StorageFailed as error:
            log.warning('the queue could not be read: %s', error)
        except Exception:  # whatever it is, the queue must not stand still until a restart
            log.exception('the next of the queue could not be chosen')
        return False

    def _begin(self, claimed: Generation) -> None:
        work = self.run_generation(claimed, growing_pauses())
        task = asyncio.create_task(work, name=f'generation {claimed.id}')
        self._running[claimed.id, claimed.attempt] = task

        def ended(_: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()):
                log.error('%s: its failure could not be kept', claimed.id, exc_info=error)
            if task.cancelled() or task.exception():
                self._settle(claimed)
            self.scheduler.end(claimed)
            del self._running[claimed.id, claimed.attempt]
            self._wake.set()

        task.add_done_callback(ended)

    def _settle(self, claimed: Generation) -> None:
        """Have written, in a while, that an attempt ended, where nothing else was written of it."""
        settling = asyncio.create_task(self._until_settled(claimed))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)

    async def _until_settled(self, claimed: Generation) -> None:
        for pause_s in growing_pauses():
            with contextlib.suppress(StorageFailed):
                if await self._library.generations.interrupt_running(self._clock(), claimed):
                    self._changes.announce(claimed.id)
                return
            await asyncio.sleep(pause_s)

    async def _finish(
        self, claimed: Generation, outcome: Outcome, ended_at: float, pauses: Iterator[float]
    ) -> None:
        """Write an outcome, or that it cannot be written: its pictures stay without rows then."""
        try:
            await self._writer.finish(claimed, outcome, ended_at, pauses)
        except Exception as error:
            if isinstance(error, StorageFailed) and error.retryable:
                raise
            log.exception('%s: could not be written down', claimed.id)
            outcome = _failed(claimed, _failure_of(error))
            await self._writer.finish(claimed, outcome, ended_at, pauses)
        self._changes.announce(claimed.id)


def _failed(claimed: Generation, failure: Failure) -> Outcome:
    return Outcome(
        status=Status.FAILED, provider=claimed.provider, model=claimed.model, error=failure
    )


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, StorageFailed):
        return Failure(kind=ErrorKind.STORAGE, reason=str(error.places.get('reason', '')))
    return Failure(kind=ErrorKind.INTERNAL, reason=type(error).__name__)

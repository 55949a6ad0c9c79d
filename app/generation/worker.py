"""Takes generations from the queue, has them drawn, keeps what came, says so.

The database is the queue; an event only wakes the worker. A generation that was running when the
server ended is never sent again by itself: it may have been paid for.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from app.database import Library
from app.errors import AppError, ErrorKind, Failure, ProviderError, StorageFailed
from app.generation.changes import Changes
from app.generation.runner import Drawing
from app.generation.scheduler import Turns
from app.log import logger
from app.models import Ask, Generation, Kept, Outcome, Status, Submitted
from app.providers.registry import Providers, gone
from app.storage.store import Store

log = logger(__name__)

REST_AFTER_FAULT_S = 2.0


class Worker:
    """The one place that runs a generation, whoever asked for it."""

    def __init__(
        self,
        library: Library,
        providers: Providers,
        drawing: Drawing,
        store: Store,
        changes: Changes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._providers = providers
        self._store = store
        self._changes = changes
        self._drawing = drawing
        self._clock = clock
        self._wake = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._turns = Turns(library, providers)
        self._loop_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Mark what an earlier server left running as interrupted, then work through the queue."""
        for generation_id in await self._library.generations.interrupt_running(self._clock()):
            log.warning('%s: was running when Easel ended; it waits for Try again', generation_id)
        self._wake.set()
        self._loop_task = asyncio.create_task(self._loop(), name='worker')

    async def stop(self) -> None:
        """Stop at once; what is running becomes interrupted, what waits stays queued."""
        if self._loop_task:
            self._loop_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop_task
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._library.generations.interrupt_running(self._clock())

    async def submit(
        self,
        ask: Ask,
        submission: str | None = None,
        share: str = '',
        guest: int | None = None,
    ) -> Submitted:
        """Queue an ask; the same submission again gives the same generation.

        Raises:
            InvalidRequest: It names a provider that is not there, or none is.
            Conflict: The submission was used with another ask.
            QueueFull: Too much waits already.
        """
        provider = self._providers.expected(ask.provider, ask.model)
        submitted = await self._library.generations.submit(
            ask,
            provider=provider,
            submission=submission,
            now=self._clock(),
            share=share,
            guest=guest,
        )
        if submitted.new:
            self._tell(submitted.generation.id)
        return submitted

    async def cancel(self, generation_id: int) -> Generation:
        """End a generation; its call is closed, and a final one stays as it is.

        Raises:
            NotFound: There is no such generation.
        """
        cancelled = await self._library.generations.cancel(generation_id, self._clock())
        task = self._running.get(generation_id)
        if task and cancelled.status is Status.CANCELLED:
            task.cancel()
        self._tell(generation_id)
        return cancelled

    async def retry(self, generation_id: int, share: str = '') -> Generation:
        """Queue a failed, cancelled or interrupted generation again, as its next attempt.

        Raises:
            NotFound: There is no such generation.
            Conflict: It is waiting, running or done.
            InvalidRequest: Its provider is not there any more.
            QueueFull: Too much waits already.
        """
        before = await self._library.generations.one(generation_id)
        provider = self._providers.expected(before.ask.provider, before.ask.model)
        again = await self._library.generations.retry(generation_id, provider, share)
        self._tell(generation_id)
        return again

    async def draw_now(self, ask: Ask) -> Generation:
        """Draw one ask without the queue, for a command that has no server.

        Raises:
            InvalidRequest: It names a provider that is not there.
            StorageFailed: It could not be written down.
        """
        await self._providers.look()
        queued = (await self.submit(ask)).generation
        claimed = await self._library.generations.claim(queued.provider, self._clock(), queued.id)
        if claimed:
            await self.run_generation(claimed)
        return await self._library.generations.one(queued.id)

    def look_again(self) -> None:
        """Look at the queue again, since who may draw has changed."""
        self._wake.set()

    def _tell(self, generation_id: int) -> None:
        self._changes.announce(generation_id)
        self._wake.set()

    async def _loop(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._claim_all()
            except StorageFailed:
                log.exception('the queue could not be read; trying again soon')
                await asyncio.sleep(REST_AFTER_FAULT_S)
                self._wake.set()

    async def _claim_all(self) -> None:
        """Give everything that waits to those that are free, the oldest first."""
        while turn := await self._turns.next(self._clock()):
            if turn.is_lost:
                await self._give_up(turn.claimed, gone(turn.claimed.provider))
                self._changes.announce(turn.claimed.id)
            else:
                self._begin(turn.claimed)

    def _begin(self, claimed: Generation) -> None:
        self._turns.begin(claimed.provider)
        task = asyncio.create_task(self.run_generation(claimed), name=f'generation {claimed.id}')
        self._running[claimed.id] = task
        self._changes.announce(claimed.id)

        def ended(_: asyncio.Task[None]) -> None:
            self._turns.end(claimed.provider)
            if self._running.get(claimed.id) is task:
                del self._running[claimed.id]
            self._wake.set()

        task.add_done_callback(ended)

    async def run_generation(self, claimed: Generation) -> None:
        """Draw one claimed generation and write down what became of it; never raises a fault."""
        log.info('%s: attempt %s begins', claimed.id, claimed.attempt)
        kept: tuple[Kept, ...] = ()
        try:
            outcome = await self._drawing.draw(claimed)
            kept = outcome.kept
            written = await self._write_down(claimed, outcome)
        except AppError as error:
            log.exception('%s: could not be written down', claimed.id)
            written = await self._give_up(claimed, _failure_of(error))
        except Exception as error:
            log.exception('%s: a fault of ours', claimed.id)
            written = await self._give_up(claimed, _failure_of(error))
        if not written:
            for picture in kept:
                self._store.forget(picture)
        self._changes.announce(claimed.id)

    async def _write_down(self, claimed: Generation, outcome: Outcome) -> bool:
        """Write an outcome whole, even when the task is cancelled in the middle of it."""
        writing = asyncio.ensure_future(
            self._library.generations.finish(claimed, outcome, self._clock())
        )
        with contextlib.suppress(asyncio.CancelledError):
            return await asyncio.shield(writing)
        return await writing

    async def _give_up(self, claimed: Generation, failure: Failure) -> bool:
        """Write down that it failed; returns False, since no picture of it is written about."""
        outcome = Outcome(
            status=Status.FAILED, provider=claimed.provider, model=claimed.model, error=failure
        )
        try:
            await self._library.generations.finish(claimed, outcome, self._clock())
        except AppError:
            log.exception('%s: its failure could not be written down either', claimed.id)
        return False


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, ProviderError):
        return error.failure
    if isinstance(error, StorageFailed):
        return Failure(kind=ErrorKind.STORAGE, reason=str(error.places.get('reason', '')))
    return Failure(kind=ErrorKind.INTERNAL, reason=type(error).__name__)

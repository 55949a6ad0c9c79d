"""Threads of their own for long work, so slow that pages come first."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar('T')
Rest = Callable[[], None]

LONGEST_REST_S = 0.5
EVEN = 0.5  # as much rest as work


class Stopped(Exception):
    """The work was ended before its end."""


class Pace:
    """Rests in proportion to the processor's time that was used, and ends unwanted work."""

    def __init__(self, *ends: threading.Event, share: float = EVEN) -> None:
        self._ends = ends
        self._rests_per_work = 1 / share - 1
        self._since: float | None = None  # of the clock of the thread that works

    def rest(self) -> None:
        """Wait a little; raises `Stopped`."""
        now = time.thread_time()
        worked_s = now - (now if self._since is None else self._since)
        self._ends[0].wait(min(worked_s * self._rests_per_work, LONGEST_REST_S))
        if any(end.is_set() for end in self._ends):
            raise Stopped
        self._since = time.thread_time()


class Background:
    """Runs long work; all of it ends at `end`."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._left: set[Future[None]] = set()  # streams that are being closed

    def end(self) -> None:
        """Have all work raise `Stopped` at its next rest."""
        self._ending.set()

    def pace(self, *ends: threading.Event, share: float = EVEN) -> Pace:
        """Return the pace of a work that may take this share (0 to 1) of the time."""
        return Pace(self._ending, *ends, share=share)

    async def run(self, work: Callable[[], T]) -> T:
        """Run work to its end, in a thread that no page waits for."""
        threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix='background')
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        finally:
            threads.shutdown(wait=False)

    async def stream(self, blocks: Generator[bytes, None, None]) -> AsyncGenerator[bytes, None]:
        """Yield blocks as they are taken; closes their generator, whoever leaves first."""
        threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix='background')
        loop = asyncio.get_running_loop()
        try:
            while block := await loop.run_in_executor(threads, next, blocks, b''):
                yield block
        finally:
            closing = threads.submit(blocks.close)  # after what that thread may still be at
            self._left.add(closing)
            closing.add_done_callback(self._left.discard)
            threads.shutdown(wait=False)

    async def close(self) -> None:
        """End all work, and wait until streams have left nothing behind."""
        self.end()
        await asyncio.gather(*map(asyncio.wrap_future, self._left))

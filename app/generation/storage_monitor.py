"""Whether what comes can be kept: asked before each call, and again and again while it cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from app.database import Library
from app.errors import N_, Notice, StorageFailed
from app.generation.changes import Changes
from app.log import logger
from app.storage.health import find_problem, unwritable
from app.storage.store import Store

log = logger(__name__)

PAUSE_S = 1.0
FRESH_S = 0.3  # so long it counts that all is well, for calls that begin together


class StorageMonitor:
    """Knows what is wrong with the data folder; while something is, nothing is asked of servers."""

    def __init__(
        self,
        library: Library,
        store: Store,
        changes: Changes,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.problem: Notice | None = None
        self._library = library
        self._store = store
        self._changes = changes
        self._clock = clock
        self._sleep = sleep
        self._fresh_until_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def check(self) -> bool:
        """Whether a picture that came now could be kept."""
        async with self._one_at_a_time:
            if self._clock() >= self._fresh_until_s:
                self._show(await self._find())
                self._fresh_until_s = 0.0 if self.problem else self._clock() + FRESH_S
        return self.problem is None

    async def require(self) -> None:
        """Raise `StorageFailed` where a picture that came now could not be kept."""
        if not await self.check() and self.problem:
            raise StorageFailed(N_('{problem} The server was not asked.'), problem=self.problem)

    async def rest(self) -> None:
        """Wait a little before what failed is tried again."""
        await self._sleep(PAUSE_S)

    def report(self, problem: Notice) -> None:
        """Pause the queue for what was seen elsewhere, until a check finds nothing wrong."""
        self._fresh_until_s = 0.0
        self._show(problem)

    async def _find(self) -> Notice | None:
        try:
            await self._library.database.check_writable()
        except StorageFailed as error:
            return unwritable('easel.db', str(error.places.get('reason', '')))
        return await asyncio.to_thread(find_problem, self._store)

    def _show(self, problem: Notice | None) -> None:
        if problem == self.problem:
            return
        if problem:
            log.warning('the queue pauses: %s', problem)
        else:
            log.info('pictures can be kept again; the queue goes on')
        self.problem = problem
        self._changes.announce_notices()

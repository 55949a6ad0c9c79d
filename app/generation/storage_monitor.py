"""Whether what comes can be kept: asked before each call, and again and again while it cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from app.database import Library
from app.errors import N_, AppError, Notice, StorageFailed
from app.generation.changes import Changes
from app.log import logger
from app.storage.decoding.decoder import DecoderFailed
from app.storage.health import DECODER_FAILS, find_problem, unwritable
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
        self.held: set[int] = set()  # generations whose pictures came, and cannot be kept yet
        self._library = library
        self._store = store
        self._changes = changes
        self._clock = clock
        self._sleep = sleep
        self._fresh_until_s = 0.0
        self._checks = 0
        self._decoder_failed = False
        self._one_at_a_time = asyncio.Lock()

    async def check(self) -> bool:
        """Whether a picture that came now could be kept."""
        before = self._checks
        async with self._one_at_a_time:
            if self._checks == before and self._clock() >= self._fresh_until_s:
                self._show(await self._find())
                self._checks += 1
                self._fresh_until_s = 0.0 if self.problem else self._clock() + FRESH_S
        return self.problem is None

    async def require(self) -> None:
        """Raise `StorageFailed` where a picture that came now could not be kept."""
        if not await self.check() and self.problem:
            raise StorageFailed(
                N_('{problem} Nothing was sent to the server.'), problem=self.problem
            )

    async def rest(self) -> None:
        """Wait a little before what failed is tried again."""
        await self._sleep(PAUSE_S)

    def report(self, generation_id: int, error: AppError) -> None:
        """Pause the queue for what a picture met, until a check finds nothing wrong."""
        self._fresh_until_s = 0.0
        self.held.add(generation_id)
        self._changes.announce(generation_id)
        if isinstance(error, DecoderFailed):
            self._decoder_failed = True
            self._show(DECODER_FAILS)
        else:
            self._show(unwritable('', error.places.get('reason')))

    async def _find(self) -> Notice | None:
        try:
            await self._library.database.check_writable()
        except StorageFailed as error:
            return unwritable('easel.db', error.places.get('reason'))
        if problem := await asyncio.to_thread(find_problem, self._store):
            return problem
        if self._decoder_failed and not await self._store.decoder_works():
            return DECODER_FAILS
        self._decoder_failed = False
        return None

    def _show(self, problem: Notice | None) -> None:
        before, self.problem = self.problem, problem
        if problem == before:
            return
        if problem and not (before and before.sentence == problem.sentence):
            log.warning('the queue pauses: %s', problem)
        if not problem:
            log.info('pictures can be kept again; the queue goes on')
        self._changes.announce_notices()

"""Keeps searches fast: each goes through every segment of the index."""

from __future__ import annotations

import asyncio
import contextlib
import time

from app.database import Library
from app.errors import StorageFailed
from app.log import logger, logging_faults

log = logger(__name__)

LOOK_EVERY_S = 120.0
RESTS = 4  # times as long as a step takes


class IndexUpkeep:
    """Merges the index of words in the background, in small steps."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(logging_faults(self._run), name='index upkeep')

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def merge(self) -> None:
        """Merge all that is to be merged."""
        began_at = time.monotonic()
        while await self._library.index.merge():
            await asyncio.sleep(RESTS * (time.monotonic() - began_at))
            began_at = time.monotonic()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.merge()
            except StorageFailed as error:
                log.warning('the search index is merged later: %s', error)

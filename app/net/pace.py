"""Turns for other tasks during long work over what a server sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

SLICE_S = 0.003


class Pace:
    """Lets other tasks go on whenever a slice of time is used up.

    Bytes that have come already are read without waiting, and so without a turn for anybody else.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._due = clock() + SLICE_S

    async def rest(self) -> None:
        if self._clock() >= self._due:
            await asyncio.sleep(0)
            self._due = self._clock() + SLICE_S

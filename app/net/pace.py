"""Turns for other tasks during long work over what a server sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

SLICE_S = 0.003
SHORT_LETTERS = 64 * 1024  # of a text that is read within a slice
T = TypeVar('T')


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


async def aside(text: str, read: Callable[[], T]) -> T:
    """Read a text, a long one in a thread."""
    return read() if len(text) <= SHORT_LETTERS else await asyncio.to_thread(read)

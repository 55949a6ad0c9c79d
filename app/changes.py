"""Which generations changed; in this process, for the worker and for pages that wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Changes:
    """A set of ids for each listener: idempotent, so it can never grow past what is shown."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def announce(self, generation_id: int) -> None:
        """Mark a generation as changed for everybody who listens."""
        for listener in self._listeners:
            listener.mark(generation_id)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """Listen for as long as the block lasts."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)


class Listener:
    """One who wants to know."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._event = asyncio.Event()

    def mark(self, generation_id: int) -> None:
        """Note an id and wake up."""
        self._ids.add(generation_id)
        self._event.set()

    async def wait(self) -> frozenset[int]:
        """Wait for changes and take them all."""
        await self._event.wait()
        self._event.clear()
        ids, self._ids = frozenset(self._ids), set()
        return ids

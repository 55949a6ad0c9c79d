"""Which generations changed; in this process, for pages that wait.

An event says what changed, not what it changed to: a listener's ids are a set, so they can never
grow past what is shown, and whoever wakes late reads the row as it is then.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MOST_SERIALS = 4_096


class Changes:
    """Wakes every listener."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._serials: OrderedDict[int, int] = OrderedDict()
        self._serial = 0

    def announce(self, generation_id: int) -> None:
        self._serial += 1
        self._serials[generation_id] = self._serial
        self._serials.move_to_end(generation_id)
        if len(self._serials) > MOST_SERIALS:
            self._serials.popitem(last=False)
        for listener in self._listeners:
            listener.mark(generation_id)

    def serial_of(self, generation_id: int) -> int:
        """Return a number that grows with each change of a generation; 0 if none is known."""
        return self._serials.get(generation_id, 0)

    def announce_notices(self) -> None:
        """Have every listener show what is noticed now."""
        for listener in self._listeners:
            listener.mark_notices()

    def close(self) -> None:
        """End every listener, so that the server can stop at once."""
        for listener in self._listeners:
            listener.end()

    def doubt(self) -> None:
        """Have every listener ask whether it may stay."""
        for listener in self._listeners:
            listener.doubt()

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
    """One page that waits for changes."""

    def __init__(self) -> None:
        self.ended = False  # whether nothing will be announced any more
        # Whether it is time to ask if this page may still listen: after a `doubt`, and after each
        # wait without a change, since what lets its visitor in can run out.
        self.doubted = False
        self._doubts = False
        self._has_notices = False
        self._ids: set[int] = set()
        self._event = asyncio.Event()

    def mark(self, generation_id: int) -> None:
        self._ids.add(generation_id)
        self._event.set()

    def mark_notices(self) -> None:
        self._has_notices = True
        self._event.set()

    def take_notices(self) -> bool:
        """Whether notices came or went since this was last asked."""
        marked, self._has_notices = self._has_notices, False
        return marked

    def doubt(self) -> None:
        self._doubts = True
        self._event.set()

    def end(self) -> None:
        self.ended = True
        self._event.set()

    async def wait(self, timeout_s: float) -> frozenset[int]:
        """Wait for changes and take them all; empty when none came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            self.doubted = True
            return frozenset()
        self._event.clear()
        self.doubted, self._doubts = self._doubts, False
        ids, self._ids = frozenset(self._ids), set()
        return ids

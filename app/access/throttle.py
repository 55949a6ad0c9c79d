"""How often somebody may guess: by address, and everybody together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

WINDOW_S = 60.0


class Throttle:
    """Counts guesses within the last minute; it never forgets one of those, and nothing older.

    Whoever guessed right before is not held up by what all the others guess, so that a crowd of
    addresses can't keep the owner out.
    """

    def __init__(
        self,
        each: int,
        everybody: int,
        known: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each = each
        self._everybody = everybody
        self._clock = clock
        self._own: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()
        self._known = set(known)

    def take(self, who: str) -> float:
        """Count one guess; return the seconds to wait before it may be made, 0 for now."""
        now = self._clock()
        self._forget(now - WINDOW_S)
        own = self._own.get(who, deque())
        if len(own) >= self._each:
            return own[0] + WINDOW_S - now
        if who not in self._known:
            if len(self._all) >= self._everybody:
                return self._all[0] + WINDOW_S - now
            self._all.append(now)
        own.append(now)
        self._own[who] = own
        return 0.0

    def trust(self, who: str) -> None:
        """Note that one guessed right, or need not guess."""
        self._known.add(who)
        self._own.pop(who, None)

    def _forget(self, before: float) -> None:
        for guesses in (self._all, *self._own.values()):
            while guesses and guesses[0] <= before:
                guesses.popleft()
        self._own = {who: own for who, own in self._own.items() if own}

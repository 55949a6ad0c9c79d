"""What runs at each provider, and which of them hang."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.generation.changes import Changes
from app.log import logger
from app.models import Generation

log = logger(__name__)


class Timer(Protocol):
    """What can be called off."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]


@dataclass(slots=True)
class _Running:
    """A generation from its claim to its end."""

    provider: str
    places: int  # so many may run at the provider
    patience_s: float  # after so long without a sign of life it counts as silent
    began_s: float  # of a clock that is never set
    serial: int  # of its last sign of life
    silent: bool = False
    timer: Timer | None = None


class Running:
    """Counts what runs.

    A provider hangs once silent generations have all its places, and until it answers one.
    """

    def __init__(
        self,
        changes: Changes,
        clock: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        self._changes = changes
        self._clock = clock
        self._later = later
        # by generation and attempt: a cancelled one may still be ending when the next one begins
        self._running: dict[tuple[int, int], _Running] = {}
        self._hanging: dict[str, float] = {}  # since when something runs there in vain

    def begin(self, claimed: Generation, places: int, patience_s: float) -> None:
        """Count an attempt to one of its provider's places, until `end`."""
        self._changes.announce(claimed.id)
        serial = self._changes.serial_of(claimed.id)
        one = _Running(claimed.provider, places, patience_s, self._clock(), serial)
        self._running[claimed.id, claimed.attempt] = one
        self._listen(claimed.id, one)
        self._tell(claimed.provider)

    def end(self, claimed: Generation) -> None:
        one = self._running.pop((claimed.id, claimed.attempt))
        if one.timer:
            one.timer.cancel()
        self._tell(one.provider)

    def answered(self, provider: str) -> None:
        """Take note of a sign of life: it hangs no more."""
        if self.hangs(provider):
            self._tell(provider)
            del self._hanging[provider]
            log.info('%s answers again', provider)

    def load(self, provider: str, places: int) -> float:
        """Return the part of a provider's places that is taken; one that hangs has only one."""
        count = sum(one.provider == provider for one in self._running.values())
        return count / (1 if self.hangs(provider) else places)

    def hangs(self, provider: str) -> bool:
        return provider in self._hanging

    def hanging(self) -> dict[str, float]:
        """Return what hangs while something runs there, and for how many seconds it has."""
        busy, now_s = {one.provider for one in self._running.values()}, self._clock()
        return {name: now_s - since_s for name, since_s in self._hanging.items() if name in busy}

    def _listen(self, generation_id: int, one: _Running) -> None:
        later = self._later or asyncio.get_running_loop().call_later
        one.timer = later(one.patience_s, lambda: self._is_due(generation_id, one))

    def _is_due(self, generation_id: int, one: _Running) -> None:
        """Look whether there was a sign of life: progress, or a partial picture."""
        one.silent = self._changes.serial_of(generation_id) == one.serial
        if one.silent:
            self._suspect(one.provider, one.places)
            self._changes.announce(generation_id)
        else:
            self.answered(one.provider)
        one.serial = self._changes.serial_of(generation_id)
        self._listen(generation_id, one)

    def _suspect(self, provider: str, places: int) -> None:
        silent = [
            one.began_s for one in self._running.values() if one.silent and one.provider == provider
        ]
        if len(silent) >= places and not self.hangs(provider):
            self._hanging[provider] = min(silent)
            log.warning("%s doesn't answer: it gets one prompt at a time", provider)
        self._tell(provider)

    def _tell(self, provider: str) -> None:
        """Have the pages say anew what hangs, where this one does."""
        if self.hangs(provider):
            self._changes.announce_notices()

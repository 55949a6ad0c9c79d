"""Which of what waits goes to which provider that is free."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.database import Library
from app.database.queue import OWNERS_SHARE, Place, Waiting
from app.errors import ErrorKind
from app.generation.running import Running
from app.models import Generation, Outcome
from app.providers.monitor import MonitoredProvider
from app.providers.registry import Providers

LEAST_PATIENCE_S = 60.0
USUAL_TIMES = 5  # as long as a server usually takes
SAMPLES = 20
MOST_TURNS = 4_096
NO_ANSWERS = (ErrorKind.TIMEOUT, ErrorKind.GATEWAY_TIMEOUT, ErrorKind.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What one that waits has before it."""

    before: int = 0  # so many begin earlier at the same provider
    paused: bool = False
    hanging: bool = False  # whether every provider that may take it hangs


class Scheduler:
    """Gives the next generation to the least busy provider, by turns.

    Turns go round at each provider: the owner, each guest, the owner again; whoever has not had
    one for longest is next, and within a share the oldest. A provider that hangs comes last.
    """

    def __init__(self, library: Library, providers: Providers, running: Running) -> None:
        self._library = library
        self._providers = providers
        self._running = running
        # when a share had its last turn at a provider, by a number that grows
        self._turns: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._turn = 0

    async def next(self, now: float) -> Generation | None:
        """Claim the next generation that a provider may take; None if nothing can begin now.

        It counts as running until `end`. One whose provider is gone is claimed as well, to fail
        at once. Raises `StorageFailed` where the queue cannot be read.
        """
        while waiting := await self._library.queue.waiting():
            if any(not one.provider for one in waiting):
                await self._providers.look()
            chosen = self._choose(one for one in waiting if not one.paused)
            if chosen is None:
                return None
            one, provider = chosen
            name, places = (provider.name, provider.settings.at_once) if provider else ('', 1)
            patience_s = await self._patience_s(name, one.model)
            claimed = await self._library.generations.claim(name, now, one.id)
            if claimed:  # it may have been cancelled in between
                self._take_turn(claimed.provider, one.share)
                self._running.begin(claimed, places, patience_s)
                return claimed
        return None

    def end(self, claimed: Generation) -> None:
        """Free the place of a generation that runs no more."""
        self._running.end(claimed)

    def saw(self, claimed: Generation, outcome: Outcome) -> None:
        """Take note of how an attempt ended at its provider."""
        if outcome.error is None or outcome.error.kind not in NO_ANSWERS:
            self._running.answered(claimed.provider)

    def hanging(self) -> dict[str, float]:
        """Return the providers that hang, and for how many seconds."""
        return self._running.hanging()

    async def prospect_of(self, generation_id: int) -> Prospect:
        """Return what one that waits has before it; nothing if it waits no more."""
        place = await self._library.queue.place_of(generation_id)
        return self._prospect(place) if place else Prospect()

    def _choose(
        self, waiting: Iterable[Waiting]
    ) -> tuple[Waiting, MonitoredProvider | None] | None:
        """Choose whose turn it is where a place is free; a provider of None is gone."""
        turns: list[tuple[tuple[int, bool, int], Waiting, MonitoredProvider]] = []
        for one in waiting:
            eligible = self._providers.eligible(one.provider, one.model)
            if not eligible:
                return one, None
            free = self._least_busy(eligible)
            if free:
                turns.append((self._order(free.name, one), one, free))
        if not turns:
            return None
        _, one, provider = min(turns, key=lambda turn: turn[0])
        return one, provider

    def _least_busy(self, eligible: Sequence[MonitoredProvider]) -> MonitoredProvider | None:
        """Choose one with a free place: none that hangs while another can, the first of equals."""
        loads = [
            (self._running.hangs(one.name), self._running.load(one.name, one.settings.at_once), at)
            for at, one in enumerate(eligible)
        ]
        free = [load for load in loads if load[1] < 1]
        return eligible[min(free)[2]] if free else None

    def _order(self, provider: str, one: Waiting) -> tuple[int, bool, int]:
        return self._turns.get((provider, one.share), 0), one.share != OWNERS_SHARE, one.id

    def _take_turn(self, provider: str, share: str) -> None:
        self._turn += 1
        self._turns[provider, share] = self._turn
        self._turns.move_to_end((provider, share))
        if len(self._turns) > MOST_TURNS:
            self._turns.popitem(last=False)

    async def _patience_s(self, provider: str, model: str | None) -> float:
        model = model or self._providers.model_of(provider)
        took = sorted(await self._library.queue.durations(provider, model, None, SAMPLES))
        usual_s = took[len(took) // 2] if took else 0.0
        return max(LEAST_PATIENCE_S, USUAL_TIMES * usual_s)

    def _prospect(self, place: Place) -> Prospect:
        """Count who begins earlier: all of its own before it, of others as many and their turn."""
        firsts: dict[str, Waiting] = {}
        counts = Counter[str]()
        for one in place.waiting:
            if one.expected == place.expected:
                firsts.setdefault(one.share, one)
                counts[one.share] += 0 if one.paused else one.count
        mine = firsts.pop(place.share)
        own, order = place.ahead, self._order(place.expected, mine)
        earlier = [
            min(counts[share], own + (self._order(place.expected, first) < order))
            for share, first in firsts.items()
        ]
        eligible = self._providers.eligible(place.provider, place.model)
        hanging = all(self._running.hangs(one.name) for one in eligible)
        return Prospect(own + sum(earlier), mine.paused, hanging)

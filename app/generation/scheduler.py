"""Which of what waits goes to which provider that is free."""

from __future__ import annotations

from app.database import Library
from app.database.queue import Waiting
from app.models import Generation
from app.providers.registry import Providers


class Scheduler:
    """Counts what runs at each provider, and gives the next generation to the least busy."""

    def __init__(self, library: Library, providers: Providers) -> None:
        self._library = library
        self._providers = providers
        self._busy: dict[str, int] = {}

    def begin(self, provider: str) -> None:
        self._busy[provider] = self._busy.get(provider, 0) + 1

    def end(self, provider: str) -> None:
        self._busy[provider] -= 1

    async def next(self, now: float) -> Generation | None:
        """Claim the oldest generation that a provider may take; None if nothing can begin now.

        One whose provider is gone is claimed as well, to fail at once. Raises `StorageFailed`
        where the queue cannot be read.
        """
        while waiting := await self._library.queue.waiting():
            if any(not one.provider for one in waiting):
                await self._providers.look()
            chosen = self._choose(waiting)
            if chosen is None:
                return None
            one, name = chosen
            claimed = await self._library.generations.claim(name, now, one.id)
            if claimed:  # it may have been cancelled in between
                return claimed
        return None

    def _choose(self, waiting: tuple[Waiting, ...]) -> tuple[Waiting, str] | None:
        """Choose what begins next and its provider, '' where that one is gone.

        Among several the one with the smallest part of its places taken, then the first in order.
        """
        for one in waiting:
            eligible = self._providers.eligible(one.provider, one.model)
            if not eligible:
                return one, ''
            loads = [
                (self._busy.get(provider.name, 0) / provider.settings.at_once, place, provider.name)
                for place, provider in enumerate(eligible)
            ]
            load, _, name = min(loads)
            if load < 1:
                return one, name
        return None

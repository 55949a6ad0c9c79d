"""Whose turn it is: which of what waits goes to which provider that is free."""

from __future__ import annotations

from dataclasses import dataclass

from app.database import Library
from app.database.queue import Waiting
from app.models import Generation
from app.providers.monitor import MonitoredProvider
from app.providers.registry import Providers


@dataclass(frozen=True, slots=True)
class Turn:
    """A generation that was claimed.

    Attributes:
        is_lost: The provider that was asked for is gone: nobody will draw it.
    """

    claimed: Generation
    is_lost: bool


class Scheduler:
    """Counts what each provider has under way, and gives the next generation to the least busy."""

    def __init__(self, library: Library, providers: Providers) -> None:
        self._library = library
        self._providers = providers
        self._busy: dict[str, int] = {}

    def begin(self, name: str) -> None:
        """Take a place of this provider."""
        self._busy[name] = self._busy.get(name, 0) + 1

    def end(self, name: str) -> None:
        """Give the place back."""
        self._busy[name] -= 1

    async def next(self, now: float) -> Turn | None:
        """Claim the oldest generation that somebody may take; None if nothing can begin now.

        Raises:
            StorageFailed: The queue can't be read.
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
                return Turn(claimed, is_lost=not name)
        return None

    def _choose(self, waiting: tuple[Waiting, ...]) -> tuple[Waiting, str] | None:
        """Choose what begins next and who draws it; the name is empty where that one is gone."""
        for one in waiting:
            eligible = self._providers.eligible(one.provider, one.model)
            if not eligible:
                return one, ''
            name = self._least_busy(eligible)
            if name:
                return one, name
        return None

    def _least_busy(self, eligible: tuple[MonitoredProvider, ...]) -> str:
        """Name the one with the smallest part of its places taken; empty where none is free."""
        shares = [
            (self._busy.get(one.name, 0) / one.settings.at_once, place, one.name)
            for place, one in enumerate(eligible)
        ]
        share, _, name = min(shares)
        return name if share < 1 else ''

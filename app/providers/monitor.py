"""A provider, and what it last said of itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from app.providers.core.base import Listing, Provider, ProviderSettings
from app.providers.discovery.finding import Finding

LISTING_FRESH_S = 15.0
NOT_ASKED = Listing(answered=False, reason='not asked yet')


class MonitoredProvider:
    """Keeps a provider's list of models, and asks anew when it is old.

    Attributes:
        finding: What the last test found; None if there was none.
        drawn: The generation that the last test began; None if it began none.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.finding: Finding | None = None
        self.drawn: int | None = None
        self._listing = NOT_ASKED
        self._listed_at = float('-inf')
        self._asking: asyncio.Task[Listing] | None = None

    @property
    def settings(self) -> ProviderSettings:
        """What is known of it beforehand."""
        return self.provider.settings

    @property
    def name(self) -> str:
        """What it is called everywhere."""
        return self.provider.settings.name

    @property
    def listing(self) -> Listing:
        """What it last said, at once; asks again behind it when that is old, unless it is off."""
        if self.settings.enabled and time.monotonic() - self._listed_at > LISTING_FRESH_S:
            self._ask()
        return self._listing

    @property
    def was_asked(self) -> bool:
        """Whether anything is known of it."""
        return self._listing is not NOT_ASKED

    def offers(self, model: str) -> bool:
        """Whether it lists a model, or asks for that one by itself."""
        return model == self.settings.model or model in self.listing.models

    def saw(self, *, answered: bool) -> None:
        """Take note of what a generation has just met, and ask again if it is news."""
        if answered != self._listing.answered:
            self._listing = replace(self._listing, answered=answered, refused=False)
            self._ask()

    async def ask_again(self) -> Listing:
        """Ask what it offers, and wait for it."""
        return await asyncio.shield(self._ask())

    async def close(self) -> None:
        """Stop asking."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _ask(self) -> asyncio.Task[Listing]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._list(), name='list models')
        return self._asking

    async def _list(self) -> Listing:
        self._listing = await self.provider.list_models()
        self._listed_at = time.monotonic()
        return self._listing

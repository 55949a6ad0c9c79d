"""Whoever draws: each provider speaks one dialect to one address."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from urllib.parse import urlsplit

from app.config import Config
from app.errors import N_, InvalidRequest
from app.log import logger
from app.models import DEMO
from app.outbound import Outbound
from app.providers.api import ApiProvider
from app.providers.base import Listing, Provider, ProviderSettings
from app.providers.inside import AsgiApp, InsideTransport
from app.providers.memory import Memory

log = logger(__name__)

DEMO_URL = 'http://demo.easel.invalid/v1'
DEMO_MODEL = 'sketch'
DEFAULT_NAME = 'g4f'
LISTING_FRESH_S = 15.0


class Providers:
    """The configured provider, and the demo that stands in for an address that nobody set."""

    def __init__(self, config: Config, outbound: Outbound, memory: Memory) -> None:
        self._stand_in_allowed = not config.api_url_was_set
        settings = ProviderSettings(
            name=_name_of(config),
            base_url=config.api_url,
            model=config.api_model,
            timeout_s=config.timeout_s,
            key=config.api_key,
        )
        self._inside = Outbound(transport=InsideTransport(_demo))
        demo = ProviderSettings(
            name=DEMO, base_url=DEMO_URL, model=DEMO_MODEL, timeout_s=config.timeout_s, at_once=2
        )
        self.memory = memory
        self.first: Provider = ApiProvider(settings, outbound, memory)
        self.demo: Provider = ApiProvider(demo, self._inside, memory)
        self._listing = Listing(answered=False, reason='not asked yet')
        self._listed_at = float('-inf')
        self._asking: asyncio.Task[Listing] | None = None

    def named(self, name: str) -> Provider:
        """Give the provider of a name; empty is the first.

        Raises:
            InvalidRequest: There is none of that name.
        """
        if name == DEMO:
            return self.demo
        if name in ('', self.first.settings.name):
            return self.first
        wrong = InvalidRequest(N_('There is no provider {name}.'), name=name[:80])
        raise InvalidRequest(N_('Some of this can not be used yet.'), fields={'provider': wrong})

    def serving(self, name: str) -> Provider:
        """Give the provider for a generation that was queued earlier.

        It may name one that the config no longer has; the first takes its place.
        """
        return self.demo if name == DEMO else self.first

    async def drawing(self, name: str) -> Provider:
        """Give the provider that draws now: the demo where a nobody-set address refuses."""
        provider = self.serving(name)
        if provider is self.first and self._stand_in_allowed:
            listing = await self.ask_again()
            if listing.refused:
                return self.demo
        return provider

    @property
    def listing(self) -> Listing:
        """What the first provider last said, at once; asks again behind it when that is old."""
        if time.monotonic() - self._listed_at > LISTING_FRESH_S:
            self._ask()
        return self._listing

    @property
    def demo_stands_in(self) -> bool:
        """Whether the demo draws for an address that nobody set and where nothing listens."""
        return self._stand_in_allowed and self.listing.refused

    def saw(self, provider: Provider, *, answered: bool) -> None:
        """Take note of what a generation has just met, and ask again if it is news."""
        if provider is self.first and answered != self._listing.answered:
            self._listing = replace(self._listing, answered=answered, refused=False)
            self._ask()

    async def ask_again(self) -> Listing:
        """Ask the first provider what it offers, and wait for it."""
        return await asyncio.shield(self._ask())

    async def close(self) -> None:
        """Stop asking, and let go of the demo."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._inside.close()

    def _ask(self) -> asyncio.Task[Listing]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._list(), name='list models')
        return self._asking

    async def _list(self) -> Listing:
        self._listing = await self.first.list_models()
        self._listed_at = time.monotonic()
        return self._listing


def _demo() -> AsgiApp:
    from app.providers.demo.server import create_demo

    return create_demo()


def _name_of(config: Config) -> str:
    if not config.api_url_was_set:
        return DEFAULT_NAME
    return urlsplit(config.api_url).netloc.rpartition('@')[2]

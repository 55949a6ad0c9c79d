"""A provider, and what its list of models showed last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from app.errors import Reason
from app.net.port_check import is_refused
from app.providers.core.base import Provider, ProviderSettings, ProviderState, ProviderStatus

STATUS_FRESH_S = 15.0
AFTER_PAGE_S = 0.1  # asking loads modules, and the page that wants the status comes first
NOT_ASKED = ProviderStatus(state=ProviderState.NOTHING, reason='not checked yet')


class MonitoredProvider:
    """A provider with its status, which is asked for anew when it is old."""

    def __init__(
        self,
        settings: ProviderSettings,
        make: Callable[[], Provider],
        refusal: Reason | None = None,  # what a port that nobody listens at is called; None: ask
    ) -> None:
        self.settings = settings
        self._refusal = refusal
        self._make = make
        self.test_status: ProviderStatus | None = None  # of the last test; None: there was none
        self.test_generation_id: int | None = None  # that the last test began, if it began one
        self._status = NOT_ASKED
        self._asked_at = float('-inf')
        self._asking: asyncio.Task[ProviderStatus] | None = None

    @cached_property
    def provider(self) -> Provider:
        return self._make()

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def status(self) -> ProviderStatus:
        """The last one, at once; an old one is renewed in the background, unless turned off."""
        if self.settings.enabled and time.monotonic() - self._asked_at > STATUS_FRESH_S:
            self._ask(AFTER_PAGE_S)
        return self._status

    @property
    def default_model(self) -> str:
        """The model of its settings, empty where it is known to list others only."""
        return '' if self._status.lacks_default else self.settings.model

    @property
    def was_asked(self) -> bool:
        return self._status is not NOT_ASKED

    def offers(self, model: str) -> bool:
        """Whether it lists a model, or asks for that one by itself."""
        return model == self.settings.model or model in self.status.models

    def saw(self, *, answered: bool) -> None:
        """Take over what a generation has just met, and ask again if it is news."""
        if answered != self._status.answered:
            known = ProviderState.NO_LIST if self._status.reason else ProviderState.LIST
            state = known if answered else ProviderState.NOTHING
            self._status = replace(self._status, state=state)
            self._ask()

    async def ask_again(self) -> ProviderStatus:
        return await asyncio.shield(self._ask())

    async def test(self) -> None:
        """Ask for the list of models, then at the other usual places where it holds none."""
        from app.providers.discovery.connection_test import add_key_state, check_connection
        from app.providers.transport.client import own_headers

        status = await self.ask_again()
        base_url, secrets = self.settings.base_url, own_headers(self.settings)
        if status.models and not status.better_url:
            status = await add_key_state(status, base_url, secrets)
        elif status.answered:
            status = await check_connection(base_url, secrets)
        self.test_status = status

    async def close(self) -> None:
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _ask(self, after_s: float = 0.0) -> asyncio.Task[ProviderStatus]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._list(after_s), name='list models')
        return self._asking

    async def _list(self, after_s: float) -> ProviderStatus:
        await asyncio.sleep(after_s)
        try:
            self._status = await self._refused() or await self.provider.list_models()
        finally:
            self._asked_at = time.monotonic()
        return self._status

    async def _refused(self) -> ProviderStatus | None:
        """Look whether nothing listens at its port, as long as the HTTP client is not loaded."""
        is_loaded = 'provider' in self.__dict__
        if not self._refusal or is_loaded or not await is_refused(self.settings.base_url):
            return None
        return ProviderStatus(state=ProviderState.NOTHING, reason=self._refusal)

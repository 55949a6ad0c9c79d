"""The configured providers: the environment's, those of Settings, and the demo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.config import Config
from app.demo.request import MODELS as DEMO_MODELS
from app.demo.request import SKETCH
from app.errors import N_, ErrorKind, Failure, InvalidRequest, ProviderError, Reason
from app.log import logger
from app.models import DEMO
from app.providers.core.base import Provider, ProviderSettings
from app.providers.core.capabilities import CapabilityStore
from app.providers.monitor import MonitoredProvider

if TYPE_CHECKING:
    from app.net.client import HttpClient

log = logger(__name__)

DEMO_URL = 'http://demo.easel.invalid/v1'
DEFAULT_NAME = 'g4f'


def environment_settings(config: Config) -> ProviderSettings:
    """Return the provider that the operator set, or the default one."""
    return ProviderSettings(
        name=urlsplit(config.api_url).netloc if config.api_url_was_set else DEFAULT_NAME,
        base_url=config.api_url,
        model=config.api_model,
        timeout_s=config.timeout_s,
        key=config.api_key,
    )


def _make_provider(
    settings: ProviderSettings, http_client: HttpClient, memory: CapabilityStore
) -> Provider:
    from app.providers.provider import ApiProvider  # a tenth of the start, which asks nobody

    return ApiProvider(settings, http_client, memory)


class Providers:
    """All that can be asked for pictures.

    An address that nobody set is only a default. It steps aside, and the demo with it, as soon as
    a provider was added in Settings: a prompt never goes to a server that nobody chose.
    """

    def __init__(
        self,
        config: Config,
        open_client: Callable[[], HttpClient],
        memory: CapabilityStore,
        make: Callable[[ProviderSettings, HttpClient, CapabilityStore], Provider] = _make_provider,
        refusal: Reason | None = None,  # as a `MonitoredProvider` takes it
    ) -> None:
        self.memory = memory
        self._open_client = open_client
        self._own_ports: set[int] = set()
        self._make = make
        self._refusal = refusal
        self._nobody_set = not config.api_url_was_set
        self.environment = self._monitored(environment_settings(config))
        demo = ProviderSettings(
            name=DEMO, base_url=DEMO_URL, model=SKETCH, timeout_s=config.timeout_s, at_once=2
        )
        self.demo = MonitoredProvider(demo, lambda: self._make_demo(demo))
        self._inside: HttpClient | None = None
        self._added: tuple[MonitoredProvider, ...] = ()
        self._replaced: list[MonitoredProvider] = []  # somebody may still wait for their answer

    @cached_property
    def _http_client(self) -> HttpClient:
        client = self._open_client()
        for port in self._own_ports:
            client.never_call(port)
        return client

    def never_call(self, port: int) -> None:
        """Refuse a port of this machine, before any call: this server itself listens there."""
        self._own_ports.add(port)

    def _monitored(self, settings: ProviderSettings) -> MonitoredProvider:
        return MonitoredProvider(
            settings, lambda: self._make(settings, self._http_client, self.memory), self._refusal
        )

    def _make_demo(self, settings: ProviderSettings) -> Provider:
        from app.demo.server import create_demo
        from app.net.client import HttpClient
        from app.providers.transport.asgi import AsgiTransport

        self._inside = HttpClient(transport=AsgiTransport(create_demo))
        return _make_provider(settings, self._inside, self.memory)

    def configure(self, settings: Iterable[ProviderSettings]) -> None:
        """Use what Settings says now; a generation that runs keeps the provider it has."""
        before = {one.settings: one for one in self._added}
        self._added = tuple(
            before.pop(one) if one in before else self._monitored(one) for one in settings
        )
        self._replaced += before.values()

    @property
    def guess_stands(self) -> bool:
        """Whether the default address is used, which nobody set."""
        return self._nobody_set and not self._added

    def all(self) -> tuple[MonitoredProvider, ...]:
        """Return every provider in its order, the environment's first."""
        steps_aside = self._nobody_set and self._added
        return self._added if steps_aside else (self.environment, *self._added)

    def enabled(self) -> tuple[MonitoredProvider, ...]:
        return tuple(one for one in self.all() if one.settings.enabled)

    def eligible(self, name: str, model: str | None) -> tuple[MonitoredProvider, ...]:
        """Return those that may draw for a provider name and a model, either of them open.

        In their order; empty where the provider that is named is gone or turned off. Those that
        may draw and have the model come alone; where none does, the first that may draw takes it,
        else the first of all, so that its refusal says why.
        """
        if name:
            return tuple(one for one in (*self.enabled(), self.demo) if one.name == name)
        enabled = self.enabled()
        wanted = model or (enabled[0].settings.model if enabled else '')
        fit = [
            one
            for one in enabled
            if (one.offers(wanted) if model else one.settings.model == wanted)
        ]
        if len(fit) == 1:
            return tuple(fit)
        ready = tuple(one for one in fit or enabled if one.status.may_draw)
        return (ready or tuple(fit)) if fit else (ready or enabled)[:1]

    def expected(self, name: str, model: str | None) -> str:
        """Return the name of the one that will draw, as far as is known.

        Raises `InvalidRequest`: there is none of that name, or each is turned off.
        """
        eligible = self.eligible(name, model)
        if eligible:
            return eligible[0].name
        if not name:
            wrong = InvalidRequest(N_('All servers are turned off. Turn one on in Settings.'))
        elif any(one.name == name for one in self.all()):
            wrong = InvalidRequest(N_('{name} is turned off in Settings.'), name=name[:80])
        else:
            wrong = InvalidRequest(N_('Server {name} not found.'), name=name[:80])
        raise InvalidRequest(N_('Check the marked fields.'), fields={'provider': wrong})

    async def drawing(self, name: str) -> Provider:
        """Return the provider that draws now: the demo where an address that nobody set refuses.

        Raises `ProviderError` where it is gone, or was turned off meanwhile.
        """
        eligible = self.eligible(name, None)
        if not eligible:
            reason = Reason.REMOVED_OR_TURNED_OFF_IN_SETTINGS
            raise ProviderError(Failure(kind=ErrorKind.UNREACHABLE, where=name, reason=reason))
        if eligible[0] is self.environment and self.guess_stands:
            status = await self.environment.ask_again()
            if status.refused:
                return self.demo.provider
        return eligible[0].provider

    def model_of(self, name: str) -> str | None:
        known = (one.default_model for one in (*self.all(), self.demo) if one.name == name)
        return next(known, '') or None

    def ignores_masks(self, name: str, model: str | None) -> bool:
        """Whether a provider's model, None: its default, seems to ignore masks."""
        known = (one.settings for one in (*self.all(), self.demo) if one.name == name)
        settings = next(known, None)
        if settings is None:
            return False
        return self.memory.ignores_masks(settings.base_url, model or settings.model)

    def listed_models(self) -> dict[str, tuple[str, ...]]:
        """Return what may be chosen now, by the name of its provider."""
        if self.demo_stands_in:
            return {DEMO: DEMO_MODELS}
        return {one.name: one.status.models for one in self.enabled()}

    @property
    def demo_stands_in(self) -> bool:
        """Whether the demo draws for an address that nobody set and where nothing listens."""
        return self.guess_stands and self.environment.status.refused

    def saw(self, provider: Provider, *, answered: bool) -> None:
        for one in self.all():
            if one.provider is provider:
                one.saw(answered=answered)

    async def look(self) -> None:
        """Wait until each has been asked once what it offers, where there is a choice."""
        enabled = self.enabled()
        unknown = [one for one in enabled if not one.was_asked] if len(enabled) > 1 else []
        await asyncio.gather(*(one.ask_again() for one in unknown))

    async def close(self) -> None:
        for one in (self.environment, *self._added, *self._replaced, self.demo):
            await one.close()
        # Not by the property: that would open a client at the end where none was needed.
        opened: HttpClient | None = self.__dict__.get('_http_client')
        for client in (opened, self._inside):
            if client:
                await client.close()

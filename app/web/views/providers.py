"""Providers, and servers that could be, as pages and programs are shown them: without secrets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from app.errors import Reason
from app.net.urls import origin_of, outside_of, same_server, without_secrets
from app.providers.core.base import (
    ANYBODY,
    Dialect,
    KeyState,
    ProviderSettings,
    ProviderState,
    ProviderStatus,
)
from app.providers.monitor import MonitoredProvider
from app.providers.registry import Providers
from app.web.context import Services

PAGE = '/settings/providers'
ENVIRONMENT, DEFAULT, SETTINGS = 'environment', 'default', 'settings'
NO_API = ('HTTP 404', 'HTTP 405', Reason.NO_LIST_OF_MODELS)
MARKS = {ProviderState.NOTHING: 'down', ProviderState.LIST: 'up'}  # colours of a dot; else `odd`
SHOWN_SETTINGS = (
    'dialect',
    *('model', 'at_once', 'timeout_s', 'tops_up', 'waits', 'previews'),
    *('mask_inverted', 'enabled'),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderView:
    """One provider with its status."""

    settings: ProviderSettings  # without its key and headers
    key: str  # what its addresses end in
    source: str  # `environment`, `settings`, or `default`: an address that nobody set
    has_key: bool
    headers: tuple[str, ...]  # their names alone
    address: str  # without what may be secret in a query
    outside: str  # where it may be meant to be, if it is a container's own `localhost`; or empty
    status: ProviderStatus
    mark: str
    test_status: ProviderStatus | None
    test_mark: str
    test_generation_id: int | None
    learned: dict[str, dict[str, object]]  # by model; empty is the name for all of them

    @property
    def is_fixed(self) -> bool:
        """Whether it cannot be changed in Settings."""
        return self.source != SETTINGS

    @property
    def outside_url(self) -> str:
        """The whole address of `outside`, or empty."""
        parts = urlsplit(self.settings.base_url)
        return urlunsplit(parts._replace(netloc=self.outside)) if self.outside else ''

    @property
    def better_url(self) -> str:
        """Where the test found the server to be, if that can be changed; or empty."""
        if self.is_fixed or not self.test_status:
            return ''
        is_elsewhere = self.test_status.state is ProviderState.ELSEWHERE
        return self.test_status.better_url if is_elsewhere else self.outside_url

    @property
    def may_draw(self) -> bool:
        """Whether a test picture can be asked for."""
        is_dead = self.test_status and self.test_status.state is ProviderState.NOTHING
        return self.settings.enabled and not is_dead


@dataclass(frozen=True, slots=True)
class ProviderSummary:
    """The providers as the top of a page shows them."""

    name: str  # of the only one, or of all
    where: str  # its address without scheme and path; of several, their names
    is_demo: bool
    trouble: str  # what makes it look like no images API although it answers, or empty
    count: int  # so many may draw
    up: int  # so many of them answer
    is_known: bool  # whether any was asked yet, where there is one

    @property
    def answered(self) -> bool:
        return self.is_demo or self.up > 0

    @property
    def needs_note(self) -> bool:
        """Whether the Create page says what to do about it."""
        return self.is_known and (self.is_demo or bool(self.trouble) or not self.answered)

    @property
    def mark(self) -> str:
        if not self.is_known:
            return 'off'
        if self.is_demo or not self.up:
            return 'demo' if self.is_demo else 'down'
        return 'odd' if self.trouble or self.up < self.count else 'up'


def key_of(settings: ProviderSettings) -> str:
    """Return what a provider's addresses end in: its row's id, or `environment`."""
    return str(settings.id or ENVIRONMENT)


def server_pages(providers: Providers) -> dict[str, str]:
    """Return the address of each provider's own page in Settings, by name."""
    return {one.name: f'{PAGE}/{key_of(one.settings)}' for one in providers.all()}


def provider_summary(providers: Providers) -> ProviderSummary:
    enabled = providers.enabled()
    names = ', '.join(one.name for one in enabled)
    only = enabled[0] if len(enabled) == 1 else None
    reason = only.status.reason if only else ''
    return ProviderSummary(
        name=providers.demo.name if providers.demo_stands_in else names,
        where=str(origin_of(only.settings.base_url)) if only else names,
        is_demo=providers.demo_stands_in,
        trouble=reason if reason in NO_API else '',
        count=len(enabled),
        up=sum(one.status.answered for one in enabled),
        is_known=not enabled or any(one.was_asked for one in enabled),
    )


def provider_views(providers: Providers) -> tuple[ProviderView, ...]:
    return tuple(provider_view(one, providers) for one in providers.all())


def provider_view(monitored: MonitoredProvider, providers: Providers) -> ProviderView:
    settings, status, test_status = monitored.settings, monitored.status, monitored.test_status
    source = DEFAULT if providers.guess_stands else ENVIRONMENT
    refused_inside = status.reason == Reason.CONNECTION_REFUSED_INSIDE
    return ProviderView(
        settings=replace(settings, key=None, headers=()),
        key=key_of(settings),
        source=SETTINGS if settings.id else source,
        has_key=bool(settings.key),
        headers=tuple(name for name, _ in settings.headers),
        address=without_secrets(settings.base_url),
        outside=outside_of(settings.base_url) if refused_inside else '',
        status=status,
        mark=MARKS.get(status.state, 'odd') if settings.enabled else 'off',
        test_status=test_status,
        test_mark=MARKS.get(test_status.state, 'odd') if test_status else '',
        test_generation_id=monitored.test_generation_id,
        learned=providers.memory.known_of(settings.base_url),
    )


def provider_json(view: ProviderView) -> dict[str, object]:
    """Return a provider as public JSON; of what is secret only that it is set."""
    return {
        'id': view.settings.id or ENVIRONMENT,
        'source': view.source,
        'name': view.settings.name,
        'base_url': view.address,
        **{name: getattr(view.settings, name) for name in SHOWN_SETTINGS},
        'learned': view.learned,
        'key': view.has_key,
        'headers': dict.fromkeys(view.headers, True),
        'state': _status_json(view.status),
        'models': list(view.status.models),
        'test': _status_json(view.test_status) if view.test_status else None,
        'test_generation_id': view.test_generation_id,
    }


def _status_json(status: ProviderStatus) -> dict[str, object]:
    return {
        'found': status.state,
        'models': len(status.models),
        'drawing': status.drawing,
        'reason': status.reason,
        'key_counts': status.key is KeyState.ACCEPTED,
        'address': status.better_url if status.state is ProviderState.ELSEWHERE else '',
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A found server as it would be added."""

    server: str
    base_url: str
    dialect: Dialect  # `auto` where the server speaks OpenAI's API
    models: tuple[str, ...]
    name: str
    model: str  # what to ask for by default; empty: the server chooses
    usable: bool
    hint: str  # a marked sentence on what it needs first, or why it is of no use; or empty
    in_use: bool

    @property
    def where(self) -> str:
        return str(origin_of(self.base_url))

    @property
    def can_be_added(self) -> bool:
        return self.usable and not self.in_use

    @property
    def mark(self) -> str:
        """The colour of its dot."""
        return 'up' if self.usable else 'off'


def offers_of(services: Services) -> tuple[Offer, ...]:
    """List what the last search found; an address the demo stands in for is not in use."""
    seen, providers = services.local_servers.seen, services.providers
    configured = () if providers.demo_stands_in else providers.all()
    addresses = [one.settings.base_url for one in configured]
    taken = {ANYBODY, *(one.name for one in providers.all() if not providers.guess_stands)}
    usual_model = services.config.api_model
    return tuple(
        Offer(
            server=one.server,
            base_url=one.base_url,
            dialect=Dialect.AUTO if one.dialect is Dialect.OPENAI else one.dialect,
            models=one.models,
            name=str(origin_of(one.base_url)) if one.server in taken else one.server,
            model=usual_model if one.model and usual_model in one.models else one.model,
            usable=one.usable,
            hint=one.hint,
            in_use=any(same_server(one.base_url, address) for address in addresses),
        )
        for one in (seen.found if seen else ())
    )


def offers_json(services: Services) -> dict[str, object]:
    """Return the last search as public JSON; `looked_at` is null before the first."""
    seen = services.local_servers.seen
    found = [asdict(offer) for offer in offers_of(services)]
    return {'found': found, 'looked_at': seen.at if seen else None}

"""A provider as pages and programs are shown it: nothing secret is in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from app.errors import Reason
from app.net.urls import outside_of, without_secrets
from app.providers.core.base import Dialect, Listing
from app.providers.core.capabilities import Learned, Memory
from app.providers.discovery.finding import Finding, Found, finding_of
from app.providers.monitor import MonitoredProvider
from app.providers.registry import Providers

ENVIRONMENT = 'environment'
DEFAULT = 'default'
SETTINGS = 'settings'


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One provider, and how it stands.

    Attributes:
        key: What its addresses end in: its row's id, or `environment`.
        source: `environment`, `settings`, or `default`: an address that nobody set.
        headers: Names alone.
        state: What its list of models tells now.
        finding: What the last test found.
        drawn: The generation that the last test began.
        learned: What was learned of it, by model; empty is the name for all of them.
    """

    key: str
    source: str
    name: str
    base_url: str
    dialect: Dialect
    model: str
    at_once: int
    timeout_s: float
    tops_up: bool
    waits: bool
    previews: bool
    enabled: bool
    has_key: bool
    headers: tuple[str, ...]
    listing: Listing
    state: Finding
    finding: Finding | None
    drawn: int | None
    learned: dict[str, dict[str, object]]

    @property
    def address(self) -> str:
        """Where it is, without what may be secret in a query."""
        return without_secrets(self.base_url)

    @property
    def outside(self) -> str:
        """Where it may be meant to be, if it is a container's own `localhost`; or empty."""
        return (
            outside_of(self.base_url)
            if self.state.reason == Reason.CONNECTION_REFUSED_INSIDE
            else ''
        )

    @property
    def is_fixed(self) -> bool:
        """Whether it can't be changed here."""
        return self.source != SETTINGS

    @property
    def mark(self) -> str:
        """What its dot shows."""
        if not self.enabled:
            return 'off'
        if self.state.found is Found.NOTHING:
            return 'down'
        return 'up' if self.state.found is Found.LIST else 'odd'


def standings(providers: Providers) -> tuple[Standing, ...]:
    """Say how every provider stands, in their order."""
    return tuple(standing_of(watched, providers) for watched in providers.all())


def standing_of(watched: MonitoredProvider, providers: Providers) -> Standing:
    """Say how one provider stands."""
    settings, listing = watched.settings, watched.listing
    source = DEFAULT if providers.guess_stands else ENVIRONMENT
    return Standing(
        key=str(settings.id or ENVIRONMENT),
        source=SETTINGS if settings.id else source,
        name=settings.name,
        base_url=settings.base_url,
        dialect=settings.dialect,
        model=settings.model,
        at_once=settings.at_once,
        timeout_s=settings.timeout_s,
        tops_up=settings.tops_up,
        waits=settings.waits,
        previews=settings.previews,
        enabled=settings.enabled,
        has_key=bool(settings.key),
        headers=tuple(name for name, _ in settings.headers),
        listing=listing,
        state=finding_of(listing),
        finding=watched.finding,
        drawn=watched.drawn,
        learned=_learned(providers.memory, settings.base_url),
    )


def standing_json(standing: Standing) -> dict[str, object]:
    """Lay a provider out for programs; of what is secret only that it is set."""
    shown = {
        field.name: getattr(standing, field.name)
        for field in fields(standing)
        if field.name not in ('key', 'has_key', 'headers', 'listing', 'state', 'finding', 'drawn')
    }
    return {
        'id': int(standing.key) if standing.key.isdigit() else standing.key,
        **shown,
        'base_url': without_secrets(standing.base_url),
        'key': standing.has_key,
        'headers': dict.fromkeys(standing.headers, True),
        'state': asdict(standing.state),
        'models': list(standing.listing.models),
        'test': asdict(standing.finding) if standing.finding else None,
        'test_generation_id': standing.drawn,
    }


def _learned(memory: Memory, base_url: str) -> dict[str, dict[str, object]]:
    known = memory.known_of(base_url)
    return {model: _facts(learned) for model, learned in known.items() if not learned.nothing}


def _facts(learned: Learned) -> dict[str, object]:
    return {name: value for name, value in asdict(learned).items() if value}

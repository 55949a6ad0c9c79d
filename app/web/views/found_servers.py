"""The image servers that were found, each with what it takes to add it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from app.net.urls import origin_of, same_server
from app.providers.core.base import ANYBODY, Dialect
from app.web.context import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A found server as it would be added.

    Attributes:
        dialect: `auto` where the server speaks OpenAI's API.
        name: Its name as a provider.
        model: What to ask for by default; empty: the server chooses.
        hint: A marked sentence on what it needs first, or why it is of no use; or empty.
        in_use: Whether it is configured.
    """

    server: str
    base_url: str
    dialect: Dialect
    models: tuple[str, ...]
    name: str
    model: str
    usable: bool
    hint: str
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

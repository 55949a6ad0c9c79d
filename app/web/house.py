"""What the pages are given: each part once, made by `main`."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from app.addresses import origin_of
from app.changes import Changes
from app.config import Config
from app.images import Store
from app.library import Library
from app.outbound import Outbound
from app.previews import Previews
from app.providers import Providers
from app.web.render import Language, Renderer, language_of
from app.web.session import Sessions
from app.worker import Worker

NO_API = ('HTTP 404', 'HTTP 405', 'no list of models')


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """The provider as the top of a page shows it.

    Attributes:
        trouble: What makes it look like no images API although it answers, or empty.
    """

    name: str
    where: str
    answered: bool
    is_demo: bool
    trouble: str


@dataclass(frozen=True, slots=True)
class House:
    """The parts of one running Easel."""

    config: Config
    library: Library
    store: Store
    outbound: Outbound
    providers: Providers
    changes: Changes
    previews: Previews
    worker: Worker
    renderer: Renderer
    sessions: Sessions

    def language(self, request: Request) -> Language:
        """Give the reader's language."""
        return self.renderer.language(language_of(request))

    def provider_line(self) -> ProviderLine:
        """Say who draws now, as far as is known."""
        settings = self.providers.first.settings
        is_demo = self.providers.demo_stands_in
        listing = self.providers.listing
        return ProviderLine(
            name=self.providers.demo.settings.name if is_demo else settings.name,
            where=str(origin_of(settings.base_url)),
            answered=is_demo or listing.answered,
            is_demo=is_demo,
            trouble=listing.reason if listing.reason in NO_API else '',
        )


def house_of(request: Request) -> House:
    """Find the parts from within a page."""
    house: House = request.app.state.house
    return house

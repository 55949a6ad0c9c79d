"""The services that pages are given, made once by `main`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from app.access.guests import Guests
from app.access.sessions import Sessions
from app.access.sharing import SharingSettings
from app.access.visitors import HERE, Throttle
from app.config import Config
from app.database import Library
from app.generation.changes import Changes
from app.generation.previews import Previews
from app.generation.worker import Worker
from app.providers.discovery.local_servers import LocalServers
from app.providers.registry import Providers
from app.providers.settings import ProviderSettingsStore
from app.storage.store import Store
from app.web.base_path import BasePath
from app.web.templates import Language, Renderer, language_of

# How many passwords and links are tried in a minute, by one visitor and by everybody.
PASSWORDS_A_MINUTE, EVERYBODYS_PASSWORDS_A_MINUTE = PASSWORDS = 10, 100
LINKS_A_MINUTE, _ = LINKS = 120, 1_200


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one running Easel."""

    config: Config
    root: BasePath
    library: Library
    store: Store
    providers: Providers
    provider_settings: ProviderSettingsStore
    local_servers: LocalServers
    changes: Changes
    previews: Previews
    worker: Worker
    renderer: Renderer
    sessions: Sessions
    sharing: SharingSettings
    guests: Guests
    password_throttle: Throttle = field(default_factory=lambda: Throttle(*PASSWORDS, (HERE,)))
    link_throttle: Throttle = field(default_factory=lambda: Throttle(*LINKS, (HERE,)))

    def language(self, request: Request) -> Language:
        return self.renderer.language(language_of(request))


async def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(services_of)]

"""The services that pages are given, made once by `main`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import Depends
from starlette.requests import Request

from app.access.guests import Guests
from app.access.sessions import Sessions
from app.access.sharing import SharingSettings
from app.access.visitors import HERE, Throttle, Visitor
from app.config import Config
from app.database import Library
from app.editing.service import Editing
from app.gallery.acts import Acts
from app.gallery.albums import Albums
from app.gallery.trash import Trash
from app.generation.changes import Changes
from app.generation.previews import Previews
from app.generation.queue_acts import QueueActs
from app.generation.storage_monitor import StorageMonitor
from app.generation.worker import Worker
from app.maintenance.service import Maintenance
from app.providers.discovery.local_servers import LocalServers
from app.providers.registry import Providers
from app.providers.settings import ProviderSettingsStore
from app.recovery.service import Recovery
from app.storage.reader import SettingsReader
from app.storage.store import Store
from app.web.base_path import BasePath
from app.web.templates import Language, Renderer, language_of

# How often one visitor may try in a minute, with passwords also everybody together: links have 192
# bits of chance, and tokens at least 16 characters.
PASSWORDS_A_MINUTE, EVERYBODYS_PASSWORDS_A_MINUTE = PASSWORDS = 10, 100
LINKS_A_MINUTE = 120
TOKENS_A_MINUTE = 30


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one running Easel."""

    config: Config
    root: BasePath
    library: Library
    store: Store
    reader: SettingsReader
    editing: Editing
    providers: Providers
    provider_settings: ProviderSettingsStore
    local_servers: LocalServers
    changes: Changes
    previews: Previews
    worker: Worker
    queue: QueueActs
    storage_monitor: StorageMonitor
    renderer: Renderer
    sessions: Sessions
    sharing: SharingSettings
    guests: Guests
    acts: Acts
    trash: Trash
    albums: Albums
    maintenance: Maintenance
    recovery: Recovery
    password_throttle: Throttle = field(default_factory=lambda: Throttle(*PASSWORDS, (HERE,)))
    guess_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    link_throttle: Throttle = field(default_factory=lambda: Throttle(LINKS_A_MINUTE))
    closed_notices: set[str] = field(default_factory=set)
    picture_turns: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )
    token_throttle: Throttle = field(default_factory=lambda: Throttle(TOKENS_A_MINUTE))

    def picture_turn(self, visitor: Visitor) -> asyncio.Lock:
        """Return the turn of a visitor's uploads, of which one at a time is decoded.

        So that nobody with many connections holds others up.
        """
        return self.picture_turns.setdefault(visitor.reader_key, asyncio.Lock())

    def language(self, request: Request) -> Language:
        return self.renderer.language(language_of(request))


async def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(services_of)]

"""Builds each part once and hands them on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.guests import Guests
from app.access.sessions import Sessions, kept_secret
from app.access.sharing import SharingSettings
from app.access.signed_out import SignedOut
from app.config import CACHE, DATABASE, KEYS, SECRET, SIGNED_OUT, TOKEN, Config, child_environment
from app.database import Library
from app.editing.service import Editing
from app.errors import Notice, Reason
from app.gallery.acts import Acts
from app.gallery.albums import Albums
from app.gallery.trash import Trash
from app.generation.changes import Changes
from app.generation.keeper import PictureKeeper
from app.generation.outcome_writer import OutcomeWriter
from app.generation.previews import Previews
from app.generation.queue_acts import QueueActs
from app.generation.runner import GenerationRunner
from app.generation.storage_monitor import StorageMonitor
from app.generation.worker import Worker
from app.maintenance.service import Maintenance
from app.providers.core.capabilities import CapabilityStore
from app.providers.discovery.local_servers import LocalServers
from app.providers.registry import Providers
from app.providers.settings import Keys, ProviderSettingsStore
from app.recovery.service import Recovery
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.edit_orders import WORK_TIMEOUT_S
from app.storage.files import writing
from app.storage.reader import READ_TIMEOUT_S, SettingsReader
from app.storage.store import Store
from app.web.base_path import BasePath
from app.web.context import Services
from app.web.delivery.events import EventStream
from app.web.delivery.files import PictureFiles
from app.web.error_pages import ErrorPages
from app.web.security.guard import Guard
from app.web.security.permissions import seen_by, sight_of
from app.web.security.routes import REST, ROUTES, RouteRule
from app.web.security.thumbnails import Thumbnails
from app.web.static import Static
from app.web.templates import Renderer, assets
from app.web.views.notices import notices_of
from app.web.views.providers import provider_summary

if TYPE_CHECKING:
    from app.net.client import HttpClient


@asynccontextmanager
async def open_services(
    config: Config, servers: LocalServers | None = None, sharing: SharingSettings | None = None
) -> AsyncIterator[Services]:
    """Build every part, and close each at the end, the worker first. Raises `StorageFailed`."""
    async with AsyncExitStack() as closing:
        store, reader, editing, library = await _open_storage(config, lambda: services, closing)
        around, changes = servers or LocalServers(), Changes()
        providers, provider_settings = await _open_providers(config, library, around, closing)
        previews, monitor = Previews(store, changes), StorageMonitor(library, store, changes)
        worker = _worker(library, providers, store, changes, previews, monitor, editing, closing)
        maintenance, recovery = await _open_care(library, store, changes, closing)
        acts, trash, albums = await _open_gallery(library, store, changes, recovery, closing)
        guests, root = await Guests(library.guests).load(), BasePath(config.root_path)
        sharing = sharing or read_sharing(config)
        services = Services(
            config=config,
            root=root,
            library=library,
            store=store,
            reader=reader,
            editing=editing,
            providers=providers,
            provider_settings=provider_settings,
            local_servers=around,
            changes=changes,
            previews=previews,
            worker=worker,
            queue=QueueActs(library, providers, changes, worker.look_again),
            storage_monitor=monitor,
            renderer=_renderer(config, root, guests, providers, lambda: notices_of(services)),
            sessions=_sessions(config, sharing, guests),
            sharing=sharing,
            guests=guests,
            acts=acts,
            trash=trash,
            albums=albums,
            maintenance=maintenance,
            recovery=recovery,
        )
        yield services


async def _open_storage(
    config: Config, services: Callable[[], Services], closing: AsyncExitStack
) -> tuple[Store, SettingsReader, Editing, Library]:
    store = open_store(config)
    closing.push_async_callback(store.decoder.close)
    reader = SettingsReader(Decoder(child_environment(), READ_TIMEOUT_S))
    closing.push_async_callback(reader.close)
    library = await Library.open(config.data / DATABASE)
    closing.push_async_callback(library.close)
    decoder = Decoder(child_environment(), WORK_TIMEOUT_S)
    editing = Editing(library, store, decoder, lambda *one: seen_by(services(), *one))
    closing.push_async_callback(editing.close)
    return store, reader, editing, library


async def _open_care(
    library: Library, store: Store, changes: Changes, closing: AsyncExitStack
) -> tuple[Maintenance, Recovery]:
    """Open what looks after the data folder; what an earlier run left is found here."""
    maintenance = Maintenance.open(store.data, changes.announce_notices)
    recovery = Recovery(library, store, changes, maintenance.background)
    closing.push_async_callback(recovery.close)
    closing.push_async_callback(maintenance.close)
    await recovery.begin()
    return maintenance, recovery


async def _open_gallery(
    library: Library, store: Store, changes: Changes, recovery: Recovery, closing: AsyncExitStack
) -> tuple[Acts, Trash, Albums]:
    acts = Acts(library, store, changes, recovery.folder)
    trash = Trash(library, acts)
    albums = await Albums(library.albums).load()
    for part in (acts, trash, albums):
        closing.push_async_callback(part.close)
    return acts, trash, albums


async def _open_providers(
    config: Config, library: Library, local_servers: LocalServers, closing: AsyncExitStack
) -> tuple[Providers, ProviderSettingsStore]:
    def open_client() -> HttpClient:
        from app.net.client import HttpClient  # 25 ms that no start needs

        return HttpClient(config.image_origins, in_container=local_servers.in_container)

    memory = CapabilityStore(library.learned)
    await memory.load()
    inside = local_servers.in_container
    refusal = Reason.CONNECTION_REFUSED_INSIDE if inside else Reason.CONNECTION_REFUSED
    providers = Providers(config, open_client, memory, refusal=refusal)
    closing.push_async_callback(providers.close)
    closing.push_async_callback(local_servers.close)
    keys = Keys(config.data / KEYS)
    provider_settings = ProviderSettingsStore(library.providers, keys, providers)
    await provider_settings.load()
    return providers, provider_settings


def _worker(
    library: Library,
    providers: Providers,
    store: Store,
    changes: Changes,
    previews: Previews,
    monitor: StorageMonitor,
    editing: Editing,
    closing: AsyncExitStack,
) -> Worker:
    keeper = PictureKeeper(library, store, monitor, editing.protection)
    runner = GenerationRunner(
        library, providers, store, changes, previews, keeper, editing.sent_files
    )
    written = OutcomeWriter(library, store)
    worker = Worker(library, providers, runner, written, changes, monitor)
    closing.push_async_callback(worker.stop)
    return worker


def _renderer(
    config: Config,
    root: BasePath,
    guests: Guests,
    providers: Providers,
    notices: Callable[[], Sequence[Notice]],
) -> Renderer:
    static, folder = Static(assets('static')), config.data / CACHE
    summary = partial(provider_summary, providers)
    return Renderer(static, folder, root, guests.name_of, summary, notices)


def read_sharing(config: Config) -> SharingSettings:
    """Read how others sign in. Raises `StorageFailed`."""
    sharing_settings = SharingSettings(config)
    sharing_settings.load()
    return sharing_settings


def _sessions(config: Config, sharing_settings: SharingSettings, guests: Guests) -> Sessions:
    with writing():
        secret, token = kept_secret(config.data / SECRET), kept_secret(config.data / TOKEN)
    signed_out = SignedOut(config.data / SIGNED_OUT).load()
    tokens, root_path = (config.token, token), config.root_path
    return Sessions(sharing_settings, secret, tokens, guests.one, root_path, signed_out)


def open_store(config: Config) -> Store:
    """Make the folders for pictures, and their decoder. Raises `StorageFailed`."""
    store = Store(config.data, Decoder(child_environment()))
    store.prepare()
    return store


class Page:
    """A page's function as an app, loaded and analysed when it is first opened."""

    def __init__(self, rule: RouteRule) -> None:
        self._rule = rule

    @cached_property
    def _route(self) -> APIRoute:
        module, _, function = self._rule.handler.rpartition('.')
        page = getattr(import_module(f'app.web.pages.{module}'), function)
        return APIRoute(self._rule.path, partial(page))  # else FastAPI reads the source, 3 ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._route.app(scope, receive, send)


def create_app(services: Services) -> Guard:
    failures = ErrorPages(services.renderer)
    thumbnails = Thumbnails(
        lambda: services.library.database.pictures_version,
        lambda visitor: sight_of(visitor, services.albums),
    )
    pages = create_pages(services, failures, thumbnails)
    return Guard(pages, services, failures, thumbnails)


def create_pages(services: Services, failures: ErrorPages, thumbnails: Thumbnails) -> FastAPI:
    app = FastAPI(
        title='Easel', docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.services = services
    failures.install(app)
    files = PictureFiles(services, thumbnails)
    apps: dict[str, ASGIApp] = {
        'files': files,
        'thumbs': files,
        'static': services.renderer.static,
        'events': EventStream(services),
    }
    for rule in ROUTES:
        if '.' in rule.handler:
            app.router.routes.append(Route(rule.path, Page(rule), methods=[rule.method]))
        elif rule.path.endswith(REST):
            app.mount(rule.path.removesuffix(f'/{REST}'), apps[rule.handler])
        else:
            app.router.routes.append(Route(rule.path, apps[rule.handler]))
    return app

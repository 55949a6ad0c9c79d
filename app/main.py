"""Builds each part once and hands them on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.guests import Guests
from app.access.sessions import Sessions, kept_secret
from app.access.sharing import SharingSettings
from app.config import Config, child_environment
from app.database import Library
from app.generation.changes import Changes
from app.generation.outcome_writer import OutcomeWriter
from app.generation.previews import Previews
from app.generation.runner import GenerationRunner
from app.generation.worker import Worker
from app.providers.core.capabilities import CapabilityStore
from app.providers.discovery.local_servers import LocalServers
from app.providers.registry import Providers
from app.providers.settings import Keys, ProviderSettingsStore
from app.storage.decoder import Decoder
from app.storage.files import writing
from app.storage.store import Store
from app.web.base_path import BasePath
from app.web.context import Services
from app.web.delivery.events import EventStream
from app.web.delivery.files import PictureFiles
from app.web.error_pages import ErrorPages
from app.web.security.guard import Guard
from app.web.security.routes import REST, ROUTES, RouteRule
from app.web.static import Static
from app.web.templates import Renderer, assets
from app.web.views.providers import provider_summary

if TYPE_CHECKING:
    from app.net.client import HttpClient

DATABASE = 'easel.db'
SECRET = 'secret'  # noqa: S105 (the file's name)
KEYS = 'keys.json'
CACHE = 'cache'
TOKEN = 'token'  # noqa: S105 (the file's name)


@asynccontextmanager
async def open_services(
    config: Config, servers: LocalServers | None = None, sharing: SharingSettings | None = None
) -> AsyncIterator[Services]:
    """Build every part, and close each at the end, the worker first. Raises `StorageFailed`."""
    async with AsyncExitStack() as closing:
        store = open_store(config)
        closing.push_async_callback(store.decoder.close)
        library = await Library.open(config.data / DATABASE)
        closing.push_async_callback(library.close)
        local_servers = servers or LocalServers()
        providers, provider_settings = await _open_providers(config, library, local_servers)
        closing.push_async_callback(providers.close)
        closing.push_async_callback(local_servers.close)
        changes = Changes()
        previews = Previews(store, changes)
        runner = GenerationRunner(library, providers, store, changes, previews)
        worker = Worker(library, providers, runner, OutcomeWriter(library, store), changes)
        closing.push_async_callback(worker.stop)
        guests, root = await Guests(library.guests).load(), BasePath(config.root_path)
        sharing = sharing or read_sharing(config)
        yield Services(
            config=config,
            root=root,
            library=library,
            store=store,
            providers=providers,
            provider_settings=provider_settings,
            local_servers=local_servers,
            changes=changes,
            previews=previews,
            worker=worker,
            renderer=_renderer(config, root, guests, providers),
            sessions=_sessions(config, sharing, guests),
            sharing=sharing,
            guests=guests,
        )


async def _open_providers(
    config: Config, library: Library, local_servers: LocalServers
) -> tuple[Providers, ProviderSettingsStore]:
    def open_client() -> HttpClient:
        from app.net.client import HttpClient  # 25 ms that no start needs

        return HttpClient(config.image_origins, in_container=local_servers.in_container)

    memory = CapabilityStore(library.learned)
    await memory.load()
    providers = Providers(config, open_client, memory)
    keys = Keys(config.data / KEYS)
    provider_settings = ProviderSettingsStore(library.providers, keys, providers)
    await provider_settings.load()
    return providers, provider_settings


def _renderer(config: Config, root: BasePath, guests: Guests, providers: Providers) -> Renderer:
    static, folder = Static(assets('static')), config.data / CACHE
    return Renderer(static, folder, root, guests.name_of, lambda: provider_summary(providers))


def read_sharing(config: Config) -> SharingSettings:
    """Read how others sign in. Raises `StorageFailed`."""
    sharing_settings = SharingSettings(config)
    sharing_settings.load()
    return sharing_settings


def _sessions(config: Config, sharing_settings: SharingSettings, guests: Guests) -> Sessions:
    with writing():
        secret, token = kept_secret(config.data / SECRET), kept_secret(config.data / TOKEN)
    return Sessions(sharing_settings, secret, (config.token, token), guests.one, config.root_path)


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
        module, _, function = self._rule.handler.partition('.')
        page = getattr(import_module(f'app.web.pages.{module}'), function)
        return APIRoute(self._rule.path, page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._route.app(scope, receive, send)


def create_app(services: Services) -> ASGIApp:
    failures = ErrorPages(services.renderer)
    return Guard(create_pages(services, failures), services, failures)


def create_pages(services: Services, failures: ErrorPages) -> FastAPI:
    app = FastAPI(
        title='Easel', docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.services = services
    failures.install(app)
    files = PictureFiles(services)
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

"""Builds each part once and hands them on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp

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
from app.net.client import HttpClient
from app.providers.core.capabilities import Memory
from app.providers.discovery.local_servers import LocalServers
from app.providers.registry import Providers
from app.providers.secrets import Keys
from app.providers.settings import ProviderSettingsStore
from app.storage.decoder import Decoder
from app.storage.store import Store
from app.storage.temp_file import storage_failed
from app.web.base_path import BasePath
from app.web.context import Services
from app.web.delivery.events import EventStream
from app.web.delivery.files import PictureFiles
from app.web.error_pages import ErrorPages
from app.web.pages import create, gallery, generations, links, providers, settings, sharing, sign_in
from app.web.security.guard import Guard
from app.web.security.routes import REST, ROUTES
from app.web.static import Static
from app.web.templates import Renderer, assets
from app.web.views.providers import provider_summary

DATABASE = 'easel.db'
SECRET = 'secret'  # noqa: S105 (the file's name)
KEYS = 'keys.json'
CACHE = 'cache'
PAGES = {
    page.__name__.rpartition('.')[2]: page
    for page in (create, gallery, generations, links, providers, settings, sharing, sign_in)
}
TOKEN = 'token'  # noqa: S105 (the file's name)


@asynccontextmanager
async def open_services(
    config: Config,
    local_servers: LocalServers | None = None,
    sharing: SharingSettings | None = None,
) -> AsyncIterator[Services]:
    """Make every part, and let go of each at the end, the worker first.

    Raises:
        StorageFailed: The data folder can't be used.
    """
    store = open_store(config)
    local_servers = local_servers or LocalServers()
    http_client = HttpClient(config.image_origins, in_container=local_servers.in_container)
    library = await Library.open(config.data / DATABASE)
    providers, provider_settings = await _open_providers(config, library, http_client)
    changes = Changes()
    previews = Previews(store, changes)
    drawing = GenerationRunner(library, providers, store, changes, previews)
    worker = Worker(library, providers, drawing, OutcomeWriter(library, store), changes)
    guests = await Guests.open(library.guests)
    sharing = sharing or read_sharing(config)
    root = BasePath(config.root_path)
    async with _letting_go(worker, local_servers, providers, http_client, store, library):
        yield Services(
            config=config,
            root=root,
            library=library,
            store=store,
            http_client=http_client,
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


def _renderer(config: Config, root: BasePath, guests: Guests, providers: Providers) -> Renderer:
    return Renderer(
        Static(assets('static')),
        config.data / CACHE,
        root,
        guests.name_of,
        lambda: provider_summary(providers),
    )


@asynccontextmanager
async def _letting_go(
    worker: Worker,
    local_servers: LocalServers,
    providers: Providers,
    http_client: HttpClient,
    store: Store,
    library: Library,
) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await worker.stop()
        await local_servers.close()
        await providers.close()
        await http_client.close()
        await store.decoder.close()
        await library.close()


def read_sharing(config: Config) -> SharingSettings:
    """Find out how others come in.

    Raises:
        StorageFailed: What the data folder says of it can't be read.
    """
    sharing = SharingSettings(config)
    sharing.load()
    return sharing


def _sessions(config: Config, sharing: SharingSettings, guests: Guests) -> Sessions:
    try:
        secret, token = kept_secret(config.data / SECRET), kept_secret(config.data / TOKEN)
    except OSError as error:
        raise storage_failed(error) from error
    return Sessions(sharing, secret, (config.token, token), guests.one, config.root_path)


async def _open_providers(
    config: Config, library: Library, http_client: HttpClient
) -> tuple[Providers, ProviderSettingsStore]:
    """Make everybody who draws, with what was learned of them and the keys that they need.

    Raises:
        StorageFailed: The database or the file of keys can't be read.
    """
    memory = Memory(library.learned)
    await memory.load()
    providers = Providers(config, http_client, memory)
    provider_settings = ProviderSettingsStore(
        library.providers, Keys(config.data / KEYS), providers
    )
    await provider_settings.load()
    return providers, provider_settings


def open_store(config: Config) -> Store:
    """Make the folders for pictures, and the decoder that looks at them.

    Raises:
        StorageFailed: The data folder can't be written.
    """
    store = Store(config.data, Decoder(child_environment()))
    store.prepare()
    return store


def create_app(services: Services) -> ASGIApp:
    """Put the pages behind the guard."""
    failures = ErrorPages(services.renderer)
    return Guard(create_pages(services, failures), services, failures)


def create_pages(services: Services, failures: ErrorPages) -> FastAPI:
    """Build the router from the table of routes."""
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
        page, _, function = rule.handler.partition('.')
        if function:
            app.add_api_route(rule.path, getattr(PAGES[page], function), methods=[rule.method])
        elif rule.path.endswith(REST):
            app.mount(rule.path.removesuffix(f'/{REST}'), apps[page])
        else:
            app.router.routes.append(Route(rule.path, apps[page]))
    return app

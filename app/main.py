"""Builds each part once and hands them on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp

from app.access.guests import Guests
from app.access.sessions import Sessions, kept_secret
from app.access.sharing import Admission
from app.config import Config, child_environment
from app.database import Library
from app.generation.changes import Changes
from app.generation.outcome_writer import Finishing
from app.generation.previews import Previews
from app.generation.runner import Drawing
from app.generation.worker import Worker
from app.net.client import Outbound
from app.providers.core.capabilities import Memory
from app.providers.discovery.local_servers import Neighbours
from app.providers.registry import Providers
from app.providers.secrets import Keys
from app.providers.settings import Roster
from app.storage.decoder import Decoder
from app.storage.store import Store
from app.storage.temp_file import storage_failed
from app.web.base_path import Root
from app.web.context import House
from app.web.delivery.events import Live
from app.web.delivery.files import Files
from app.web.error_pages import Failures
from app.web.pages import (
    calls,
    create,
    gallery,
    install,
    joining,
    links,
    providers,
    settings,
    sharing,
    sign_in,
)
from app.web.security.guard import Guard
from app.web.static import Static
from app.web.templates import Renderer, assets

DATABASE = 'easel.db'
SECRET = 'secret'  # noqa: S105 (the file's name)
KEYS = 'keys.json'
CACHE = 'cache'
PAGES = (
    *(create, gallery, calls, install, providers, settings),
    *(sharing, joining, links, sign_in),
)
TOKEN = 'token'  # noqa: S105 (the file's name)


@asynccontextmanager
async def open_house(
    config: Config, neighbours: Neighbours | None = None, admission: Admission | None = None
) -> AsyncIterator[House]:
    """Make every part, and let go of each at the end, the worker first.

    Raises:
        StorageFailed: The data folder can't be used.
    """
    store = open_store(config)
    neighbours = neighbours or Neighbours()
    outbound = Outbound(config.image_origins, in_container=neighbours.in_container)
    library = await Library.open(config.data / DATABASE)
    providers, roster = await _open_providers(config, library, outbound)
    changes = Changes()
    previews = Previews(store, changes)
    drawing = Drawing(library, providers, store, changes, previews)
    worker = Worker(library, providers, drawing, Finishing(library, store), changes)
    guests = await Guests.open(library.guests)
    admission = admission or read_admission(config)
    root = Root(config.root_path)
    async with _letting_go(worker, neighbours, providers, outbound, store, library):
        yield House(
            config=config,
            root=root,
            library=library,
            store=store,
            outbound=outbound,
            providers=providers,
            roster=roster,
            neighbours=neighbours,
            changes=changes,
            previews=previews,
            worker=worker,
            renderer=Renderer(Static(assets('static')), config.data / CACHE, root, guests.name_of),
            sessions=_sessions(config, admission, guests),
            admission=admission,
            guests=guests,
        )


@asynccontextmanager
async def _letting_go(
    worker: Worker,
    neighbours: Neighbours,
    providers: Providers,
    outbound: Outbound,
    store: Store,
    library: Library,
) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await worker.stop()
        await neighbours.close()
        await providers.close()
        await outbound.close()
        await store.decoder.close()
        await library.close()


def read_admission(config: Config) -> Admission:
    """Find out how others come in.

    Raises:
        StorageFailed: What the data folder says of it can't be read.
    """
    admission = Admission(config)
    admission.load()
    return admission


def _sessions(config: Config, admission: Admission, guests: Guests) -> Sessions:
    try:
        secret, token = kept_secret(config.data / SECRET), kept_secret(config.data / TOKEN)
    except OSError as error:
        raise storage_failed(error) from error
    return Sessions(admission, secret, (config.token, token), guests.one, config.root_path)


async def _open_providers(
    config: Config, library: Library, outbound: Outbound
) -> tuple[Providers, Roster]:
    """Make everybody who draws, with what was learned of them and the keys that they need.

    Raises:
        StorageFailed: The database or the file of keys can't be read.
    """
    memory = Memory(library.learned)
    await memory.load()
    providers = Providers(config, outbound, memory)
    roster = Roster(library.providers, Keys(config.data / KEYS), providers)
    await roster.load()
    return providers, roster


def open_store(config: Config) -> Store:
    """Make the folders for pictures, and the decoder that looks at them.

    Raises:
        StorageFailed: The data folder can't be written.
    """
    store = Store(config.data, Decoder(child_environment()))
    store.prepare()
    return store


def create_app(house: House) -> ASGIApp:
    """Put the pages behind the guard."""
    failures = Failures(house.renderer)
    return Guard(create_pages(house, failures), house, failures)


def create_pages(house: House, failures: Failures) -> FastAPI:
    """Put every page at its address; `app.web.security.routes` says who may come in where."""
    app = FastAPI(
        title='Easel',
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.house = house
    failures.install(app)
    for page in PAGES:
        app.include_router(page.router)
    files = Files(house)
    app.mount('/files', files)
    app.mount('/thumbs', files)
    app.router.routes.append(Route('/events', Live(house)))
    app.mount('/static', house.renderer.static)
    return app

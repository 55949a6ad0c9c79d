"""An Easel where nobody set an address, and what is around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from starlette.types import ASGIApp

from app.access.visitors import Proxies
from app.config import Config, config_from
from app.main import create_app, open_services
from app.providers.discovery.local_servers import LocalServers
from app.providers.settings import Secrets
from app.server.protocol import ConnectionLimiter
from app.web.context import Services
from app.web.views.provider_form import NEW
from tests.support.deadline_server import served
from tests.support.fakes import refused_port, upstream
from tests.support.more_local_servers import ALL_HOMES
from tests.support.raw_requests import FORM, HOME, Answered, knock

ROUTE_TO = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t{gateway}\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""
GATEWAY = '127.0.0.2'
JSON = (b'accept', b'application/json')


async def no_such_name(host: str, _: int) -> list[str]:
    raise OSError('host not found')


def container_in(folder: Path) -> Path:
    """Lay out the marks of a container, whose gateway is another loopback address."""
    root = folder / 'root'
    (root / 'proc/net').mkdir(parents=True)
    (root / '.dockerenv').touch()
    route = ROUTE_TO.format(gateway='0200007F')
    (root / 'proc/net/route').write_text(route, encoding='ascii')
    return root


def plain_machine_in(folder: Path) -> Path:
    return folder / 'no marks'


def local_servers(root: Path, ports: dict[int, int]) -> LocalServers:
    return LocalServers(root, ports, no_such_name)


def config_of(data: Path, api_url: str = '', **environment: str) -> Config:
    """Configure an Easel whose address nobody set, and where that is."""
    config = config_from(environment, data=str(data))
    return replace(config, api_url=api_url) if api_url else config


@asynccontextmanager
async def first_start(
    folder: Path, ports: dict[int, int], root: Path | None = None
) -> AsyncIterator[tuple[ASGIApp, Services]]:
    """Open an Easel whose default address refuses, and know that it does."""
    around = local_servers(root or plain_machine_in(folder), ports)
    with refused_port() as port:
        config = config_of(folder / 'data', f'http://localhost:{port}/v1')
        async with open_services(config, around) as services:
            await services.providers.environment.ask_again()
            yield create_app(services), services


async def page(app: ASGIApp, path: str) -> str:
    answered = await knock(app, 'GET', path, HOME)
    assert answered.status == 200, answered.body
    return answered.body.decode()


async def post(app: ASGIApp, path: str, *headers: tuple[bytes, bytes], **fields: str) -> Answered:
    return await knock(app, 'POST', path, HOME, FORM, *headers, body=urlencode(fields).encode())


@contextmanager
def discovered(folder: Path, *added: str) -> Iterator[str]:
    """Serve an Easel that has looked around, some of what it found added; gives its address."""

    @asynccontextmanager
    async def ready() -> AsyncIterator[ASGIApp]:
        async with AsyncExitStack() as stack:
            ports = {}
            for name in ('g4f', 'LocalAI', 'Ollama', 'Xinference'):
                fake = await stack.enter_async_context(upstream(ALL_HOMES[name].all_replies()))
                ports[ALL_HOMES[name].port] = fake.port
            app, services = await stack.enter_async_context(first_start(folder, ports))
            await services.local_servers.look()
            for name in added:
                base_url = f'http://localhost:{ports[ALL_HOMES[name].port]}/v1'
                await services.provider_settings.add(
                    replace(NEW, name=name, base_url=base_url), Secrets()
                )
            for watched in services.providers.all():
                await watched.ask_again()
            yield app

    with served(ready(), ConnectionLimiter(Proxies(()), 100)) as port:
        yield f'http://localhost:{port}'

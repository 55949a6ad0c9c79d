"""Asks the whole app without a socket: raw headers, any peer, and what was read of the body."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Scope

from app.config import config_from
from app.database.gallery.filters import Filter
from app.main import create_app, create_pages, open_services
from app.web.context import Services
from app.web.error_pages import ErrorPages
from app.web.security.thumbnails import Thumbnails
from tests.support.servers import CLOSED_PORT_URL

HOME = (b'host', b'localhost')
LOOPBACK = '127.0.0.1'
BLOCK_BYTES = 65_536
FORM = (b'content-type', b'application/x-www-form-urlencoded')


@dataclass(frozen=True, slots=True)
class Address:
    """One address and method that a page has."""

    method: str
    path: str

    def __str__(self) -> str:
        return f'{self.method} {self.path}'


@dataclass(slots=True)
class Answered:
    """What came back, and how much of the request was read for it.

    Attributes:
        headers: The first of each name.
        cookies: Every one that was set.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: bytes = b''
    read_bytes: int = 0


@asynccontextmanager
async def open_door(data: Path, **environment: str) -> AsyncIterator[tuple[ASGIApp, Services]]:
    """Make the whole app, without a worker."""
    settings = {'EASEL_API_URL': CLOSED_PORT_URL, **environment}
    async with open_services(config_from(settings, data=str(data))) as services:
        yield create_app(services), services


async def knock(
    app: ASGIApp,
    method: str,
    path: str,
    *headers: tuple[bytes, bytes],
    peer: str = LOOPBACK,
    body: bytes = b'',
    blocks: int = 1,
    state: Mapping[str, object] | None = None,
) -> Answered:
    """Send one request; the body comes as often as asked, and never after that.

    The path may bring a query, and is decoded. A stream is left as soon as it begins.
    """
    answered = Answered()
    sent = 0

    async def receive() -> Message:
        nonlocal sent
        sent += 1
        if sent > blocks:
            return {'type': 'http.disconnect'}
        answered.read_bytes += len(body)
        return {'type': 'http.request', 'body': body, 'more_body': sent < blocks}

    async def send(message: Message) -> None:
        if message['type'] == 'http.response.start':
            answered.status = message['status']
            for name, value in message['headers']:
                answered.headers.setdefault(name.decode('latin-1'), value.decode('latin-1'))
                answered.cookies += [value.decode('latin-1')] if name == b'set-cookie' else []
        answered.body += message.get('body', b'')

    async with asyncio.timeout(20):
        await app(scope_of(method, path, headers, peer, state), receive, send)
    return answered


def scope_of(
    method: str,
    path: str,
    headers: tuple[tuple[bytes, bytes], ...],
    peer: str,
    state: Mapping[str, object] | None,
) -> Scope:
    raw, _, query = path.partition('?')
    return {
        'type': 'http',
        'asgi': {'version': '3.0', 'spec_version': '2.3'},
        'http_version': '1.1',
        'method': method,
        'scheme': 'http',
        'path': unquote(raw),
        'raw_path': raw.encode(),
        'query_string': query.encode(),
        'root_path': '',
        'headers': list(headers),
        'server': ('localhost', 8484),
        'client': (peer, 50_000),
        'state': dict(state or {}),
    }


def addresses(services: Services) -> list[Address]:
    """List every address of every page, `{}` for what changes in it."""
    thumbnails = Thumbnails(lambda: 0, lambda _: Filter())
    pages = create_pages(services, ErrorPages(services.renderer), thumbnails)
    found: list[Address] = []
    for route in _leaves(pages.routes):
        if isinstance(route, Mount):
            found.append(Address('GET', f'{route.path}/{{rest}}'))
            continue
        assert isinstance(route, Route | APIRoute), route
        path = re.sub(r'\{\w+\}', '{}', route.path)
        found += [Address(one, path) for one in sorted(route.methods or {'GET'}) if one != 'HEAD']
    return found


def _leaves(routes: object) -> list[object]:
    assert isinstance(routes, list | tuple)
    leaves: list[object] = []
    for route in routes:
        inner = getattr(getattr(route, 'original_router', None), 'routes', None)
        leaves += _leaves(inner) if inner and not isinstance(route, Mount) else [route]
    return leaves

"""The edge on a socket, with as little timeouts as a test asks for."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from app.access.visitors import Proxies
from app.config import config_from
from app.main import create_app, open_services
from app.server.protocol import ConnectionLimiter, DeadlineProtocol, Timeouts
from tests.support.servers import CLOSED_PORT_URL

LONG_S = 20.0
HASTY = Timeouts(
    head_s=0.3, body_s=0.3, body_bytes_a_s=1e6, crowded_s=0.3, leftover_s=0.3, stalled_s=0.3
)


class Strangers(Proxies):
    """Takes every peer for a visitor from elsewhere, since tests come from this machine alone."""

    def quota_key_of(self, peer: str) -> str:
        return peer


@dataclass(frozen=True, slots=True)
class Line:
    """A connection, and all that came over it so far."""

    socket: socket.socket

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode('latin-1'))

    def read_to_end(self) -> bytes:
        """Read until the other end closes.

        Raises:
            TimeoutError: It never does.
        """
        found = b''
        try:
            while block := self.socket.recv(65_536):
                found += block
        except ConnectionError:
            return found
        return found

    def read_until(self, mark: bytes) -> bytes:
        found = b''
        while mark not in found:
            block = self.socket.recv(65_536)
            assert block, found
            found += block
        return found

    def trickle(self, byte: str) -> bytes:
        """Send one byte after the other until something comes back or the line is dead."""
        self.socket.settimeout(0.02)
        for _ in range(1_000):
            try:
                self.send(byte)
                return self.socket.recv(65_536)
            except TimeoutError:
                continue
            except ConnectionError:
                return b''
        raise AssertionError('nobody minded')


@contextmanager
def calling(port: int) -> Iterator[Line]:
    with socket.create_connection(('127.0.0.1', port), timeout=LONG_S) as connection:
        yield Line(connection)


@contextmanager
def serving(app: ASGIApp, limiter: ConnectionLimiter) -> Iterator[int]:
    """Serve a small app behind the edge; gives the port."""

    @asynccontextmanager
    async def ready() -> AsyncIterator[ASGIApp]:
        yield app

    with served(ready(), limiter) as port:
        yield port


@contextmanager
def serving_easel(data: Path) -> Iterator[int]:
    """Serve the whole app behind the edge; gives the port."""
    config = config_from({'EASEL_API_URL': CLOSED_PORT_URL}, data=str(data))

    @asynccontextmanager
    async def ready() -> AsyncIterator[ASGIApp]:
        async with open_services(config) as services:
            yield create_app(services)

    with served(ready(), ConnectionLimiter(Proxies(()), 100)) as port:
        yield port


@contextmanager
def served(
    ready: AbstractAsyncContextManager[ASGIApp], limiter: ConnectionLimiter
) -> Iterator[int]:
    """Serve behind the edge what is made in the server's own thread; gives the port."""
    ended = threading.Event()
    server = _Announcing(_config(limiter))

    async def serve() -> None:
        async with ready as server.config.app:
            ending = asyncio.create_task(asyncio.to_thread(ended.wait))
            ending.add_done_callback(lambda _: setattr(server, 'should_exit', True))
            await server.serve()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert server.announced.wait(LONG_S)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        ended.set()
        thread.join(LONG_S)


class _Announcing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.announced = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announced.set()


def _config(limiter: ConnectionLimiter) -> uvicorn.Config:
    return uvicorn.Config(
        '',
        host='127.0.0.1',
        port=0,
        http=partial(DeadlineProtocol, limiter=limiter),  # type: ignore[arg-type]
        ws='none',
        log_config=None,
        lifespan='off',
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )

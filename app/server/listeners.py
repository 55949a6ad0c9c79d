"""Takes a port, and listens on the network or on this machine alone while the server runs.

A wildcard address can't be listened on while a loopback one of the same port is. So one takes the
place of the other; connections that are open do not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import uvicorn

from app.errors import N_, Conflict
from app.log import logger

log = logger(__name__)

BACKLOG = 512
PORTS_TRIED = 50
RETRIES, RETRY_S = 40, 0.025


class PortTaken(Exception):
    """The port can't be listened on; the text says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Listen at once, so that whoever reads the address can connect; raise PortTaken."""
    try:
        listening = _bind(host, port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            reason = error.strerror or str(error)
            raise PortTaken(f"Easel can't listen on {host}:{port}: {reason}.") from error
        raise PortTaken(
            f'Port {port} is taken by another program. '
            f'Use the next free one: --port {_next_free(host, port)}'
        ) from error
    listening.listen(BACKLOG)
    return listening


def listen_everywhere(port: int) -> list[socket.socket]:
    """Listen on every address of this machine; IPv6 only where there is any."""
    sockets = [listen('0.0.0.0', port)]  # noqa: S104 (the network is let in on purpose)
    try:
        sockets.append(listen('::', sockets[0].getsockname()[1]))
    except PortTaken as error:
        if socket.has_ipv6 and getattr(error.__cause__, 'errno', 0) == errno.EADDRINUSE:
            sockets[0].close()
            raise
    return sockets


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != 'win32':
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == '::':
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def _next_free(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + PORTS_TRIED, 65536)):
        with contextlib.suppress(OSError):
            _bind(host, candidate).close()
            return candidate
    return 0


@dataclass(slots=True)
class Listeners:
    """The listening sockets of a running server."""

    _server: uvicorn.Server
    _sockets: list[socket.socket]
    _host: str
    _port: int
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self) -> None:
        """Listen on the network; raise Conflict where its port is taken, and stay here alone."""
        async with self._one_at_a_time:
            try:
                await self._replace(lambda: listen_everywhere(self._port))
            except PortTaken as error:
                await self._replace(lambda: [listen(self._host, self._port)])
                sentence = N_('Port {port} is already used on the network by another program.')
                raise Conflict(sentence, port=self._port) from error
        log.info('open to the network on port %s', self._port)

    async def shut(self) -> None:
        """Listen on this machine alone, and end the connections from elsewhere."""
        async with self._one_at_a_time:
            await self._replace(lambda: [listen(self._host, self._port)])
        for connection in list(self._server.server_state.connections):
            transport = connection.transport
            peer = transport.get_extra_info('peername')
            if not (peer and ipaddress.ip_address(peer[0].partition('%')[0]).is_loopback):
                transport.abort()
        log.info('open on this computer only, on port %s', self._port)

    async def _replace(self, listen_anew: Callable[[], list[socket.socket]]) -> None:
        """Stop listening and listen anew; raise PortTaken where another program has the port.

        A port that was just closed is free a round of the loop later.
        """
        for server in self._server.servers:
            server.close()
        self._server.servers.clear()
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()
        for _ in range(RETRIES):
            with contextlib.suppress(PortTaken):
                self._sockets += listen_anew()
                break
            await asyncio.sleep(RETRY_S)
        else:
            self._sockets += listen_anew()
        config = self._server.config
        protocol = partial(
            config.http_protocol_class,
            config=config,  # type: ignore[call-arg]
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            server = await loop.create_server(protocol, sock=listening, backlog=config.backlog)
            self._server.servers.append(server)

"""Listens on the network, or on this machine alone, while the server runs.

A wildcard address can't be listened on while a loopback one of the same port is. So one takes the
place of the other; connections that are open do not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import uvicorn

from app.errors import N_, Conflict
from app.log import logger
from app.server.sockets import PortTaken, listen, listen_everywhere

log = logger(__name__)

RETRIES, RETRY_S = 40, 0.025


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
                raise Conflict(
                    N_('Port {port} can not be had on the network: another program has it.'),
                    port=self._port,
                ) from error
        log.info('the network is let in on port %s', self._port)

    async def shut(self) -> None:
        """Listen on this machine alone, and end the connections from elsewhere."""
        async with self._one_at_a_time:
            await self._replace(lambda: [listen(self._host, self._port)])
        for connection in list(self._server.server_state.connections):
            transport = connection.transport
            peer = transport.get_extra_info('peername')
            if not (peer and ipaddress.ip_address(peer[0].partition('%')[0]).is_loopback):
                transport.abort()
        log.info('only this machine is let in on port %s', self._port)

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

"""Lets the network in, or this machine alone, while the server runs.

A wildcard address can't be listened on while a loopback one of the same port is. So one takes the
place of the other; connections that are open do not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable
from functools import partial

import uvicorn

from app.errors import N_, Conflict
from app.log import logger
from app.server.sockets import PortTaken, listen, listen_everywhere

log = logger(__name__)

ROUNDS, ROUND_S = 40, 0.025


class Listeners:
    """The listening sockets of a running server."""

    def __init__(
        self, server: uvicorn.Server, sockets: list[socket.socket], host: str, port: int
    ) -> None:
        self._server = server
        self._sockets = sockets
        self._host = host
        self._port = port
        self._turning = asyncio.Lock()

    async def open(self) -> None:
        """Let the network in.

        Raises:
            Conflict: The port can't be had there; this machine is let in as before.
        """
        async with self._turning:
            await self._stop_listening()
            try:
                await self._serve(await _patiently(lambda: listen_everywhere(self._port)))
            except PortTaken as error:
                await self._serve(await _patiently(self._here))
                raise Conflict(
                    N_('Port {port} can not be had on the network: another program has it.'),
                    port=self._port,
                ) from error
        log.info('the network is let in on port %s', self._port)

    async def shut(self) -> None:
        """Let this machine in alone, and part with everybody else."""
        async with self._turning:
            await self._stop_listening()
            await self._serve(await _patiently(self._here))
        for connection in list(self._server.server_state.connections):
            transport = connection.transport
            if not _is_here(transport.get_extra_info('peername')):
                transport.abort()
        log.info('only this machine is let in on port %s', self._port)

    async def _stop_listening(self) -> None:
        for server in self._server.servers:
            server.close()
        self._server.servers.clear()
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()

    def _here(self) -> list[socket.socket]:
        return [listen(self._host, self._port)]

    async def _serve(self, sockets: list[socket.socket]) -> None:
        config = self._server.config
        made = partial(
            config.http_protocol_class,
            config=config,  # type: ignore[call-arg]
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        self._sockets += sockets
        for listening in sockets:
            server = await loop.create_server(made, sock=listening, backlog=config.backlog)
            self._server.servers.append(server)


async def _patiently(take: Callable[[], list[socket.socket]]) -> list[socket.socket]:
    """Take a port that we have just let go of: the loop closes a socket in a round of its own.

    Raises:
        PortTaken: It is another program's.
    """
    for _ in range(ROUNDS):
        with contextlib.suppress(PortTaken):
            return take()
        await asyncio.sleep(ROUND_S)
    return take()


def _is_here(peer: tuple[str, int] | None) -> bool:
    """Whether the other end is on this machine."""
    return peer is not None and ipaddress.ip_address(peer[0].partition('%')[0]).is_loopback

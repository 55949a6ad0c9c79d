"""The policy of where a connection may go.

A provider's own origin may be anywhere. Any other address must be public, unless the operator named
its origin; that is decided where the connection is made, on the address that is then connected to,
so that no second look-up can give another answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import httpcore

from app.net.ip import is_literal, is_loopback, is_metadata, is_public
from app.net.streams import addresses_of, connect
from app.net.urls import METADATA_NAMES, Blocked, Origin, Private, canonical_host

LookUp = Callable[[str, int], Awaitable[list[str]]]
Connect = Callable[[Iterable[str], int, float | None], Awaitable[httpcore.AsyncNetworkStream]]


class ConnectPolicy(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, and to trusted and named origins wherever they are.

    Those that the operator named may be anywhere but at metadata addresses of clouds.
    """

    def __init__(
        self,
        named: Iterable[Origin] = (),
        own_ports: Collection[int] = (),
        look_up: LookUp = addresses_of,
        connect: Connect = connect,
    ) -> None:
        self._origins = {*named}
        self._named = {(origin.host, origin.port) for origin in self._origins}
        self._trusted: set[tuple[str, int]] = set()
        self._own_ports = own_ports  # where this server listens itself
        self._look_up = look_up
        self._connect = connect

    def trust(self, origin: Origin) -> None:
        """Allow an origin at any address, as a provider's."""
        self._trusted.add((origin.host, origin.port))

    def refuse_other_scheme(self, origin: Origin) -> None:
        """Raise Private where an origin's host and port are named under the other scheme."""
        if origin not in self._origins and (origin.host, origin.port) in self._named:
            raise Private('named with another scheme')

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the very addresses that were checked; raise Blocked at one that may not be."""
        try:
            host = canonical_host(host)
        except ValueError as error:
            raise Blocked('odd spelling') from error
        if host.removesuffix('.') in METADATA_NAMES and (host, port) not in self._trusted:
            raise Blocked('a metadata address')
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._look_up(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout('no answer') from error
        for address in addresses:
            self._refuse_address(host, port, address)
        stream = await self._connect(addresses, port, timeout)
        try:
            self._refuse_peer(host, port, stream)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _refuse_address(self, host: str, port: int, address: str) -> None:
        if (host, port) in self._trusted:
            return
        is_named = (host, port) in self._named
        if is_metadata(address) and not (is_named and is_literal(host)):
            raise Blocked('a metadata address')
        if not is_named and not is_public(address):
            raise Private('not a public address')

    def _refuse_peer(self, host: str, port: int, stream: httpcore.AsyncNetworkStream) -> None:
        """Check the address that the connection was really made to."""
        ends = [stream.get_extra_info(end) for end in ('server_addr', 'client_addr')]
        if None in ends:
            raise httpcore.ConnectError('connection reset')
        peer, own = (str(end[0]) for end in ends)
        self._refuse_address(host, port, peer)
        if port in self._own_ports and (peer == own or is_loopback(peer)):
            raise Private('Easel itself')

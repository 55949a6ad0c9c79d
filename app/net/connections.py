"""The connections of the HTTP client, over asyncio's own streams, and where they may go.

A provider's own origin may be anywhere. Any other address must be public, unless the operator named
its origin, and no metadata address of a cloud. That is decided on the very address that is then
connected to, so that no second look-up can give another answer.

A stream reader stops reading from inside the very callback that filled it. The client library's
usual streams stop a little later: on a fast loop, after 8 MB more of each response. What was read
is parsed without a pause, so that a connection reads less at once as long as that takes its time.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpcore

from app.net.ip import is_literal, is_loopback, is_metadata, is_public
from app.net.urls import METADATA_NAMES, Blocked, Origin, Private, canonical_host

READ_AHEAD_BYTES = 64 * 1024
LEAST_READ_BYTES = 8 * 1024
SLOW_S = 0.005  # of parsing one piece
MOST_HEADER_BYTES = 32 * 1024  # a tenth of a second of parsing, were it 100 kB
MOST_INTERIM = 100  # responses of 1xx to one request
INTERIM = b'HTTP/1.1 1'
_FINAL = re.compile(rb'\nHTTP/1\.[01] [2-9]')  # after which no more interim ones come
LookUp = Callable[[str, int], Awaitable[list[str]]]
Connect = Callable[[Iterable[str], int, float | None], Awaitable[httpcore.AsyncNetworkStream]]

httpcore.AsyncHTTP11Connection.MAX_INCOMPLETE_EVENT_SIZE = MOST_HEADER_BYTES  # no argument sets it


class Stream(httpcore.AsyncNetworkStream):
    """One connection; what sockets raise becomes the errors of httpcore."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._most_bytes = LEAST_READ_BYTES
        self._read_at = 0.0
        self._interim = 0
        self._searched: bytes | None = b'\n'  # the last of it; None after the head of an answer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read a piece that is parsed in a few milliseconds, by what the last one took."""
        is_slow = time.perf_counter() - self._read_at > SLOW_S
        wished = self._most_bytes // 2 if is_slow else self._most_bytes * 2
        self._most_bytes = min(max(wished, LEAST_READ_BYTES), max_bytes)
        await asyncio.sleep(0)  # what has come already is read without a turn for anybody else
        async with _translated(timeout, httpcore.ReadTimeout, httpcore.ReadError):
            piece = await self._reader.read(self._most_bytes)
        self._count_interim(piece)
        self._read_at = time.perf_counter()
        return piece

    def _count_interim(self, piece: bytes) -> None:
        if self._searched is None:
            return
        text = self._searched + piece
        self._interim += text.count(INTERIM)
        if self._interim > MOST_INTERIM:
            raise httpcore.ReadError('only interim answers')
        self._searched = None if _FINAL.search(text) else text[1 - len(INTERIM) :]

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._interim, self._searched = 0, b'\n'
        async with _translated(timeout, httpcore.WriteTimeout, httpcore.WriteError):
            self._writer.write(buffer)
            await self._writer.drain()

    async def aclose(self) -> None:
        """Close at once; unsent bytes are dropped."""
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt, under the one context of the process and not the one that is given."""
        context = await asyncio.to_thread(tls_context)
        async with _translated(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
            await self._writer.start_tls(context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 (httpcore's own signature)
        if info == 'is_readable':
            return self._reader.at_eof()
        names = {'client_addr': 'sockname', 'server_addr': 'peername'}
        return self._writer.get_extra_info(names.get(info, info))


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one TLS context, made for the first https address: 25 ms and 1.6 MB."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(['http/1.1'])
    return context


async def addresses_of(host: str, port: int) -> list[str]:
    """Look up the addresses of a host; never empty, but for httpcore.ConnectError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError('no such name') from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(addresses: Iterable[str], port: int, timeout: float | None) -> Stream:
    """Connect to the first address that takes it; raise the first one's error where none does."""
    failures: list[OSError] = []
    async with _translated(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
        for address in addresses:
            try:
                return Stream(*await asyncio.open_connection(address, port, limit=READ_AHEAD_BYTES))
            except OSError as error:
                failures.append(error)
        raise failures[0]


@asynccontextmanager
async def _translated(
    timeout: float | None, late: type[Exception], broken: type[Exception]
) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout):
            yield
    except TimeoutError as error:
        raise late('no answer') from error
    except ConnectionRefusedError as error:
        raise broken('connection refused') from error
    except (ConnectionResetError, BrokenPipeError) as error:
        raise broken('connection reset') from error
    except ssl.SSLCertVerificationError as error:
        raise broken('its certificate is not trusted') from error
    except OSError as error:
        raise broken(error.strerror or str(error)) from error


class ConnectPolicy(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, and to trusted and named origins wherever they are."""

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
            ends = [stream.get_extra_info(end) for end in ('server_addr', 'client_addr')]
            if None in ends:
                raise httpcore.ConnectError('connection reset')
            peer, own = (str(end[0]) for end in ends)
            self._refuse_address(host, port, peer)  # where the connection was really made to
            if port in self._own_ports and (peer == own or is_loopback(peer)):
                raise Private('Easel itself')
        except BaseException:
            await stream.aclose()
            raise
        return stream

    def _refuse_address(self, host: str, port: int, address: str) -> None:
        if (host, port) in self._trusted:
            return
        is_named = (host, port) in self._named
        if is_metadata(address) and not (is_named and is_literal(host)):
            raise Blocked('a metadata address')
        if not is_named and not is_public(address):
            raise Private('not a public address')

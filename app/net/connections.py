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
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Any, cast

import httpcore

from app.errors import Reason
from app.net.heads import MOST_HEADER_BYTES, Responses, Unreadable
from app.net.ip import is_literal, is_loopback, is_metadata, is_public
from app.net.names import LookUp, addresses_of
from app.net.tls import speaks_http, speaks_tls, tls_context, tls_reason
from app.net.urls import METADATA_NAMES, Blocked, Origin, Private, canonical_host, is_private

MOST_IDLE = 20
IDLE_S = 5.0
READ_AHEAD_BYTES = 64 * 1024
LEAST_READ_BYTES = 8 * 1024
SLOW_S = 0.005  # of parsing one piece
LOOK_UP_S = 2.0  # of a name that a proxy may know; without it nothing may answer at all
SILENCE_S = 5.0  # that ends a response whose length was told wrongly
Connect = Callable[[Iterable[str], int, float | None], Awaitable[httpcore.AsyncNetworkStream]]

httpcore.AsyncHTTP11Connection.MAX_INCOMPLETE_EVENT_SIZE = MOST_HEADER_BYTES  # no argument sets it


class Incoming(asyncio.StreamReader):
    """What comes in, whole also where the connection breaks behind it, of which asyncio drops it.

    A server that refuses a large body may answer before it has read that, and close.
    """

    broken: BaseException | None = None

    def set_exception(self, exc: BaseException) -> None:
        """End as what was read ends, and keep the reason."""
        self.broken = exc
        self.feed_eof()

    async def piece(self, most_bytes: int) -> bytes:
        """Read a piece, none at the end; raise OSError where the connection broke there."""
        found = await self.read(most_bytes)
        if self.broken and not found:
            raise self.broken
        return found


class Stream(httpcore.AsyncNetworkStream):
    """One connection; what sockets raise becomes the errors of httpcore."""

    def __init__(self, reader: Incoming, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._most_bytes = LEAST_READ_BYTES
        self._read_at = 0.0
        self._responses = Responses()
        self._has_answered = False
        self.is_of_provider = False  # so that it may be asked which protocol it speaks

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is parsed in a few milliseconds, by what the last piece took; mend heads."""
        while not self._responses.is_over:
            piece = await self._read_piece(max_bytes, timeout)
            try:
                passed = self._responses.feed(piece)
            except Unreadable as error:
                raise httpcore.ReadError(str(error)) from error
            self._read_at = time.perf_counter()
            if passed or not piece:
                return passed
        return b''

    async def _read_piece(self, max_bytes: int, timeout: float | None) -> bytes:
        is_slow = time.perf_counter() - self._read_at > SLOW_S
        wished = self._most_bytes // 2 if is_slow else self._most_bytes * 2
        self._most_bytes = min(max(wished, LEAST_READ_BYTES), max_bytes)
        await asyncio.sleep(0)  # what has come already is read without a turn for anybody else
        guessed = self._responses.is_guessed
        try:
            async with _translated(
                SILENCE_S if guessed else timeout, httpcore.ReadTimeout, httpcore.ReadError
            ):
                piece = await self._reader.piece(self._most_bytes)
        except httpcore.ReadTimeout:
            if guessed:
                return b''
            raise
        except httpcore.ReadError:
            await self._refuse_tls()
            raise
        if not piece:
            await self._refuse_tls()
        self._has_answered = True
        return piece

    async def _refuse_tls(self) -> None:
        """Raise httpcore.ConnectError where plain HTTP was spoken to a TLS server."""
        if self._has_answered or not self.is_of_provider or self.get_extra_info('ssl_object'):
            return
        peer = self.get_extra_info('server_addr')
        if peer and await speaks_tls(*peer[:2]):
            raise httpcore.ConnectError(Reason.HTTPS_IS_SPOKEN_THERE)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._responses.begin()
        await asyncio.sleep(0)  # an answer that has come already is read before a write can fail
        async with _translated(timeout, httpcore.WriteTimeout, httpcore.WriteError):
            if self._writer.is_closing():  # uvloop would raise RuntimeError
                raise ConnectionResetError
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
        peer = self.get_extra_info('server_addr')
        try:
            async with _translated(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
                await self._writer.start_tls(context, server_hostname=server_hostname)
        except (httpcore.ConnectTimeout, httpcore.ConnectError) as error:
            is_told = isinstance(error.__cause__, ssl.SSLError)
            may_ask = self.is_of_provider and not self._has_answered
            if not is_told and may_ask and await speaks_http(*peer[:2]):
                raise httpcore.ConnectError(Reason.HTTP_IS_SPOKEN_THERE) from error
            if is_told or isinstance(error, httpcore.ConnectTimeout):
                raise
            raise httpcore.ConnectError(Reason.TLS_CANNOT_BE_AGREED_ON) from error
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 (httpcore's own signature)
        surplus = self._responses.surplus
        if info in ('is_readable', 'surplus'):
            return surplus if info == 'surplus' else bool(surplus) or self._reader.at_eof()
        names = {'client_addr': 'sockname', 'server_addr': 'peername'}
        return self._writer.get_extra_info(names.get(info, info))


async def connect(addresses: Iterable[str], port: int, timeout: float | None) -> Stream:
    """Connect to the first address that takes it; raise the first one's error where none does."""
    failures: list[OSError] = []
    async with _translated(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
        for address in addresses:
            try:
                return await _open(address, port)
            except OSError as error:
                failures.append(error)
        raise failures[0]


async def _open(address: str, port: int) -> Stream:
    loop = asyncio.get_running_loop()
    incoming = Incoming(limit=READ_AHEAD_BYTES)
    protocol = asyncio.StreamReaderProtocol(incoming)
    transport, _ = await loop.create_connection(lambda: protocol, address, port)
    return Stream(incoming, asyncio.StreamWriter(transport, protocol, incoming, loop))


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
    except ssl.SSLError as error:
        raise broken(tls_reason(error)) from error
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
        self.is_for_providers = False
        self._look_up = look_up
        self._connect = connect

    def trust(self, origin: Origin) -> None:
        """Allow an origin at any address, as a provider's."""
        self._trusted.add((origin.host, origin.port))

    async def sees_in_public(self, host: str) -> bool:
        """Check that a host is public as far as can be told here, which may know no names."""
        try:
            host = canonical_host(host)
        except ValueError:
            return False
        if is_literal(host) or is_private(host) or host in METADATA_NAMES:
            return is_literal(host) and is_public(host)
        try:
            async with asyncio.timeout(LOOK_UP_S):
                return all(map(is_public, await self._look_up(host, 0)))
        except OSError:
            return True

    def refuse_other_scheme(self, origin: Origin) -> None:
        """Raise Private where an origin's host and port are named under the other scheme."""
        if origin not in self._origins and (origin.host, origin.port) in self._named:
            raise Private('named with a different scheme')

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
            raise Blocked('a malformed address') from error
        if host.removesuffix('.') in METADATA_NAMES and (host, port) not in self._trusted:
            raise Blocked('a cloud metadata address')
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._look_up(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout('no answer') from error
        except OSError as error:
            raise httpcore.ConnectError('host not found') from error
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
        if isinstance(stream, Stream):
            stream.is_of_provider = self.is_for_providers
        return stream

    def _refuse_address(self, host: str, port: int, address: str) -> None:
        if (host, port) in self._trusted:
            return
        is_named = (host, port) in self._named
        if is_metadata(address) and not (is_named and is_literal(host)):
            raise Blocked('a cloud metadata address')
        if not is_named and not is_public(address):
            raise Private('not a public address')


class _NoContext:
    """Stands for the TLS context, which connections bring themselves: an unused one is 0.4 MB."""

    def set_alpn_protocols(self, protocols: list[str]) -> None:
        """Leave them: the connection's own context has them."""


NO_CONTEXT = cast('ssl.SSLContext', _NoContext())

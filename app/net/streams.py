"""Connections of the HTTP client, over asyncio's own streams.

A stream reader stops reading from inside the very callback that filled it. The client library's
usual streams stop a little later: on a fast loop, after 8 MB more of each response.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpcore

READ_AHEAD_BYTES = 64 * 1024


class Stream(httpcore.AsyncNetworkStream):
    """One connection; what sockets raise becomes the errors of httpcore."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        async with _translated(timeout, httpcore.ReadTimeout, httpcore.ReadError):
            return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
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
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise httpcore.ConnectError('no such name')
    return addresses


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

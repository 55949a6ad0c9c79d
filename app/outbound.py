"""The one HTTP client, and what it may call.

A provider's own origin may be anywhere; any other address must be public, unless the operator named
its origin. That is decided where the connection is made, on the address that is then connected to,
so that no second look-up can give another answer.

httpx keeps an answer that was read whole in a reference cycle, so nothing here reads one whole.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin

import httpcore
import httpx

from app import __version__
from app.addresses import Blocked, Origin, is_public, origin_of
from app.errors import ErrorKind, Failure, ProviderError
from app.incoming import MOST_IMAGE_BYTES
from app.network import addresses_of, connect

CONNECT_TIMEOUT_S = 10.0
FETCH_DEADLINE_S = 120.0
FETCH_TRIES = 3
FETCH_PAUSE_S = 0.4
MOST_REDIRECTS = 5
FETCH_TIMEOUT = httpx.Timeout(FETCH_DEADLINE_S, connect=CONNECT_TIMEOUT_S)


class Dialer(httpcore.AsyncNetworkBackend):
    """Connects; to origins nobody named, only at public addresses."""

    def __init__(self, named: Iterable[Origin]) -> None:
        self._named = set(named)

    def trust(self, origin: Origin) -> None:
        """Let this origin be wherever it is: it is a provider's, or the operator named it."""
        self._named.add(origin)

    def refuse_other_scheme(self, origin: Origin) -> None:
        """Keep a named http origin from naming https on the same port, and the other way round.

        Raises:
            Blocked: The same host and port are named, with the other scheme.
        """
        if origin not in self._named and any(
            (origin.host, origin.port) == (one.host, one.port) for one in self._named
        ):
            raise Blocked('named with another scheme')

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect, to the very addresses that were checked.

        Raises:
            Blocked: The name stands for an address that is not public.
            httpcore.ConnectError: Nothing answers, or there is no such name.
        """
        addresses = await self.addresses_of(host, port)
        named = any((host.lower(), port) == (one.host, one.port) for one in self._named)
        if not named and not all(is_public(address) for address in addresses):
            raise Blocked('not a public address')
        return await connect(addresses, port, timeout)

    async def addresses_of(self, host: str, port: int) -> list[str]:
        """Look a name up; never empty.

        Raises:
            httpcore.ConnectError: There is no such name.
        """
        return await addresses_of(host, port)

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore asks for this between its own tries."""
        await asyncio.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own transport over a pool with our dialer."""

    def __init__(self, dialer: Dialer) -> None:
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # connections bring the real one
        super().__init__(verify=unused, trust_env=False)
        # httpx has no public way to give its pool a network backend; httpcore has.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=unused,
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=dialer,
        )


class Outbound:
    """One client and one TLS context for the whole life."""

    def __init__(
        self, named: Iterable[str] = (), transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.dialer = Dialer(origin_of(url) for url in named)
        self.client = new_client(transport or _Transport(self.dialer))

    async def close(self) -> None:
        """End every connection."""
        await self.client.aclose()

    @asynccontextmanager
    async def picture(
        self, url: str, *, own: Origin, headers: dict[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Open a picture's address, following redirects by hand; the body is not read yet.

        Args:
            url: Absolute.
            own: The provider's origin; only there do its headers go.
            headers: The provider's, its key among them.

        Raises:
            ProviderError: `blocked_url`, or `image_fetch_failed` with what was seen.
        """
        for _ in range(MOST_REDIRECTS + 1):
            origin = self._origin_or_refuse(url)
            response = await self._send(url, headers if origin == own else None)
            try:
                if not response.has_redirect_location:
                    _refuse_answer(response, url)
                    yield response
                    return
                url = _joined(url, response.headers['location'])
            finally:
                await response.aclose()
        raise _fetch_failed(url, 'too many redirects')

    def _origin_or_refuse(self, url: str) -> Origin:
        try:
            origin = origin_of(url)
            self.dialer.refuse_other_scheme(origin)
        except Blocked as error:
            raise blocked(url) from error
        return origin

    async def _send(self, url: str, headers: dict[str, str] | None) -> httpx.Response:
        try:
            request = self.client.build_request('GET', url, headers=headers, timeout=FETCH_TIMEOUT)
            return await self.client.send(request, stream=True)
        except Blocked as error:
            raise blocked(url, str(error)) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise blocked(url) from error
        except httpx.HTTPError as error:
            raise _fetch_failed(url, what_happened(error)) from error


def new_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Make the client: nothing from the environment, no cookies, no redirects, no encodings."""
    return httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        headers={'User-Agent': f'Easel/{__version__}', 'Accept-Encoding': 'identity'},
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
    )


def what_happened(error: Exception) -> str:
    """Say in a few words what httpx saw; `network` wrote most of them."""
    if isinstance(error, httpx.LocalProtocolError):
        return 'a request that can not be sent'  # its text may hold a header, and so the key
    text = str(error).strip() or type(error).__name__
    return next((words for sign, words in _SEEN if sign in text.lower()), text[:200])


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise blocked(location) from error


def _refuse_answer(response: httpx.Response, url: str) -> None:
    """Look at the head of an answer before any of its body is read."""
    if response.status_code != 200:
        raise _fetch_failed(url, f'HTTP {response.status_code}', response.status_code)
    if response.headers.get('content-encoding', 'identity').lower() != 'identity':
        raise _fetch_failed(url, 'a compressed answer')
    length = response.headers.get('content-length', '')
    if length.isdecimal() and int(length) > MOST_IMAGE_BYTES:
        raise ProviderError(Failure(kind=ErrorKind.TOO_LARGE, url=url[:500], reason='over 64 MiB'))


def blocked(url: str, reason: str = 'odd spelling') -> ProviderError:
    """Say that an address may not be fetched from."""
    return ProviderError(Failure(kind=ErrorKind.BLOCKED_URL, url=url[:500], reason=reason))


def _fetch_failed(url: str, reason: str, http_status: int | None = None) -> ProviderError:
    return ProviderError(
        Failure(
            kind=ErrorKind.IMAGE_FETCH_FAILED,
            url=url[:500],
            reason=reason,
            http_status=http_status,
        )
    )


_SEEN = (
    ('readerror', 'connection reset'),
    ('disconnected without', 'closed without an answer'),
    ('incomplete', 'connection reset'),
    ('peer closed', 'connection reset'),
)

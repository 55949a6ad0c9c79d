"""The one HTTP client, and what it may call.

A provider's own origin may be anywhere; any other address must be public, unless the operator named
its origin. That is decided where the connection is made, on the address that is then connected to,
so that no second look-up can give another answer.

httpx keeps an answer that was read whole in a reference cycle, so nothing here reads one whole.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpcore
import httpx

from app import __version__
from app.errors import ErrorKind, Failure, ProviderError
from app.network import addresses_of, connect

CONNECT_TIMEOUT_S = 10.0
FETCH_DEADLINE_S = 120.0
FETCH_TRIES = 3
FETCH_PAUSE_S = 0.4
MOST_REDIRECTS = 5
FETCH_TIMEOUT = httpx.Timeout(FETCH_DEADLINE_S, connect=CONNECT_TIMEOUT_S)
MOST_ADDRESS_LETTERS = 8_192

# What `ipaddress` calls global and is not fit to be fetched from: 6to4, Teredo, both NAT64
# prefixes, v4-compatible, site-local, documentation, SRv6, multicast.
NOT_PUBLIC_TEXT = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
224.0.0.0/3 ::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23
2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/9 ff00::/8
"""
NOT_PUBLIC = tuple(ipaddress.ip_network(text) for text in NOT_PUBLIC_TEXT.split())


class Blocked(Exception):
    """The address is not one that a picture may be fetched from."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Write it as a person would: `localhost:1337`."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        usual = {'http': 80, 'https': 443}[self.scheme]
        return host if self.port == usual else f'{host}:{self.port}'


def origin_of(url: str) -> Origin:
    """Read the origin of an absolute http or https address.

    Raises:
        Blocked: It is no such address, or is spelt in a way that two readers may read apart.
    """
    if len(url) > MOST_ADDRESS_LETTERS or any(ord(sign) <= 32 or sign == '\\' for sign in url):
        raise Blocked('odd spelling')
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Blocked('odd spelling') from error
    if parts.scheme not in ('http', 'https') or not parts.hostname or '@' in parts.netloc:
        raise Blocked('not a plain http address')
    if port == 0 or parts.netloc.endswith(':') or '%' in parts.netloc:
        raise Blocked('odd spelling')
    usual = 443 if parts.scheme == 'https' else 80
    return Origin(parts.scheme, parts.hostname.lower(), port or usual)


def absolute(reference: str, base: str) -> str:
    """Resolve what an answer calls a picture's address against the provider's own.

    A path goes to the origin's root, never below the API's path; blanks are encoded, and an
    existing query is left as it is, since signatures cover it.
    """
    text = quote(reference.strip(), safe="%/:=&?~#+!$,;'@()*[]")
    parts = urlsplit(base)
    return urljoin(f'{parts.scheme}://{parts.netloc}/', text)


def is_public(address: str) -> bool:
    """Whether an IP address may be fetched from although nobody named it."""
    try:
        ip = ipaddress.ip_address(address.partition('%')[0])
    except ValueError:
        return False
    return ip.is_global and not any(
        ip in network for network in NOT_PUBLIC if network.version == ip.version
    )


class Dialer(httpcore.AsyncNetworkBackend):
    """Connects; to origins nobody named, only at public addresses."""

    def __init__(self, named: Iterable[Origin]) -> None:
        self._named = {(origin.host, origin.port) for origin in named}

    def trust(self, origin: Origin) -> None:
        """Let this origin be wherever it is: it is a provider's, or the operator named it."""
        self._named.add((origin.host, origin.port))

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
        named = (host.lower(), port) in self._named
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
            origin = _origin_or_refuse(url)
            request = self.client.build_request(
                'GET', url, headers=headers if origin == own else None, timeout=FETCH_TIMEOUT
            )
            response = await self._send(request, url)
            try:
                if not response.has_redirect_location:
                    _refuse_answer(response, url)
                    yield response
                    return
                url = urljoin(url, response.headers['location'])
            finally:
                await response.aclose()
        raise _fetch_failed(url, 'too many redirects')

    async def _send(self, request: httpx.Request, url: str) -> httpx.Response:
        try:
            return await self.client.send(request, stream=True)
        except Blocked as error:
            raise _blocked(url) from error
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
    text = str(error).strip() or type(error).__name__
    return next((words for sign, words in _SEEN if sign in text.lower()), text[:200])


def _origin_or_refuse(url: str) -> Origin:
    try:
        return origin_of(url)
    except Blocked as error:
        raise _blocked(url) from error


def _refuse_answer(response: httpx.Response, url: str) -> None:
    if response.status_code != 200:
        raise _fetch_failed(url, f'HTTP {response.status_code}', response.status_code)
    if response.headers.get('content-encoding', 'identity').lower() != 'identity':
        raise _fetch_failed(url, 'a compressed answer')


def _blocked(url: str) -> ProviderError:
    return ProviderError(Failure(kind=ErrorKind.BLOCKED_URL, url=url[:500]))


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

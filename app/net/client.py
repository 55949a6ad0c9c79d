"""The HTTP client, and what it may call.

Pictures from elsewhere have a client and connections of their own, so that none of them is fetched
over a connection that was opened to a provider, which may be anywhere.

httpx keeps a response that was read whole in a reference cycle, so nothing here reads one whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self
from urllib.request import getproxies_environment

import httpcore
import httpx

from app import __version__
from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.models import MOST_IMAGE_BYTES
from app.net.connections import IDLE_S, MOST_IDLE, NO_CONTEXT, ConnectPolicy
from app.net.names import LookUp, addresses_of
from app.net.urls import Address, Blocked, Origin, address_of, is_local, joined, origin_of

CONNECT_TIMEOUT_S = 10.0
FETCH_DEADLINE_S = 120.0
MOST_REDIRECTS = 5
MOST_URL_LETTERS = 500
FETCH_TIMEOUT = httpx.Timeout(FETCH_DEADLINE_S, connect=CONNECT_TIMEOUT_S)
PROXIED = {'http', 'https', 'all'}
REASONS = {
    'readerror': Reason.CONNECTION_RESET,
    'disconnected without': Reason.CLOSED_WITHOUT_AN_ANSWER,
    'incomplete': Reason.BROKE_OFF,
    'illegal chunk': Reason.BROKE_OFF,
    'peer closed': Reason.BROKE_OFF,
    'receive buffer': Reason.HEADERS_OVER_32_KIB,
    'interim': Reason.ONLY_INTERIM_ANSWERS,
}


class HttpClient:
    """The client for providers, the one for pictures from elsewhere, and the rules of both."""

    def __init__(
        self,
        named: Iterable[str] = (),  # origins of pictures, wherever they are
        transport: httpx.AsyncBaseTransport | None = None,
        look_up: LookUp = addresses_of,
        *,
        in_container: bool = False,  # `localhost` is not the machine that people mean
    ) -> None:
        self._named = [origin_of(url) for url in named]
        self._look_up = look_up
        self._own_ports: set[int] = set()
        self._transport = transport
        self._in_container = in_container
        self.policy = self._new_policy()
        self.policy.is_for_providers = True
        self._strict = self._new_policy()
        self.client = new_client(self._over(self.policy))
        # A trusted origin has a client of its own: no other provider uses its open connections.
        self._elsewhere: dict[Origin | None, httpx.AsyncClient] = {}

    async def close(self) -> None:
        for client in (self.client, *self._elsewhere.values()):
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def never_call(self, port: int) -> None:
        """Refuse a port of this machine from now on: this server itself listens there."""
        self._own_ports.add(port)

    def seen(self, error: Exception, origin: Origin) -> str:
        """Describe a failure at an origin, which may be the container itself, in a few words."""
        happened = what_happened(error)
        inside = self._in_container and is_local(origin.host)
        refused = happened == Reason.CONNECTION_REFUSED
        return Reason.CONNECTION_REFUSED_INSIDE if inside and refused else happened

    @asynccontextmanager
    async def picture(
        self, url: str, *, own: Origin, headers: dict[str, str], trusted: Collection[Origin] = ()
    ) -> AsyncIterator[httpx.Response]:
        """Open a picture's address and follow redirects; the body is not read yet.

        The provider's headers, its key among them, go to its `own` origin alone, until a redirect
        leads away; `trusted` ones may be private. Raise ProviderError: `blocked_url`, `too_large`,
        `image_fetch_failed`.
        """
        address, along = _parsed(url), headers
        for _ in range(MOST_REDIRECTS + 1):
            along = along if address.origin == own else {}
            client = self._client_for(address.origin, own, trusted)
            response = await self._send(client, address, along)
            try:
                if not response.has_redirect_location:
                    status = response.status_code
                    length = response.headers.get('content-length', '')
                    if status != 200:
                        raise _failed(address, f'HTTP {status}', status)
                    if length.isdecimal() and int(length) > MOST_IMAGE_BYTES:
                        raise too_large(address)
                    yield response
                    return
                address = _parsed(response.headers['location'], address)
            finally:
                await response.aclose()
        raise _failed(address, 'too many redirects')

    def _over(self, policy: ConnectPolicy) -> httpx.AsyncBaseTransport:
        """Return a transport for a policy, by the proxies that the environment names."""
        if self._transport:
            return self._transport
        named = getproxies_environment()
        if not PROXIED & named.keys():
            return _direct(policy)
        from app.net.proxies import ProxiedTransport  # which hardly any environment needs

        return ProxiedTransport(policy, named, _direct(policy), PooledTransport)

    def _new_policy(self, *trusted: Origin) -> ConnectPolicy:
        return ConnectPolicy((*self._named, *trusted), self._own_ports, self._look_up)

    def _client_for(
        self, origin: Origin, own: Origin, trusted: Collection[Origin]
    ) -> httpx.AsyncClient:
        if origin == own:
            return self.client
        place = origin if origin in trusted else None
        if place not in self._elsewhere:
            policy = self._new_policy(place) if place else self._strict
            self._elsewhere[place] = new_client(self._over(policy))
        return self._elsewhere[place]

    async def _send(
        self, client: httpx.AsyncClient, address: Address, headers: dict[str, str]
    ) -> httpx.Response:
        try:
            if client is not self.client:
                self._strict.refuse_other_scheme(address.origin)
            request = client.build_request(
                'GET',
                str(address),
                headers=headers,
                timeout=FETCH_TIMEOUT,
                extensions={'target': address.target.encode('ascii')},
            )
            return await client.send(request, stream=True)
        except Blocked as error:
            raise blocked(address, str(error)) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise blocked(address) from error
        except httpx.HTTPError as error:
            if 'in location header' in str(error):  # httpx reads it although it does not follow
                raise blocked(address) from error
            raise _failed(address, what_happened(error)) from error


class PooledTransport(httpx.AsyncHTTPTransport):
    """Sends over a pool, which httpx has no public way to be given."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool


def _direct(backend: httpcore.AsyncNetworkBackend) -> PooledTransport:
    """Make a transport whose connections go where `backend` lets them."""
    return PooledTransport(
        httpcore.AsyncConnectionPool(
            ssl_context=NO_CONTEXT,
            max_connections=None,
            max_keepalive_connections=MOST_IDLE,
            keepalive_expiry=IDLE_S,
            network_backend=backend,
        )
    )


def new_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Make a client: no proxy but the transport's, no cookies, no redirects, no encodings."""
    return httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        headers={'User-Agent': f'Easel/{__version__}', 'Accept-Encoding': 'identity'},
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
    )


def what_happened(error: Exception) -> str:
    """Describe an error of httpx in a few words, most of which `connections` wrote."""
    if isinstance(error, httpx.LocalProtocolError):  # its text may hold a header, and so the key
        return Reason.REQUEST_THAT_CAN_NOT_BE_SENT
    text = str(error).strip() or type(error).__name__
    otherwise = text[:200]
    if isinstance(error, httpx.ProxyError):  # else of the form `403 Forbidden`
        is_known = text in list(Reason)
        refused = Reason.PROXY_ASKS_WHO if text.startswith('407') else Reason.PROXY_REFUSES
        return text if is_known else refused
    if isinstance(error, httpx.RemoteProtocolError):
        otherwise = Reason.NOT_BY_THE_RULES_OF_HTTP
    elif isinstance(error, httpx.NetworkError) and not isinstance(error, httpx.ConnectError):
        otherwise = text if text in list(Reason) else Reason.CONNECTION_RESET
    return next((reason for part, reason in REASONS.items() if part in text.lower()), otherwise)


def _parsed(url: str, base: Address | None = None) -> Address:
    """Parse an address or the redirect of `base`, which must not lead from https to http."""
    try:
        found = joined(url, base) if base else address_of(url)
        if base and (base.origin.scheme, found.origin.scheme) == ('https', 'http'):
            raise Blocked('a redirect from https to http')
    except Blocked as error:
        raise blocked(url, str(error)) from error
    return found


def blocked(url: object, reason: str = 'a malformed address') -> ProviderError:
    return _failed(url, reason, kind=ErrorKind.BLOCKED_URL)


def too_large(url: object) -> ProviderError:
    return _failed(url, 'over 64 MiB', kind=ErrorKind.TOO_LARGE)


def _failed(
    url: object,
    reason: str,
    status: int | None = None,
    kind: ErrorKind = ErrorKind.IMAGE_FETCH_FAILED,
) -> ProviderError:
    url = str(url)[:MOST_URL_LETTERS]
    return ProviderError(Failure(kind=kind, url=url, reason=reason, http_status=status))

"""The proxy of the environment, for public addresses alone.

A name that is private here, and any address that is, is never handed to a proxy: it is connected to
directly, or refused, as without one. A name that nobody here knows is the proxy's to look up, and
so is a public one: what it connects to cannot be checked from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from app.errors import Reason
from app.net.connections import IDLE_S, MOST_IDLE, NO_CONTEXT, ConnectPolicy
from app.net.urls import USUAL_PORTS, Origin, canonical_host

OPENED, TUNNELLED = {'connection.connect_tcp.complete'}, 'proxy.start_tls.started'
PROXY_PORTS = {'http': 80, 'https': 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy and how to sign in to it."""

    origin: Origin
    login: tuple[str, str] | None = field(default=None, repr=False)


class ProxiedTransport(httpx.AsyncBaseTransport):
    """Sends to public addresses by the proxies that `named` has for each scheme."""

    def __init__(
        self,
        policy: ConnectPolicy,
        named: Mapping[str, str],
        direct: httpx.AsyncBaseTransport,
        over: Callable[[httpcore.AsyncConnectionPool], httpx.AsyncBaseTransport],
    ) -> None:
        self._policy = policy
        self._named = dict(named)
        self._direct = direct
        self._over = over
        self._pools: dict[Proxy, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send; raises httpx.ProxyError with a `Reason` where no connection comes about."""
        named = self._named_for(request.url)
        if not named or not await self._policy.sees_in_public(request.url.host):
            return await self._direct.handle_async_request(request)
        proxy = proxy_of(named)
        if proxy:
            return await self._through(proxy).handle_async_request(request)
        try:
            return await self._direct.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise httpx.ProxyError(Reason.PROXY_OF_ANOTHER_KIND) from error

    async def aclose(self) -> None:
        for transport in (self._direct, *self._pools.values()):
            await transport.aclose()

    def _named_for(self, url: httpx.URL) -> str:
        named = self._named.get(url.scheme) or self._named.get('all', '')
        port = url.port or USUAL_PORTS[url.scheme]
        return '' if is_left_out(url.host, port, self._named.get('no', '')) else named

    def _through(self, proxy: Proxy) -> httpx.AsyncBaseTransport:
        if proxy not in self._pools:
            origin = proxy.origin
            host = f'[{origin.host}]' if ':' in origin.host else origin.host
            self._pools[proxy] = self._over(
                _Pool(
                    f'{origin.scheme}://{host}:{origin.port}',
                    proxy_auth=proxy.login,
                    ssl_context=NO_CONTEXT,
                    proxy_ssl_context=NO_CONTEXT if origin.scheme == 'https' else None,
                    max_connections=None,
                    max_keepalive_connections=MOST_IDLE,
                    keepalive_expiry=IDLE_S,
                    network_backend=_ToProxy(origin),
                )
            )
        return self._pools[proxy]


class _Pool(httpcore.AsyncHTTPProxy):
    """Connections by a proxy, which is told where a request goes, and not its path alone."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        # It is in the request's address by now, and would take the place of CONNECT's own.
        others = {name: value for name, value in request.extensions.items() if name != 'target'}
        seen = set[str]()

        async def note(event: str, _: object) -> None:
            seen.add(event)

        request.extensions = {**others, 'trace': note}
        try:
            return await super().handle_async_request(request)
        except (httpcore.RemoteProtocolError, httpcore.NetworkError) as error:
            is_before_tunnel = seen & OPENED and TUNNELLED not in seen
            if request.url.scheme == b'https' and is_before_tunnel:  # nothing was sent beyond it
                raise httpcore.ProxyError(Reason.PROXY_REFUSES) from error
            raise


class _ToProxy(ConnectPolicy):
    """Connects to a proxy, wherever it is."""

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self.trust(origin)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await super().connect_tcp(host, port, timeout, local_address, socket_options)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise httpcore.ProxyError(Reason.PROXY_CANNOT_BE_REACHED) from error


def is_left_out(host: str, port: int, listed: str) -> bool:
    """Check whether a list as in NO_PROXY names a host: `*`, a domain, host and port, a network."""
    for entry in listed.lower().replace(' ', ',').split(','):
        name = entry.removeprefix('*').removeprefix('.')
        if entry == '*' or (name and f'.{host}'.endswith(f'.{name}')) or name == f'{host}:{port}':
            return True
        with suppress(ValueError):
            if '/' in entry and ip_address(host) in ip_network(entry, strict=False):
                return True
    return False


def proxy_of(named: str) -> Proxy | None:
    """Parse what a variable says; None for what is no HTTP proxy, like `socks5://…`."""
    try:
        parts = urlsplit(named if '://' in named else f'http://{named}')
        if parts.scheme not in PROXY_PORTS or not parts.hostname:
            return None
        port = parts.port or PROXY_PORTS[parts.scheme]
        origin = Origin(parts.scheme, canonical_host(parts.hostname), port)
    except ValueError:
        return None
    login = (unquote(parts.username or ''), unquote(parts.password or ''))
    return Proxy(origin, login if parts.username else None)

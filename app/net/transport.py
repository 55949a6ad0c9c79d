"""The transport of httpx over connections of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl

MOST_IDLE = 20
IDLE_S = 5.0


class PooledTransport(httpx.AsyncHTTPTransport):
    """Sends over a pool, which httpx has no public way to be given."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool


class _NoContext:
    """Stands for the TLS context, which connections bring themselves: an unused one is 0.4 MB."""

    def set_alpn_protocols(self, protocols: list[str]) -> None:
        """Leave them: the connection's own context has them."""


NO_CONTEXT = cast('ssl.SSLContext', _NoContext())


def direct_transport(backend: httpcore.AsyncNetworkBackend) -> PooledTransport:
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

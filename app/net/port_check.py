"""Tells whether anything listens at ports of this machine, without loading an HTTP client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection

from app.net.urls import LOOPBACK, Blocked, origin_of

CONNECT_S = 1.0


async def is_refused(url: str) -> bool:
    """Whether the address is one of this machine at which nothing listens."""
    try:
        origin = origin_of(url)
    except (Blocked, ValueError):
        return False
    hosts = LOOPBACK if origin.host == 'localhost' else (origin.host,)
    return not await listens(hosts, {origin.port})


async def listens(hosts: Collection[str], ports: Collection[int]) -> bool:
    """Whether anything listens at any of these ports, or may: other machines are not asked."""
    if not {*hosts} <= {*LOOPBACK}:
        return True
    refusing = (_refuses(host, port) for host in hosts for port in ports)
    return not all(await asyncio.gather(*refusing))


async def _refuses(host: str, port: int) -> bool:
    """Whether a connection fails at once; a machine without IPv6 has nothing there either."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CONNECT_S):
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                return True
            writer.close()
    return False

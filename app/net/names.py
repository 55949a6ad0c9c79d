"""Looks up the addresses of a host, without loading an HTTP client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeAlias

LookUp: TypeAlias = Callable[[str, int], Awaitable[list[str]]]  # raises `OSError`


async def addresses_of(host: str, port: int) -> list[str]:
    """Look up the addresses of a host; never empty, but for `OSError`."""
    loop = asyncio.get_running_loop()
    try:
        name = host.encode('ascii')  # a text would load the tables of IDNA
        found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError('not the name of a host') from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))

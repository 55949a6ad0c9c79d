"""The outermost wall: how long a connection may take to ask, and how many one visitor holds.

uvicorn has no deadline for receiving a request. These protocols add one to its own, and keep the
two parsers from passing on what they see differently from a proxy in front.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.log import logger
from app.server.limits import ConnectionLimiter

if TYPE_CHECKING:
    import asyncio

log = logger(__name__)


def protocol(gate: ConnectionLimiter, parser: str = '') -> Callable[..., asyncio.Protocol]:
    """Choose the protocol: `httptools` where there is a wheel of it, else `h11`."""
    if parser != 'h11':
        try:
            from app.server.httptools_protocol import HttptoolsDeadlineProtocol
        except ImportError:
            log.info('httptools is not installed; h11 reads the requests')
        else:
            return partial(HttptoolsDeadlineProtocol, gate=gate)
    from app.server.h11_protocol import H11DeadlineProtocol

    return partial(H11DeadlineProtocol, gate=gate)

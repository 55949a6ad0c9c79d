"""The image servers around this Easel: looked for when nobody set an address, or when asked to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.log import logger
from app.net.connect_policy import LookUp
from app.net.streams import addresses_of
from app.net.urls import DOCKER_HOST
from app.providers.discovery.environment import LOOPBACK, ROOT, is_container, look_around

if TYPE_CHECKING:
    from app.providers.discovery.scan import FoundServer

log = logger(__name__)

# A gateway may be somebody's router: nobody knocks at its ports unasked.
UNASKED = (*LOOPBACK, DOCKER_HOST)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has found.

    Attributes:
        at: When it ended, in seconds since 1970, UTC.
    """

    found: tuple[FoundServer, ...]
    at: float


class LocalServers:
    """Looks around, one look at a time, and remembers what the last one found.

    Args:
        root: Where the marks of a container are looked for.
        ports: The usual port of a server, and the one to ask in its place; the usual ones if None.

    Attributes:
        in_container: Whether `localhost` is a container.
        seen: What the last look found; None before the first has ended.
    """

    def __init__(
        self,
        root: Path = ROOT,
        ports: Mapping[int, int] | None = None,
        look_up: LookUp = addresses_of,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.in_container = is_container(root)
        self.seen: Seen | None = None
        self._root = root
        self._ports = ports
        self._look_up = look_up
        self._clock = clock
        self._own_ports: set[int] = set()
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_looking(self) -> bool:
        """Whether a look is under way."""
        return self._looking is not None and not self._looking.done()

    def never_ask(self, port: int) -> None:
        """Take note of a port where this Easel listens, so that it never finds itself."""
        self._own_ports.add(port)

    async def look(self) -> None:
        """Look wherever a server may be, or wait for the look that is under way."""
        await self._joined(())

    async def look_unasked(self) -> None:
        """Look on this machine, and at the host that Docker names, as nobody asked for more."""
        await self._joined(UNASKED)

    async def close(self) -> None:
        """Stop looking."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _joined(self, only: Collection[str]) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(only), name='look around')
        await asyncio.shield(self._looking)

    async def _look(self, only: Collection[str]) -> None:
        from app.providers.discovery.scan import SAME_PORTS, discover  # most starts never need it

        around = await look_around(self._root, self._look_up)
        ports = SAME_PORTS if self._ports is None else self._ports
        hosts = [host for host in around.hosts if not only or host in only]
        found = await discover(hosts, ports, self._own_ports)
        self.seen = Seen(found, self._clock())
        log.info('looked for image servers and found %s', len(found))

"""The search for image servers on this machine, at the start or on demand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.log import logger
from app.net.connections import LookUp, addresses_of
from app.net.urls import DOCKER_HOST
from app.providers.discovery.environment import LOOPBACK, ROOT, find_environment, is_container

if TYPE_CHECKING:
    from app.providers.discovery.scan import FoundServer

log = logger(__name__)

# A gateway may be somebody's router: its ports are scanned on demand only.
UNASKED = (*LOOPBACK, DOCKER_HOST)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search that ended `at` that many seconds since 1970, UTC."""

    found: tuple[FoundServer, ...]
    at: float


class LocalServers:
    """Searches one at a time and keeps the last result.

    Attributes:
        in_container: Whether `localhost` is a container.
        seen: The last result; None before the first search has ended.
    """

    def __init__(
        self,
        root: Path = ROOT,
        ports: Mapping[int, int] | None = None,
        look_up: LookUp = addresses_of,
    ) -> None:
        """Search at `ports`: for the usual port of a server, the one to ask in its place."""
        self.in_container = is_container(root)
        self.seen: SearchResult | None = None
        self._root = root
        self._ports = ports
        self._look_up = look_up
        self._own_ports: set[int] = set()
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_looking(self) -> bool:
        return self._looking is not None and not self._looking.done()

    def never_ask(self, port: int) -> None:
        """Add a port where this Easel listens, so that it never finds itself."""
        self._own_ports.add(port)

    async def look(self, only: Collection[str] = ()) -> None:
        """Search every host, or these alone, or wait for the search that is under way."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(only), name='find servers')
        await asyncio.shield(self._looking)

    async def look_unasked(self) -> None:
        """Search this machine and the host that Docker names."""
        await self.look(UNASKED)

    async def close(self) -> None:
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self, only: Collection[str]) -> None:
        from app.providers.discovery.scan import SAME_PORTS, discover  # most starts never need it

        environment = await find_environment(self._root, self._look_up)
        ports = SAME_PORTS if self._ports is None else self._ports
        hosts = [host for host in environment.hosts if not only or host in only]
        self.seen = SearchResult(await discover(hosts, ports, self._own_ports), time.time())
        log.info('searched for image servers and found %s', len(self.seen.found))

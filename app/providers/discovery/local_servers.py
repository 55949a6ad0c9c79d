"""The hosts that may run an image server, in a container its host too, and the search there."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.log import logger
from app.net.names import LookUp, addresses_of
from app.net.port_check import listens
from app.net.urls import DOCKER_HOST, LOOPBACK

if TYPE_CHECKING:
    from app.providers.discovery.scan import FoundServer

log = logger(__name__)

NAME_S = 1.0
ROOT = Path('/')
UP_AND_GATEWAY = 0x3
UNASKED = (*LOOPBACK, DOCKER_HOST)  # a gateway may be somebody's router: on demand only
_CONTAINER = re.compile(r'docker|kubepods|containerd|libpod|/lxc')


@dataclass(frozen=True, slots=True)
class HostEnvironment:
    """The machine of this Easel, and where an image server may be, loopback addresses first."""

    in_container: bool
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search that ended `at` that many seconds since 1970, UTC."""

    found: tuple[FoundServer, ...]
    at: float


async def find_environment(root: Path = ROOT, look_up: LookUp = addresses_of) -> HostEnvironment:
    if not await asyncio.to_thread(is_container, root):
        return HostEnvironment(in_container=False, hosts=LOOPBACK)
    docker_host: list[str] = []
    with contextlib.suppress(OSError):
        async with asyncio.timeout(NAME_S):
            docker_host = await look_up(DOCKER_HOST, 80)
    gateway = await asyncio.to_thread(gateway_of, root)
    more = [DOCKER_HOST] if docker_host else []
    if gateway and gateway not in docker_host:
        more.append(gateway)
    return HostEnvironment(in_container=True, hosts=(*LOOPBACK, *more))


def is_container(root: Path = ROOT) -> bool:
    files = (root / '.dockerenv', root / 'run/.containerenv')
    if any(file.exists() for file in files):
        return True
    return bool(_CONTAINER.search(_text_of(root / 'proc/1/cgroup')))


def gateway_of(root: Path = ROOT) -> str:
    """Return the IPv4 address of the default gateway; empty where there is none."""
    for line in _text_of(root / 'proc/net/route').splitlines()[1:]:
        columns = line.split()
        if len(columns) < 4 or columns[1] != '00000000':
            continue
        with contextlib.suppress(ValueError, OverflowError):
            flags, number = int(columns[3], 16), int(columns[2], 16)
            if flags & UP_AND_GATEWAY == UP_AND_GATEWAY:
                return socket.inet_ntoa(number.to_bytes(4, 'little'))
    return ''


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding='ascii', errors='replace')
    except OSError:
        return ''


class LocalServers:
    """Searches one at a time, at `ports` in place of the usual ones, and keeps the last result."""

    def __init__(
        self,
        root: Path = ROOT,
        ports: Mapping[int, int] | None = None,
        look_up: LookUp = addresses_of,
    ) -> None:
        self.in_container = is_container(root)
        self.seen: SearchResult | None = None  # before the first search has ended
        self._root, self._ports, self._look_up = root, ports, look_up
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

    async def close(self) -> None:
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self, only: Collection[str]) -> None:
        from app.providers.discovery.fingerprints import SAME_PORTS  # most starts never need it

        environment = await find_environment(self._root, self._look_up)
        ports = SAME_PORTS if self._ports is None else self._ports
        hosts = [host for host in environment.hosts if not only or host in only]
        found: tuple[FoundServer, ...] = ()
        if await listens(hosts, {*ports.values()} - self._own_ports):
            from app.providers.discovery.scan import discover

            found = await discover(hosts, ports, self._own_ports)
        self.seen = SearchResult(found, time.time())
        log.info('searched for image servers and found %s', len(self.seen.found))

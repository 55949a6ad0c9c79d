"""The hosts that may run an image server beside this Easel: in a container, its host too."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass
from pathlib import Path

import httpcore

from app.net.connections import LookUp, addresses_of
from app.net.urls import DOCKER_HOST

LOOPBACK = ('127.0.0.1', '::1')
NAME_S = 1.0
ROOT = Path('/')
CONTAINER_FILES = ('.dockerenv', 'run/.containerenv')
UP_AND_GATEWAY = 0x3

_CONTAINER = re.compile(r'docker|kubepods|containerd|libpod|/lxc')


@dataclass(frozen=True, slots=True)
class HostEnvironment:
    """The machine of this Easel, and where an image server may be, loopback addresses first."""

    in_container: bool
    hosts: tuple[str, ...]


async def find_environment(root: Path = ROOT, look_up: LookUp = addresses_of) -> HostEnvironment:
    if not await asyncio.to_thread(is_container, root):
        return HostEnvironment(in_container=False, hosts=LOOPBACK)
    docker_host: list[str] = []
    try:
        async with asyncio.timeout(NAME_S):
            docker_host = await look_up(DOCKER_HOST, 80)
    except (TimeoutError, httpcore.ConnectError):
        pass
    gateway = await asyncio.to_thread(gateway_of, root)
    more = [DOCKER_HOST] if docker_host else []
    if gateway and gateway not in docker_host:
        more.append(gateway)
    return HostEnvironment(in_container=True, hosts=(*LOOPBACK, *more))


def is_container(root: Path = ROOT) -> bool:
    if any((root / file).exists() for file in CONTAINER_FILES):
        return True
    return bool(_CONTAINER.search(_text_of(root / 'proc/1/cgroup')))


def gateway_of(root: Path = ROOT) -> str:
    """Return the IPv4 address of the default gateway; empty where there is none."""
    for line in _text_of(root / 'proc/net/route').splitlines()[1:]:
        columns = line.split()
        if len(columns) < 4 or columns[1] != '00000000':
            continue
        try:
            flags, number = int(columns[3], 16), int(columns[2], 16)
            if flags & UP_AND_GATEWAY == UP_AND_GATEWAY:
                return socket.inet_ntoa(number.to_bytes(4, 'little'))
        except (ValueError, OverflowError):
            continue
    return ''


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding='ascii', errors='replace')
    except OSError:
        return ''

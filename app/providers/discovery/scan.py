"""Search of the usual ports for image servers, each known by its responses."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from app.config import DEFAULT_PORT
from app.net.client import HttpClient
from app.net.urls import LOOPBACK
from app.providers.core.base import Dialect
from app.providers.discovery.fingerprints import (
    NEEDS_KEY,
    NO_MODEL,
    SAME_PORTS,
    UNUSABLE,
    Fingerprint,
    fingerprints_at,
)
from app.providers.discovery.model_list import aside, drawing_in, models_in, printable
from app.providers.discovery.probe import NoResponse, ProbeResponse, probe

RESPONSE_S = 1.0
PORT_S = 4.0


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server that was found, and the base of its images API to propose."""

    server: str
    base_url: str
    dialect: Dialect
    hint: str  # a marked sentence on what it needs first, or why it is of no use; or empty
    models: tuple[str, ...] = ()  # to suggest, those that draw first; printable ones only
    model: str = ''  # the one to ask for when nobody chose; empty: the server chooses

    @property
    def usable(self) -> bool:
        return self.hint not in UNUSABLE


async def discover(
    hosts: Sequence[str] = LOOPBACK,
    ports: Mapping[int, int] = SAME_PORTS,
    own_ports: Collection[int] = (),
) -> tuple[FoundServer, ...]:
    """Ask every usual port of these hosts at once, by GET and without a key; usable ones first.

    `ports` names for a usual port the one to ask in its place; at `own_ports` this Easel listens.
    """
    avoided = {DEFAULT_PORT, *own_ports}
    places = [
        _Place(host, usual, port)
        for usual, port in ports.items()
        for host in hosts
        if port not in (avoided if host in LOOPBACK else {DEFAULT_PORT})
    ]
    async with HttpClient(place.origin for place in places) as http_client:
        servers = await asyncio.gather(*(_identify(http_client, place) for place in places))
    found = _one_machine({place: one for place, one in zip(places, servers, strict=True) if one})
    return tuple(sorted(found, key=lambda one: not one.usable))


@dataclass(frozen=True, slots=True)
class _Place:
    """A port of a host, and the usual port that it stands for."""

    host: str
    usual: int
    port: int

    @property
    def origin(self) -> str:
        host = f'[{self.host}]' if ':' in self.host else self.host
        return f'http://{host}:{self.port}'


async def _identify(http_client: HttpClient, place: _Place) -> FoundServer | None:
    """Identify the server at a port; the first request without a response is the last one."""
    responses: dict[str, ProbeResponse] = {}

    async def get(path: str) -> ProbeResponse:
        if path not in responses:
            responses[path] = await probe(http_client, f'{place.origin}{path}', RESPONSE_S)
        return responses[path]

    with contextlib.suppress(NoResponse, TimeoutError):
        async with asyncio.timeout(PORT_S):
            for fingerprint in fingerprints_at(place.usual):
                for path, proves in fingerprint.proofs.items():
                    if not proves(await get(path)):
                        break
                else:
                    return await _describe(get, place.origin, fingerprint)
    return None


async def _describe(
    get: Callable[[str], Awaitable[ProbeResponse]], origin: str, fingerprint: Fingerprint
) -> FoundServer:
    dialect, base, path = fingerprint.dialect, fingerprint.base, fingerprint.models
    found = FoundServer(fingerprint.server, f'{origin}{base}', dialect, fingerprint.hint)
    path = f'{base}/models' if path is None else path
    if not path or not found.usable:
        return found
    try:
        response = await get(path)
    except NoResponse:
        return found
    if response.status in (401, 403):
        return replace(found, hint=NEEDS_KEY)
    if response.status != 200 or response.json is None:
        return found
    # An `sdapi` server lists checkpoints, which all draw, and its own choice is left as it is
    # loaded, since changing it takes long.
    listed = await aside(response.json, models_in)
    draws = listed if dialect is Dialect.SDAPI else await aside(response.json, drawing_in)
    if fingerprint.marks_drawing and not draws:
        return replace(found, hint=NO_MODEL)
    models = printable(listed)
    first = next((name for name in draws if name in models), models[0] if len(models) == 1 else '')
    return replace(found, models=models, model='' if dialect is Dialect.SDAPI else first)


def _one_machine(found: Mapping[_Place, FoundServer]) -> list[FoundServer]:
    """Merge a server at both loopback addresses, unless two different ones share its port."""
    servers: dict[int, set[str]] = defaultdict(set)
    for place, one in found.items():
        servers[place.port].add(one.server)
    rows: dict[str, FoundServer] = {}
    for place, one in found.items():
        if place.host in LOOPBACK and len(servers[place.port]) == 1:
            local = f'http://localhost:{place.port}'
            one = replace(one, base_url=one.base_url.replace(place.origin, local, 1))
        rows.setdefault(one.base_url, one)
    return list(rows.values())

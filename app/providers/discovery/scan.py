"""Search of the usual ports for image servers, each known by its responses."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from app.config import DEFAULT_PORT
from app.net.client import HttpClient
from app.providers.core.base import Dialect
from app.providers.discovery.environment import LOOPBACK
from app.providers.discovery.fingerprints import (
    NEEDS_KEY,
    NO_MODEL,
    USUAL_PORTS,
    Fingerprint,
    fingerprints_at,
)
from app.providers.discovery.model_list import drawing_in, models_in
from app.providers.discovery.probe import NoResponse, ProbeResponse, probe

RESPONSE_S = 1.0
PORT_S = 4.0
SAME_PORTS = MappingProxyType({port: port for port in USUAL_PORTS})


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server that was found.

    Attributes:
        base_url: The images base to propose, `http://localhost:1337/v1`.
        models: Names to suggest, those that draw first; what cannot be printed is left out.
        model: The one to ask for when nobody chose; empty: the server chooses.
        usable: Whether Easel can draw with it.
        hint: A marked sentence on what it needs first, or why it is of no use; or empty.
    """

    server: str
    base_url: str
    dialect: Dialect
    models: tuple[str, ...]
    usable: bool
    hint: str
    model: str = ''


async def discover(
    hosts: Sequence[str] = LOOPBACK,
    ports: Mapping[int, int] = SAME_PORTS,
    own_ports: Collection[int] = (),
) -> tuple[FoundServer, ...]:
    """Ask every usual port of these hosts at once, by GET and without a key; usable ones first.

    Args:
        hosts: Names or addresses; the two loopback addresses count as one machine.
        ports: The usual port of a server, and the one to ask in its place.
        own_ports: Where this Easel listens on this machine, so that it never finds itself.
    """
    avoided = {DEFAULT_PORT, *own_ports}
    places = [
        _Place(host, usual, port)
        for usual, port in ports.items()
        for host in hosts
        if port not in (avoided if host in LOOPBACK else {DEFAULT_PORT})
    ]
    http_client = HttpClient(place.origin for place in places)
    try:
        servers = await asyncio.gather(*(_identify(http_client, place) for place in places))
    finally:
        await http_client.close()
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

    @property
    def local(self) -> str:
        return f'http://localhost:{self.port}'


@dataclass(slots=True)
class _Port:
    """One port with its responses; no path is asked twice."""

    http_client: HttpClient
    origin: str
    responses: dict[str, ProbeResponse] = field(default_factory=dict)

    async def get(self, path: str) -> ProbeResponse:
        """Return the response to a GET of a path.

        Raises:
            NoResponse: Nothing whole came in time.
        """
        if path not in self.responses:
            url = f'{self.origin}{path}'
            self.responses[path] = await probe(self.http_client, url, deadline_s=RESPONSE_S)
        return self.responses[path]

    async def matches(self, fingerprint: Fingerprint) -> bool:
        """Check all proofs of a server.

        Raises:
            NoResponse: Nothing whole came in time.
        """
        for path, proves in fingerprint.proofs.items():
            if not proves(await self.get(path)):
                return False
        return True


async def _identify(http_client: HttpClient, place: _Place) -> FoundServer | None:
    """Identify the server at a port; the first request without a response is the last one."""
    port = _Port(http_client, place.origin)
    try:
        async with asyncio.timeout(PORT_S):
            for fingerprint in fingerprints_at(place.usual):
                if await port.matches(fingerprint):
                    return await _describe(port, fingerprint)
    except (NoResponse, TimeoutError):
        return None
    return None


async def _describe(port: _Port, fingerprint: Fingerprint) -> FoundServer:
    found = FoundServer(
        server=fingerprint.server,
        base_url=f'{port.origin}{fingerprint.base}',
        dialect=fingerprint.dialect,
        models=(),
        usable=fingerprint.usable,
        hint=fingerprint.hint,
    )
    if not fingerprint.models or not fingerprint.usable:
        return found
    try:
        response = await port.get(fingerprint.models)
    except NoResponse:
        return found
    if response.status in (401, 403):
        return replace(found, hint=NEEDS_KEY)
    if response.status != 200 or response.json is None:
        return found
    if fingerprint.marks_drawing and not _draws(response, fingerprint):
        return replace(found, usable=False, hint=NO_MODEL)
    models = tuple(name for name in models_in(response.json) if name.isprintable())
    return replace(found, models=models, model=_model(models, response, fingerprint))


def _model(models: tuple[str, ...], response: ProbeResponse, fingerprint: Fingerprint) -> str:
    """Choose one that draws; a checkpoint is left as it is loaded, since changing it takes long."""
    if fingerprint.dialect is Dialect.SDAPI:
        return ''
    draws = [name for name in drawing_in(response.json) if name in models]
    return next(iter(draws), models[0] if len(models) == 1 else '')


def _draws(response: ProbeResponse, fingerprint: Fingerprint) -> bool:
    if fingerprint.dialect is Dialect.SDAPI:
        return bool(models_in(response.json))
    return bool(drawing_in(response.json))


def _one_machine(found: Mapping[_Place, FoundServer]) -> list[FoundServer]:
    """Take a server that answers at both loopback addresses as one, at `localhost`.

    Where two different ones share a port, each keeps its own address.
    """
    servers: dict[str, set[str]] = defaultdict(set)
    for place, one in found.items():
        servers[place.local].add(one.server)
    rows: dict[str, FoundServer] = {}
    for place, one in found.items():
        if place.host in LOOPBACK and len(servers[place.local]) == 1:
            one = replace(one, base_url=one.base_url.replace(place.origin, place.local, 1))
        rows.setdefault(one.base_url, one)
    return list(rows.values())

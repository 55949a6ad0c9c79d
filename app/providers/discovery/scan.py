"""Finds the image servers of this machine: known ports, each told apart by what it answers."""

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
    Known,
    known_at,
)
from app.providers.discovery.model_list import drawing_in, models_in
from app.providers.discovery.probe import Reply, Silent, probe

ANSWER_S = 1.0
PORT_S = 4.0
SAME_PORTS = MappingProxyType({port: port for port in USUAL_PORTS})


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answers.

    Attributes:
        base_url: The images base to propose, `http://localhost:1337/v1`.
        models: Names to suggest, those that draw first; what can't be printed is left out.
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
) -> tuple[Found, ...]:
    """Ask every known port of these hosts at once, by GET alone, without a key; usable ones first.

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
        answers = await asyncio.gather(*(_at(http_client, place) for place in places))
    finally:
        await http_client.close()
    found = _one_machine({place: one for place, one in zip(places, answers, strict=True) if one})
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
    """One port that is being asked; nothing is asked twice."""

    http_client: HttpClient
    origin: str
    replies: dict[str, Reply] = field(default_factory=dict)

    async def get(self, path: str) -> Reply:
        """Ask for a path.

        Raises:
            Silent: Nothing whole came.
        """
        if path not in self.replies:
            url = f'{self.origin}{path}'
            self.replies[path] = await probe(self.http_client, url, deadline_s=ANSWER_S)
        return self.replies[path]

    async def is_of(self, known: Known) -> bool:
        """Whether all signs of a server hold.

        Raises:
            Silent: Nothing whole came.
        """
        for sign in known.signs:
            if not sign.holds(await self.get(sign.path)):
                return False
        return True


async def _at(http_client: HttpClient, place: _Place) -> Found | None:
    """Say who is there; a port where one question gets no answer is asked no other."""
    port = _Port(http_client, place.origin)
    try:
        async with asyncio.timeout(PORT_S):
            for known in known_at(place.usual):
                if await port.is_of(known):
                    return await _described(port, known)
    except (Silent, TimeoutError):
        return None
    return None


async def _described(port: _Port, known: Known) -> Found:
    found = Found(
        server=known.server,
        base_url=f'{port.origin}{known.base}',
        dialect=known.dialect,
        models=(),
        usable=known.usable,
        hint=known.hint,
    )
    if not known.models:
        return found
    try:
        reply = await port.get(known.models)
    except Silent:
        return found
    if reply.status in (401, 403):
        return replace(found, hint=NEEDS_KEY)
    if reply.status != 200 or reply.tree is None:
        return found
    if known.tells and not _draws(reply, known):
        return replace(found, usable=False, hint=NO_MODEL)
    models = tuple(name for name in models_in(reply.tree) if name.isprintable())
    return replace(found, models=models, model=_model(models, reply, known))


def _model(models: tuple[str, ...], reply: Reply, known: Known) -> str:
    """Choose one that draws; a checkpoint is left as it is loaded, since changing it takes long."""
    if known.dialect is Dialect.SDAPI:
        return ''
    draws = [name for name in drawing_in(reply.tree) if name in models]
    return next(iter(draws), models[0] if len(models) == 1 else '')


def _draws(reply: Reply, known: Known) -> bool:
    if known.dialect is Dialect.SDAPI:
        return bool(models_in(reply.tree))
    return bool(drawing_in(reply.tree))


def _one_machine(found: Mapping[_Place, Found]) -> list[Found]:
    """Take a server that answers at both loopback addresses as one, at `localhost`.

    Where two different ones share a port, each keeps its own address.
    """
    there: dict[str, set[str]] = defaultdict(set)
    for place, one in found.items():
        there[place.local].add(one.server)
    rows: dict[str, Found] = {}
    for place, one in found.items():
        if place.host in LOOPBACK and len(there[place.local]) == 1:
            one = replace(one, base_url=one.base_url.replace(place.origin, place.local, 1))
        rows.setdefault(one.base_url, one)
    return list(rows.values())

"""Fires random requests at the whole app, with and without a socket; says what came of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.types import ASGIApp

from app.errors import AppError
from app.web.context import Services
from tests.support.fuzz_requests import Shot
from tests.support.raw_requests import Address, addresses, knock
from tests.support.rows import failed, pictured, running, submitted

TOLD = {kind.status for kind in AppError.__subclasses__()}
PATIENCE_S = 15  # Easel itself waits 10 s for a request
# They look around on this machine, let the network in, and lock out who fires.
LEFT_OUT = {Address('POST', path) for path in ('/settings/found', '/share', '/settings/password')}
BEYOND = ('/', '', '//', '/nope', '/{}', '/{}/{}', '/v1/models', '/.env', '/static', '/api/{}')


@dataclass(slots=True)
class Fired:
    """What came back.

    Attributes:
        faults: What must not be: 500, a status that no `AppError` has, an exception.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def targets(services: Services) -> list[Address]:
    """List what to fire at: the routes, and beyond."""
    beyond = [Address(method, path) for path in BEYOND for method in ('GET', 'POST')]
    every = dict.fromkeys([*addresses(services), *beyond])
    return [one for one in every if one not in LEFT_OUT]


async def fire(app: ASGIApp, shots: Iterable[Shot], fired: Fired) -> None:
    """Send each, one after the other."""
    for shot in shots:
        try:
            answered = await knock(app, shot.method, shot.target, *shot.headers, body=shot.body)
        except Exception as error:
            fired.faults.append(f'{shot.method} {shot.target[:80]}: {error!r:.300}')
            continue
        fired.statuses[answered.status] += 1
        if answered.status >= 500 and answered.status not in TOLD:
            fired.faults.append(f'{shot.method} {shot.target[:80]}: {answered.status}')


async def fire_raw(port: int, shots: Iterable[Shot], fired: Fired) -> None:
    """Send each over a connection of its own; 0 stands for a line that is closed unanswered."""
    for shot in shots:
        reader, writer = await asyncio.open_connection('127.0.0.1', port)
        writer.write(shot.raw)
        line = b''
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                line = await reader.readline()
        writer.close()
        status = int(line.split(b' ')[1]) if line.startswith(b'HTTP/1.1 ') else 0
        fired.statuses[status] += 1
        if (status >= 500 and status not in TOLD) or (line and not status):
            fired.faults.append(f'{shot.method} {shot.target[:80]}: {line!r:.200}')


async def furnish(services: Services) -> None:
    """Write generations of every ending, so that the addresses lead somewhere."""
    library = services.library
    for number in range(3):
        await pictured(library, f'a cat {number}')
    refused = await running(library)
    await library.generations.finish(refused, failed(), 3.0)
    waiting = await submitted(library)
    await library.generations.cancel(waiting.id, 3.0)

"""An Easel with a password, guests of every kind and pictures of each, asked without a socket."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from starlette.types import ASGIApp

from app.models import Outcome, Status
from app.models.request import GenerationRequest
from app.web.context import Services
from tests.support.fakes import received_in
from tests.support.labelled_pictures import label_of, saved
from tests.support.raw_requests import FORM, HOME, LOOPBACK, Answered, knock, open_door

PASSWORD = 'open sesame'
LAN = '192.168.1.20'
JSON = (b'accept', b'application/json')
KINDS = {'maker': (True, False), 'looker': (False, True), 'both': (True, True)}


@dataclass(slots=True)
class Party:
    """The house, and how each of them asks.

    Attributes:
        headers: By who it is; nothing for a stranger.
        tokens: What each guest's link ends in.
        ids: Of each guest.
        made: The generation, and at once the picture, of everybody.
    """

    app: ASGIApp
    services: Services
    headers: dict[str, tuple[tuple[bytes, bytes], ...]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)

    async def request(
        self, who: str, method: str, path: str, *more: tuple[bytes, bytes], **fields: str
    ) -> Answered:
        """Send one request as somebody, from the network."""
        headers = [*self.headers.get(who, ()), *more]
        body = urlencode(fields).encode()
        if method == 'POST':
            headers += [FORM, (b'origin', b'http://localhost')]
        return await knock(self.app, method, path, HOME, *headers, peer=LAN, body=body)


@asynccontextmanager
async def party(data: Path, form: str = 'PNG', **environment: str) -> AsyncIterator[Party]:
    """Open the house, invite a guest of each kind, and keep a picture of each and of the owner."""
    async with open_door(data, EASEL_PASSWORD=PASSWORD, **environment) as (app, services):
        opened = Party(app, services)
        opened.headers['owner'] = (cookie_in(await sign_in(app, PASSWORD)),)
        for number, (kind, (makes, sees_all)) in enumerate(KINDS.items(), start=1):
            token = await services.guests.invite(kind, makes=makes, sees_all=sees_all, for_s=None)
            joined = await opened.request('', 'POST', f'/join/{token}')
            opened.tokens[kind], opened.ids[kind] = token, number
            opened.headers[kind] = (cookie_in(joined),)
        for who, guest in {'owner': None, 'maker': 1, 'both': 3}.items():
            opened.made[who] = await draw(services, f'by the {who}', guest, form)
        yield opened


async def draw(
    services: Services,
    prompt: str,
    guest: int | None,
    form: str = 'PNG',
    model: str | None = 'flux',
    content: bytes = b'',
) -> int:
    """Write a finished generation with its one picture; both have the same number."""
    request = GenerationRequest(prompt=prompt)
    sent = await services.library.generations.submit(
        request, provider='fake', submission=None, now=1.0, guest=guest
    )
    claimed = await services.library.generations.claim('fake', 2.0, sent.generation.id)
    assert claimed
    content = content or saved(form, 'L', comment=prompt.encode())
    kept = await services.store.keep(received_in(services.store, content), label_of(prompt, 1.0))
    outcome = Outcome(status=Status.DONE, provider='fake', model=model, kept=(kept,))
    await services.library.generations.finish(claimed, outcome, 3.0)
    return claimed.id


async def sign_in(
    app: ASGIApp, password: str, *headers: tuple[bytes, bytes], peer: str = LOOPBACK
) -> Answered:
    body = urlencode({'password': password}).encode()
    return await knock(app, 'POST', '/session', HOME, FORM, *headers, peer=peer, body=body)


def cookie_in(answer: Answered) -> tuple[bytes, bytes]:
    """Take the session out of an answer, as a browser would send it."""
    return b'cookie', answer.headers['set-cookie'].partition(';')[0].encode()


def path_of(address: str) -> str:
    """Leave the origin out of an address."""
    return re.sub(r'^https?://[^/]+', '', address)

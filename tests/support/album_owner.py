"""The owner of an Easel with albums, asked without a socket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.types import ASGIApp

from app.database.gallery.albums import put_into
from app.web.context import Services
from tests.support.raw_requests import FORM, HOME, Answered, knock

JSON = (b'accept', b'application/json')


@dataclass(frozen=True, slots=True)
class Owner:
    """Whoever opens an Easel without a password."""

    app: ASGIApp
    services: Services

    async def get(self, path: str) -> Answered:
        return await knock(self.app, 'GET', path, HOME)

    async def json(self, path: str) -> dict[str, list[dict[str, object]]]:
        loaded: dict[str, list[dict[str, object]]] = json.loads((await self.get(path)).body)
        return loaded

    async def post(self, path: str, *headers: tuple[bytes, bytes], **fields: str) -> Answered:
        form = (FORM, (b'origin', b'http://localhost'), *headers)
        return await knock(self.app, 'POST', path, HOME, *form, body=urlencode(fields).encode())

    async def add(self, **fields: str) -> int:
        """Make an album; return its id."""
        answer = await self.post('/albums', **fields)
        assert answer.status == 303, answer.body
        return int(answer.headers['location'].removeprefix('/gallery?album='))

    async def put(self, album: int, *images: int) -> tuple[int, ...]:
        return await self.services.library.database.write(lambda db: put_into(db, album, images, 1))

    async def listed(self, album: int) -> dict[str, object]:
        listed = (await self.json('/albums.json'))['albums']
        return next(one for one in listed if one['id'] == album)

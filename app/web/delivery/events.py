"""Server-sent events: each changed generation as the fragment that takes its place, and notices.

Pure ASGI: one small coroutine a stream, and a fragment drawn once for everybody who reads the same
language.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.errors import N_, AppError, WrongMethod
from app.generation.changes import Listener
from app.web.context import Services
from app.web.security.permissions import visitor_of
from app.web.views.notices import notices_of
from app.web.views.tiles import tile_values

HEARTBEAT_S = 20.0
RETRY_MS = 2_000
MOST_SHOWING = 200
MOST_MISSED = 18  # as many as the Create page shows
MOST_DRAWN = 256
PULSE = b'event: pulse\ndata: .\n\n'  # no comment: a page must hear that the stream gets through
HEADERS = [
    (b'content-type', b'text/event-stream; charset=utf-8'),
    (b'cache-control', b'no-store'),
    (b'x-accel-buffering', b'no'),
]

Key = tuple[int, str, bool]  # of a generation, a language, and whether the owner looks


@dataclass(frozen=True, slots=True)
class Drawn:
    """An event, and the guest whose generation it is about; None: the owner's."""

    block: bytes
    guest: int | None


class EventStream:
    """Serves `/events?showing=17,18`, and with `&after=18` also what is newer.

    `&notices` asks for what is noticed at once; else only its changes are told. `&once` ends after
    what is known now, for a page behind a proxy that holds a stream back until it ends.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._drawn: OrderedDict[Key, tuple[int, asyncio.Task[Drawn]]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the browser or the server goes; raise `WrongMethod` for all but GET."""
        if scope['method'] != 'GET':
            raise WrongMethod(N_('This address needs a different HTTP method.'))
        request = Request(scope)
        viewer = Viewer(self._services, request)
        showing = _ids(request.query_params.get('showing', ''))
        after = _ids(request.query_params.get('after', ''))
        async with self._services.changes.listening() as listener:
            await send({'type': 'http.response.start', 'status': 200, 'headers': HEADERS})
            await _write(send, f'retry: {RETRY_MS}\n\n'.encode())

            async def end_when_gone() -> None:
                while (await receive())['type'] != 'http.disconnect':
                    pass
                listener.end()

            gone = asyncio.create_task(end_when_gone())
            try:
                if 'notices' in request.query_params:
                    await _write(send, self._notices(viewer))
                for generation_id in [*showing, *await self._missed(after, showing)]:
                    await _write(send, viewer.part_of(await self._draw(generation_id, viewer)))
                if 'once' not in request.query_params:
                    await self._follow(listener, viewer, send)
            finally:
                gone.cancel()
            await send({'type': 'http.response.body', 'body': b''})

    async def _missed(self, after: list[int], showing: list[int]) -> list[int]:
        """List what is newer than the newest that the page knows, oldest first."""
        if not after:
            return []
        try:
            newest = await self._services.library.generations.recent(MOST_MISSED)
        except AppError:
            return []
        return sorted({one.id for one in newest if one.id > after[0]} - set(showing))

    async def _follow(self, listener: Listener, viewer: Viewer, send: Send) -> None:
        while not listener.ended:
            ids = await listener.wait(HEARTBEAT_S)
            doubted = listener.doubted or viewer.visitor.guest
            if listener.ended or (doubted and not viewer.may_stay()):
                return
            if listener.take_notices():
                await _write(send, self._notices(viewer))
            elif not ids:
                await _write(send, PULSE)
            for generation_id in sorted(ids):
                await _write(send, viewer.part_of(await self._event(generation_id, viewer)))

    async def _event(self, generation_id: int, viewer: Viewer) -> Drawn:
        """Return the event for a change, drawn once for all streams of a language."""
        key = (generation_id, viewer.language.code, viewer.visitor.owner)
        serial = self._services.changes.serial_of(generation_id)
        known = self._drawn.get(key)
        if known is None or known[0] != serial:
            known = (serial, asyncio.create_task(self._draw(generation_id, viewer)))
            self._drawn[key] = known
            if len(self._drawn) > MOST_DRAWN:
                self._drawn.popitem(last=False)
        return await asyncio.shield(known[1])

    async def _draw(self, generation_id: int, viewer: Viewer) -> Drawn:
        try:
            generation = await self._services.library.generations.one(generation_id)
            values = await tile_values(self._services, (generation,))
        except AppError:
            return Drawn(PULSE, None)
        html = viewer.language.draw('generation/list.html', **values, viewer=viewer.visitor)
        return Drawn(_event_block('generation', html), generation.guest)

    def _notices(self, viewer: Viewer) -> bytes:
        values = {'notices': notices_of(self._services), 'viewer': viewer.visitor}
        return _event_block('notices', viewer.language.draw('notices.html', **values))


class Viewer:
    """Who looks at a stream, for as long as they may."""

    def __init__(self, services: Services, request: Request) -> None:
        self.language = services.language(request)
        self.visitor = visitor_of(request)
        self._sessions = services.sessions
        self._headers = request.headers

    def part_of(self, drawn: Drawn) -> bytes:
        """Return an event for whom it concerns; for others only that the stream is alive."""
        return drawn.block if self.visitor.may_change(drawn.guest) else PULSE

    def may_stay(self) -> bool:
        """Check the session again: a password can change, a link can end."""
        known = self._sessions.who(self._headers, self.visitor.scheme)
        return (known.owner, known.guest) == (self.visitor.owner, self.visitor.guest)


def _event_block(name: str, html: str) -> bytes:
    lines = ''.join(f'data: {line.strip()}\n' for line in html.splitlines() if line.strip())
    return f'event: {name}\n{lines}\n'.encode(errors='replace')


async def _write(send: Send, block: bytes) -> None:
    await send({'type': 'http.response.body', 'body': block, 'more_body': True})


def _ids(text: str) -> list[int]:
    parts = text.split(',')[:MOST_SHOWING]
    return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 19]

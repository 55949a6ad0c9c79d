"""The transport that lets the one HTTP client call an ASGI app in this process.

httpx brings such a transport, and it collects the whole response before it gives any of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any, cast

import httpx

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

MOST_MESSAGES = 4


class AsgiTransport(httpx.AsyncBaseTransport):
    """Calls the app, which is made at the first call, and gives its body as it comes."""

    def __init__(self, make_app: Callable[[], AsgiApp]) -> None:
        self._app = cache(make_app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises httpx.ReadError when the app ends before it responds."""
        scope: Message = {
            'type': 'http',
            'asgi': {'version': '3.0'},
            'http_version': '1.1',
            'method': request.method,
            'scheme': request.url.scheme,
            'path': request.url.path,
            'query_string': request.url.query,
            'headers': [(name.lower(), value) for name, value in request.headers.raw],
            'server': (request.url.host, request.url.port or 80),
        }
        body = cast('httpx.AsyncByteStream', request.stream)
        call = _AppCall(self._app(), scope, aiter(body))
        start = await call.messages.get()
        if start is None or start['type'] != 'http.response.start':
            await call.aclose()
            raise httpx.ReadError('disconnected without an answer', request=request)
        return httpx.Response(start['status'], headers=start['headers'], stream=call)


class _AppCall(httpx.AsyncByteStream):
    """One request that the app responds to in a task of its own; None is its last message."""

    def __init__(self, app: AsgiApp, scope: Message, body: AsyncIterator[bytes]) -> None:
        self.messages: asyncio.Queue[Message | None] = asyncio.Queue(MOST_MESSAGES)
        self._closed = asyncio.Event()
        self._body = body
        self._is_read = False
        self._task = asyncio.create_task(self._run(app, scope))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self.messages.get()) is not None:
            if message.get('body'):
                yield message['body']
            if not message.get('more_body', False):
                return

    async def aclose(self) -> None:
        """Tell the app that the client has gone, and wait for its end."""
        self._closed.set()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self, app: AsgiApp, scope: Message) -> None:
        try:
            await app(scope, self._receive, self.messages.put)
        finally:
            if not self._closed.is_set():
                await self.messages.put(None)

    async def _receive(self) -> Message:
        if not self._is_read:
            block = await anext(self._body, None)
            self._is_read = block is None
            return {'type': 'http.request', 'body': block or b'', 'more_body': not self._is_read}
        await self._closed.wait()
        return {'type': 'http.disconnect'}

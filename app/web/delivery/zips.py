"""Sends pictures as a ZIP that is made while it is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from itertools import islice

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.gallery.zipping import PictureZip, PlainZip
from app.models import Image
from app.web.context import Services
from app.web.security.permissions import seen_of, visitor_of
from app.web.views.downloads import wants_plain
from app.web.views.serializers import image_json

READ_AT_ONCE = 50  # rows
NO_BLOCK = b''


def zip_of(
    request: Request, services: Services, pictures: AsyncIterator[Sequence[Image]]
) -> StreamingResponse:
    """Answer with an archive of those pictures that the visitor may see."""
    return _Download(_blocks(request, services, pictures))


async def pictures_among(
    services: Services, image_ids: Iterable[int]
) -> AsyncIterator[Sequence[Image]]:
    """Read pictures by their ids, some at a time; ids that there are none of are left out."""
    waiting = iter(image_ids)
    while some := list(islice(waiting, READ_AT_ONCE)):
        yield await services.library.images.some(some)


async def _blocks(
    request: Request, services: Services, pictures: AsyncIterator[Sequence[Image]]
) -> AsyncGenerator[bytes, None]:
    visitor = visitor_of(request)
    describe = partial(image_json, root=services.root, viewer=visitor)
    kind = PlainZip if wants_plain(request) else PictureZip
    archive = kind(services.store, describe, time.time())
    try:
        async for some in pictures:
            for image in await seen_of(visitor, services, some):
                async for block in _in_threads(archive.picture(image)):
                    yield block
        async for block in _in_threads(archive.end()):
            yield block
    finally:
        archive.close()


async def _in_threads(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read files beside everything else, a block at a time."""
    while block := await asyncio.to_thread(next, blocks, NO_BLOCK):
        yield block


class _Download(StreamingResponse):
    """An archive that is given up when the visitor leaves."""

    def __init__(self, blocks: AsyncGenerator[bytes, None]) -> None:
        name = time.strftime('easel-%Y%m%d-%H%M%S.zip')
        headers = {
            'Cache-Control': 'no-store',
            'Content-Disposition': f'attachment; filename="{name}"',
        }
        super().__init__(blocks, headers=headers, media_type='application/zip')
        self._blocks = blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._blocks):
            await super().__call__(scope, receive, send)

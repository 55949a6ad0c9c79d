"""Originals and thumbnails, as a small ASGI app: stat, ETag, one read.

A digest names its bytes for ever, so an answer may be kept for ever too.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.errors import N_, Gone, NotFound, WrongMethod
from app.log import logger
from app.storage.files import open_beneath
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.store import THUMB_WIDTHS
from app.web.context import Services
from app.web.security.permissions import visitor_of

log = logger(__name__)

BLOCK_BYTES = 256 * 1024
FILE_HEADER = 'x-easel-file'  # where the file is below the data folder, for our own command
FOREVER = 'private, max-age=31536000, immutable'
FILE_POLICY = "default-src 'none'; sandbox"
MIMES = {extension: mime for mime, extension in MIME_EXTENSIONS.items()}

_ORIGINAL = re.compile(r'/files/([0-9a-f]{64})\.([a-z]{3,4})')
_THUMB = re.compile(r'/thumbs/([0-9a-f]{64})-(\d{3,4})\.webp')


class PictureFiles:
    """Serves what the library knows, by digest and by nothing else."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file; raise `NotFound`, or `Gone` where only the file is missing."""
        if scope['method'] != 'GET':
            raise WrongMethod(N_('This address takes another method.'))
        request, root = Request(scope), self._services.config.data
        digest, path, mime = await self._find(request)
        response = await asyncio.to_thread(_response, root, digest, path, mime, request.headers)
        if self._services.sessions.has_token(request.headers):
            response.headers[FILE_HEADER] = quote(path.relative_to(root).as_posix())
        await response(scope, receive, send)

    async def _find(self, request: Request) -> tuple[str, Path, str]:
        address, only = request.scope['path'], visitor_of(request).only
        store = self._services.store
        original, thumb = _ORIGINAL.fullmatch(address), _THUMB.fullmatch(address)
        match = original or thumb
        digest = str(match[1]) if match else ''
        file = await self._services.library.images.file_of(digest, only) if digest else None
        if file and thumb and int(thumb[2]) in THUMB_WIDTHS:
            await store.ensure_thumbs(digest, file)
            return digest, store.thumb(digest, int(thumb[2])), 'image/webp'
        if file and original and file.endswith(f'.{original[2]}'):
            return digest, store.original(file), MIMES[original[2]]
        raise NotFound(N_('There is no such picture.'))


def _response(root: Path, digest: str, path: Path, mime: str, headers: Headers) -> Response:
    """Open, compare, read; a link in the file's place is not followed."""
    gone = Gone(N_('The file of this picture is gone from the data folder.'))
    try:
        handle = open_beneath(root, path)
    except OSError as error:
        log.warning('%s cannot be served: %s', path, error.strerror)
        raise gone from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        log.warning('%s is no file', path)
        raise gone
    # the name to save it by; source: RFC 6266, and RFC 8187 for what is not ASCII
    plain = re.sub(r'[^A-Za-z0-9._ -]', '_', path.name)
    etag = f'"{digest}-{status.st_size:x}"'
    own = {
        'Cache-Control': FOREVER,
        'Content-Disposition': f'inline; filename="{plain}"; '
        f"filename*=UTF-8''{quote(path.name, safe='')}",
        'Content-Security-Policy': FILE_POLICY,
        'Content-Type': mime,
        'ETag': etag,
    }
    if etag in headers.get('if-none-match', ''):
        os.close(handle)
        return Response(status_code=304, headers=own)
    if status.st_size <= BLOCK_BYTES:
        with os.fdopen(handle, 'rb') as file:
            return Response(file.read(), headers=own)
    own['Content-Length'] = str(status.st_size)
    return StreamingResponse(_blocks(handle), headers=own)


async def _blocks(handle: int) -> AsyncIterator[bytes]:
    with os.fdopen(handle, 'rb') as file:
        while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
            yield block

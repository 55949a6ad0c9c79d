"""Originals and thumbnails, as a small ASGI app: stat, ETag, one read.

A digest names its bytes for ever, so an answer may be kept for ever too.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.errors import N_, Gone, NotFound, WrongMethod
from app.log import logger
from app.models import KeptFile
from app.storage.inventory import DamagedFile, open_kept
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.store import THUMB_WIDTHS
from app.web.context import Services
from app.web.security.permissions import visible_file, visitor_of

log = logger(__name__)

BLOCK_BYTES = 256 * 1024
FILE_HEADER = 'x-easel-file'  # where the file is below the data folder, for our own command
FOREVER = 'private, max-age=31536000, immutable'
FILE_POLICY = "default-src 'none'; sandbox"
MIMES = {extension: mime for mime, extension in MIME_EXTENSIONS.items()}

_ORIGINAL = re.compile(r'/files/([0-9a-f]{64})\.([a-z]{3,4})')
_THUMB = re.compile(r'/thumbs/([0-9a-f]{64})-(\d{3,4})\.webp')
IS_DAMAGED = N_(
    "This picture's file is damaged. A backup may have an intact copy; `easel verify` "
    'lists every damaged file.'
)


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file and what it is served as; `kept` for an original."""

    digest: str
    path: Path
    mime: str
    kept: KeptFile | None = None


class PictureFiles:
    """Serves what the library knows, by digest and by nothing else."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file; raise `NotFound`, or `Gone` where only the file is missing."""
        if scope['method'] != 'GET':
            raise WrongMethod(N_('This address needs a different HTTP method.'))
        request, root = Request(scope), self._services.config.data
        found = await self._find(request)
        response = await asyncio.to_thread(_response, root, found, request.headers)
        if self._services.sessions.has_token(request.headers):
            response.headers[FILE_HEADER] = quote(found.path.relative_to(root).as_posix())
        await response(scope, receive, send)

    async def _find(self, request: Request) -> ServedFile:
        address, visitor = request.scope['path'], visitor_of(request)
        store, files = self._services.store, self._services.library.files
        original, thumb = _ORIGINAL.fullmatch(address), _THUMB.fullmatch(address)
        match = original or thumb
        digest = str(match[1]) if match else ''
        kept = await visible_file(visitor, self._services, digest) if digest else None
        if thumb and not kept and visitor.owner:  # who looks through the trash
            kept = await files.in_trash(digest)
        if kept and thumb and int(thumb[2]) in THUMB_WIDTHS:
            await store.ensure_thumbs(digest, kept.file)
            return ServedFile(digest, store.thumb(digest, int(thumb[2])), 'image/webp')
        if kept and original and kept.file.endswith(f'.{original[2]}'):
            return ServedFile(digest, store.original(kept.file), MIMES[original[2]], kept)
        raise NotFound(N_('Picture not found.'))


def _response(root: Path, found: ServedFile, headers: Headers) -> Response:
    """Open, compare, read; a link in the file's place is not followed."""
    path = found.path
    try:
        handle = open_kept(root, path, found.kept)
    except DamagedFile as error:
        log.warning('%s is damaged', path)
        raise Gone(IS_DAMAGED) from error
    except FileNotFoundError as error:
        log.warning('%s cannot be served: %s', path, error.strerror)
        raise Gone(N_("This picture's file is no longer in the data folder.")) from error
    size_bytes = os.fstat(handle).st_size
    # the name to save it by; source: RFC 6266, and RFC 8187 for what is not ASCII
    plain = re.sub(r'[^A-Za-z0-9._ -]', '_', path.name)
    etag = f'"{found.digest}-{size_bytes:x}"'
    own = {
        'Cache-Control': FOREVER,
        'Content-Disposition': f'inline; filename="{plain}"; '
        f"filename*=UTF-8''{quote(path.name, safe='')}",
        'Content-Security-Policy': FILE_POLICY,
        'Content-Type': found.mime,
        'ETag': etag,
    }
    if etag in headers.get('if-none-match', ''):
        os.close(handle)
        return Response(status_code=304, headers=own)
    if size_bytes <= BLOCK_BYTES:
        with os.fdopen(handle, 'rb') as file:
            return Response(file.read(), headers=own)
    own['Content-Length'] = str(size_bytes)
    return StreamingResponse(_blocks(handle), headers=own)


async def _blocks(handle: int) -> AsyncIterator[bytes]:
    with os.fdopen(handle, 'rb') as file:
        while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
            yield block

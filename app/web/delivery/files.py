"""Originals and thumbnails, as a small ASGI app; one that is at hand needs not even it.

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

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.errors import N_, Gone, NotFound, WrongMethod
from app.log import logger
from app.models import Image, KeptFile
from app.storage.inventory import DamagedFile, open_kept
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.store import THUMB_WIDTHS
from app.web.context import Services
from app.web.delivery.ranges import Part, part_of
from app.web.security.permissions import visible_file, visitor_of
from app.web.security.thumbnails import Thumbnail, Thumbnails

log = logger(__name__)

BLOCK_BYTES = 256 * 1024
FILE_HEADER = 'x-easel-file'  # where the file is below the data folder, for our own command
FOREVER = 'private, max-age=31536000, immutable'
MISSING, DAMAGED = 'missing', 'damaged'
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

    def headers(self, size_bytes: int) -> dict[str, str]:
        # the name to save it by; source: RFC 6266, and RFC 8187 for what is not ASCII
        plain = re.sub(r'[^A-Za-z0-9._ -]', '_', self.path.name)
        return {
            'cache-control': FOREVER,
            'content-disposition': f'inline; filename="{plain}"; '
            f"filename*=UTF-8''{quote(self.path.name, safe='')}",
            'content-security-policy': FILE_POLICY,
            'content-type': self.mime,
            'etag': f'"{self.digest}-{size_bytes:x}"',
        }


class PictureFiles:
    """Serves what the library knows, by digest and by nothing else."""

    def __init__(self, services: Services, thumbnails: Thumbnails) -> None:
        self._services = services
        self._thumbnails = thumbnails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file; raise `NotFound`, or `Gone` where only the file is missing."""
        if scope['method'] != 'GET':
            raise WrongMethod(N_('This address needs a different HTTP method.'))
        request = Request(scope)
        pictures_version = self._thumbnails.pictures_version()
        found = await self._find(request)
        if found.kept:
            response = await asyncio.to_thread(self._original, found, found.kept, request)
        else:
            response = await self._thumbnail(found, request)
            self._thumbnails.allow(scope['path'], visitor_of(request), pictures_version)
        if self._services.sessions.has_token(request.headers):
            place = found.path.relative_to(self._services.config.data)
            response.headers[FILE_HEADER] = quote(place.as_posix())
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
            if address not in self._thumbnails:
                await store.ensure_thumbs(digest, kept.file)
            return ServedFile(digest, store.thumb(digest, int(thumb[2])), 'image/webp')
        if kept and original and kept.file.endswith(f'.{original[2]}'):
            return ServedFile(digest, store.original(kept.file), MIMES[original[2]], kept)
        raise NotFound(N_('Picture not found.'))

    async def _thumbnail(self, found: ServedFile, request: Request) -> Response:
        address = request.scope['path']
        thumbnail = self._thumbnails.get(address)
        if thumbnail is None:
            body = await asyncio.to_thread(self._read, found)
            thumbnail = Thumbnail.of(found.headers(len(body)), body)
            self._thumbnails.keep(address, thumbnail)
        return _unchanged(request, thumbnail.headers) or Response(
            thumbnail.body, headers=thumbnail.headers
        )

    def _read(self, found: ServedFile) -> bytes:
        with os.fdopen(self._open(found), 'rb') as file:
            return file.read()

    def _original(self, found: ServedFile, kept: KeptFile, request: Request) -> Response:
        """Open and read, or a part of it; one that is damaged or gone is nobody's any more."""
        handle = self._open(found)
        headers = found.headers(kept.size_bytes) | {'accept-ranges': 'bytes'}
        if unchanged := _unchanged(request, headers):
            os.close(handle)
            return unchanged
        part = part_of(request.headers, headers['etag'], kept.size_bytes)
        headers |= part.headers | {'content-length': str(part.size_bytes)}
        if part.size_bytes > BLOCK_BYTES:
            return StreamingResponse(_blocks(handle, part), part.status, headers)
        with os.fdopen(handle, 'rb') as file:
            file.seek(part.start)
            return Response(file.read(part.size_bytes), part.status, headers)

    def _open(self, found: ServedFile) -> int:
        """Open a file of ours as it was kept; a link in its place is not followed."""
        try:
            return open_kept(self._services.config.data, found.path, found.kept)
        except DamagedFile as error:
            log.warning('%s is damaged', found.path)
            raise Gone(IS_DAMAGED) from error
        except FileNotFoundError as error:
            log.warning('%s cannot be served: %s', found.path, error.strerror)
            raise Gone(N_("This picture's file is no longer in the data folder.")) from error


def _unchanged(request: Request, headers: dict[str, str]) -> Response | None:
    is_there = headers['etag'] in request.headers.get('if-none-match', '')
    return Response(status_code=304, headers=headers) if is_there else None


async def _blocks(handle: int, part: Part) -> AsyncIterator[bytes]:
    left = part.size_bytes
    with os.fdopen(handle, 'rb') as file:
        file.seek(part.start)
        while block := await asyncio.to_thread(file.read, min(left, BLOCK_BYTES)):
            left -= len(block)
            yield block


async def file_fault(services: Services, image: Image) -> str:
    """Say what is wrong with a picture's file, in a word for the template; empty: nothing."""
    kept = await services.library.files.one(image.id)
    path = services.store.original(image.file)
    try:
        os.close(await asyncio.to_thread(open_kept, services.config.data, path, kept))
    except FileNotFoundError:
        return MISSING
    except DamagedFile:
        return DAMAGED
    return ''

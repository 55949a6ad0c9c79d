"""Style sheets, scripts and icons: joined, and named by one digest."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import N_, NotFound
from app.web.compression import gzipped, takes_gzip

STYLE_SHEET, GALLERY_SHEET = 'easel.css', 'gallery.css'
MASK_SHEET, SOURCES_SHEET = 'mask.css', 'sources.css'
SHEETS = {  # a folder joined to one sheet each
    GALLERY_SHEET: 'css/gallery/',
    MASK_SHEET: 'css/mask/',
    SOURCES_SHEET: 'css/sources/',
    STYLE_SHEET: 'css/',
}
FOREVER = 'public, max-age=31536000, immutable'
TYPES = {'.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8'}

_FOR_READERS = re.compile(rb'/\*.*?\*/|(?<=\n) +', re.DOTALL)  # comments and indents, a tenth of it


class Static:
    """A small ASGI app over the files of one folder, which never change while it runs."""

    def __init__(self, folder: Path) -> None:
        self._parts = _parts_in(folder)
        digest = hashlib.sha256()
        for name in sorted(self._parts):
            content = self.content(name)
            digest.update(f'{name} {len(content)} '.encode() + content)
        self._prefix = f'/static/{digest.hexdigest()[:12]}/'
        self._compressed = cache(lambda name: gzipped(self.content(name), 9))

    def address(self, name: str) -> str:
        """Return a file's address, which changes when any file does; raise `KeyError`."""
        if name not in self._parts:
            raise KeyError(name)
        return self._prefix + name

    def content(self, name: str) -> bytes:
        """Read a file; none is held before a browser asks, since many never are."""
        joined = b''.join(path.read_bytes() for path in self._parts[name])
        return _FOR_READERS.sub(b'', joined) if name in SHEETS else joined

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope['path'].removeprefix(self._prefix)
        if name not in self._parts or scope['method'] != 'GET':
            raise NotFound(N_('Page not found.'))
        mime = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or 'text/plain'
        headers = {'Cache-Control': FOREVER, 'Content-Type': mime, 'Vary': 'Accept-Encoding'}
        if takes_gzip(Headers(scope=scope)):
            content = self._compressed(name)
            headers['Content-Encoding'] = 'gzip'
        else:
            content = self.content(name)
        await Response(content, headers=headers)(scope, receive, send)


def _parts_in(folder: Path) -> dict[str, list[Path]]:
    """Return the files that each name is made of."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob('*')):
        if path.is_file():
            own = path.relative_to(folder).as_posix()
            name = next((sheet for sheet, start in SHEETS.items() if own.startswith(start)), own)
            parts.setdefault(name, []).append(path)
    return parts

"""Style sheets, scripts and icons: read once, joined, and named by one digest."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import N_, NotFound

STYLE_SHEET, GALLERY_SHEET = 'easel.css', 'gallery.css'
SHEETS = {GALLERY_SHEET: 'css/gallery/', STYLE_SHEET: 'css/'}  # a folder joined to one sheet each
FOREVER = 'public, max-age=31536000, immutable'
TYPES = {'.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8'}

_FOR_READERS = re.compile(rb'/\*.*?\*/|(?<=\n) +', re.DOTALL)  # comments and indents, a tenth of it


class Static:
    """A small ASGI app over the files of one folder, which never change while it runs."""

    def __init__(self, folder: Path) -> None:
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob('*'))
            if path.is_file()
        }
        for sheet, parts in SHEETS.items():
            joined = [files.pop(name) for name in [*files] if name.startswith(parts)]
            files[sheet] = _FOR_READERS.sub(b'', b''.join(joined))
        digest = hashlib.sha256()
        for name, content in sorted(files.items()):
            digest.update(f'{name} {len(content)} '.encode() + content)
        self._prefix = f'/static/{digest.hexdigest()[:12]}/'
        self._plain = files
        self._compressed = cache(lambda name: gzip.compress(files[name], 9, mtime=0))

    def address(self, name: str) -> str:
        """Return a file's address, which changes when any file does; raise `KeyError`."""
        if name not in self._plain:
            raise KeyError(name)
        return self._prefix + name

    def content(self, name: str) -> bytes:
        return self._plain[name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope['path'].removeprefix(self._prefix)
        if name not in self._plain or scope['method'] != 'GET':
            raise NotFound(N_('Page not found.'))
        mime = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or 'text/plain'
        headers = {'Cache-Control': FOREVER, 'Content-Type': mime, 'Vary': 'Accept-Encoding'}
        content = self._plain[name]
        if 'gzip' in Headers(scope=scope).get('accept-encoding', ''):
            content = self._compressed(name)
            headers['Content-Encoding'] = 'gzip'
        await Response(content, headers=headers)(scope, receive, send)

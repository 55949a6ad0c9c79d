"""The sub-path that Easel is served at: taken off what comes in, put before what goes out.

Everything between begins at `/` and knows of none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.types import Scope

# What a visitor wrote is escaped in a page, so a bare quote is always a template's own.
_HOLDERS = re.compile(
    r'\s(?:href|src|srcset|action|formaction|content|data-(?:worker|busy|done))="[^"]*"'
)
_BEGINNINGS = re.compile(r'(="|, |; url=)/(?!/)')
_COOKIE_PATH = re.compile(rb'(?<=; Path=)/(?=;|$)', re.IGNORECASE)


class BasePath:
    """Where Easel's addresses begin for a browser.

    Args:
        path: `/easel`, or empty for the root of the host.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def inside(self, scope: Scope) -> Scope:
        """Take the sub-path off a request, once; a proxy may have done so already.

        The path is empty then where the sub-path came without its last slash.
        """
        path = scope['path']
        if not self.path or not (path == self.path or path.startswith(f'{self.path}/')):
            return scope
        return {**scope, 'path': path[len(self.path) :]}

    def address(self, address: str) -> str:
        """Write one of our own addresses for a browser."""
        return self.path + address

    def page(self, html: str) -> str:
        """Write the addresses in a page or fragment for a browser."""
        if not self.path:
            return html
        return _HOLDERS.sub(lambda found: _BEGINNINGS.sub(self._begin, found[0]), html)

    def headers(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Write the addresses in an answer's headers for a browser."""
        if not self.path:
            return list(headers)
        return [(name, self._header(name, value)) for name, value in headers]

    def _begin(self, found: re.Match[str]) -> str:
        return f'{found[1]}{self.path}/'

    def _header(self, name: bytes, value: bytes) -> bytes:
        path = self.path.encode('ascii')
        if name == b'location' and value.startswith(b'/') and not value.startswith(b'//'):
            return path + value
        if name == b'set-cookie':
            return _COOKIE_PATH.sub(path, value)
        return value

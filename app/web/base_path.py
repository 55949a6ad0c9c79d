"""The sub-path that Easel is served at: taken off what comes in, put before what goes out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.types import Scope

_COOKIE_PATH = re.compile(rb'(?<=; Path=)/(?=;|$)', re.IGNORECASE)


class BasePath:
    """Where Easel's addresses begin for a browser: `/easel`, or empty for the root of the host."""

    def __init__(self, path: str) -> None:
        self.path = path

    def inside(self, scope: Scope) -> Scope:
        """Take the sub-path off a request; the path is empty if its last slash was missing."""
        path = scope['path']
        if not self.path or not (path == self.path or path.startswith(f'{self.path}/')):
            return scope
        return {**scope, 'path': path[len(self.path) :]}

    def address(self, address: str) -> str:
        """Return one of our own addresses for a browser, as templates do with `base_path`."""
        return self.path + address

    def headers(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Write the addresses in a response's headers for a browser."""
        path = self.path.encode('ascii')
        written = []
        for name, value in headers:
            if name == b'location' and value.startswith(b'/') and not value.startswith(b'//'):
                written.append((name, path + value))
            elif name == b'set-cookie' and path:
                written.append((name, _COOKIE_PATH.sub(path, value)))
            else:
                written.append((name, value))
        return written

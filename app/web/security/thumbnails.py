"""Thumbnails that are at hand: their bytes, and who was found to be allowed to see them.

What is known of visitors is forgotten with the next change of any kept picture or album.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.access.visitors import Visitor
from app.database.gallery.filters import Filter
from app.database.links import GuestRow
from app.web.security.headers import HEADERS, Answer

Sight: TypeAlias = tuple[GuestRow, Filter | None]  # what of albums has to do with it

MOST_BYTES = 6 * 1024 * 1024
LARGEST_BYTES = 128 * 1024
MOST_SEEN = 20_000
OK = b'HTTP/1.1 200 OK\r\n'
UNCHANGED = b'HTTP/1.1 304 Not Modified\r\n'


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A file's bytes, and the headers that they are served with."""

    headers: dict[str, str]
    body: bytes
    head: bytes
    unchanged: bytes  # the same for whoever has the file

    @classmethod
    def of(cls, headers: dict[str, str], body: bytes) -> Thumbnail:
        lines = ''.join(f'{name}: {value}\r\n' for name, value in (HEADERS | headers).items())
        return cls(
            headers,
            body,
            head=f'{lines}content-length: {len(body)}\r\n\r\n'.encode('latin-1'),
            unchanged=f'{lines}\r\n'.encode('latin-1'),
        )


class Thumbnails:
    """Keeps those that were asked for last."""

    def __init__(
        self, pictures_version: Callable[[], int], sight: Callable[[Visitor], Filter]
    ) -> None:
        self.pictures_version = pictures_version
        self._sight = sight
        self._kept: dict[str, Thumbnail] = {}
        self._size_bytes = 0
        self._seen: set[tuple[str, Sight | None]] = set()
        self._seen_version = 0

    def __contains__(self, path: str) -> bool:
        return path in self._kept

    def get(self, path: str) -> Thumbnail | None:
        return self._kept.get(path)

    def keep(self, path: str, thumbnail: Thumbnail) -> None:
        """Keep a file's bytes, and let go of those that nobody has asked for longest."""
        if len(thumbnail.body) > LARGEST_BYTES or path in self._kept:
            return
        self._kept[path] = thumbnail
        self._size_bytes += len(thumbnail.body)
        while self._size_bytes > MOST_BYTES:
            self._size_bytes -= len(self._kept.pop(next(iter(self._kept))).body)

    def allow(self, path: str, visitor: Visitor, pictures_version: int) -> None:
        """Remember that a visitor may see one, if no picture has changed since that was asked."""
        if pictures_version != self.pictures_version():
            return
        if self._seen_version != pictures_version or len(self._seen) >= MOST_SEEN:
            self._seen.clear()
            self._seen_version = pictures_version
        self._seen.add((path, self._sight_of(visitor)))

    def answer(self, path: str, visitor: Visitor, headers: Mapping[str, str]) -> Answer | None:
        """Return an HTTP response, if it is known that this visitor may have it."""
        thumbnail = self._kept.get(path)
        is_fresh = self._seen_version == self.pictures_version()
        if thumbnail is None or not is_fresh or (path, self._sight_of(visitor)) not in self._seen:
            return None
        self._kept[path] = self._kept.pop(path)
        if thumbnail.headers['etag'] in headers.get('if-none-match', ''):
            return Answer(UNCHANGED, thumbnail.unchanged, b'')
        return Answer(OK, thumbnail.head, thumbnail.body)

    def _sight_of(self, visitor: Visitor) -> Sight | None:
        """Return what decides which pictures one may see; None: the owner, who sees all."""
        guest = visitor.guest
        if guest is None:
            return None
        return guest, None if guest.album is None else self._sight(visitor)

"""Every address of Easel, with who may come in there and how much they may bring.

The guard decides by this table alone; what is not in it takes the strictest role.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.access.visitors import Visitor

MOST_BODY_BYTES = 1_000_000
MOST_PASSWORD_BYTES = 16_384
MOST_PICTURE_BYTES = 65 * 1024 * 1024  # a picture, and the form around it
ANY = '{}'
REST = '{rest}'


class Role(Enum):
    """Who may come in: each one, and whoever stands below."""

    ANYBODY = 'open'
    GUEST = 'guest'
    MAKER = 'maker'
    OWNER = 'owner'

    def admits(self, visitor: Visitor) -> bool:
        """Whether a visitor may come in here."""
        if self is Role.ANYBODY or visitor.owner:
            return True
        if self is Role.MAKER:
            return visitor.makes
        return self is Role.GUEST and visitor.guest is not None


@dataclass(frozen=True, slots=True)
class RouteRule:
    """One address and method.

    Attributes:
        path: `{}` stands for one part, `{rest}` at the end for whatever follows.
        most_bytes: The longest body that is read here.
    """

    method: str
    path: str
    role: Role = Role.OWNER
    most_bytes: int = MOST_BODY_BYTES


STRICTEST = RouteRule('', '', Role.OWNER)
ROUTES = (
    RouteRule('GET', '/', Role.GUEST),
    RouteRule('POST', '/reading', Role.MAKER, most_bytes=MOST_PICTURE_BYTES),
    RouteRule('GET', '/generations', Role.MAKER),
    RouteRule('GET', '/generations.json', Role.MAKER),
    RouteRule('POST', '/generations', Role.MAKER),
    RouteRule('GET', '/generations/{}', Role.MAKER),
    RouteRule('POST', '/generations/{}/cancellation', Role.MAKER),
    RouteRule('POST', '/generations/{}/retry', Role.MAKER),
    RouteRule('GET', '/generations/{}/attempts'),
    RouteRule('GET', '/generations/{}/attempts.json'),
    RouteRule('GET', '/previews/{}', Role.MAKER),
    RouteRule('GET', '/gallery', Role.GUEST),
    RouteRule('GET', '/gallery.json', Role.GUEST),
    RouteRule('GET', '/images/{}', Role.GUEST),
    RouteRule('POST', '/images/{}/favourite', Role.MAKER),
    RouteRule('POST', '/images/{}/deletion', Role.MAKER),
    RouteRule('POST', '/images/{}/restoration', Role.MAKER),
    RouteRule('POST', '/images/{}/link'),
    RouteRule('GET', '/files/{rest}', Role.GUEST),
    RouteRule('GET', '/thumbs/{rest}', Role.GUEST),
    RouteRule('GET', '/events', Role.GUEST),
    RouteRule('GET', '/settings', Role.GUEST),
    RouteRule('GET', '/settings.json', Role.GUEST),
    RouteRule('POST', '/settings', Role.GUEST),
    RouteRule('POST', '/settings/password', most_bytes=MOST_PASSWORD_BYTES),
    RouteRule('POST', '/settings/found'),
    RouteRule('GET', '/settings/providers.json'),
    RouteRule('GET', '/settings/providers/new'),
    RouteRule('POST', '/settings/providers'),
    RouteRule('GET', '/settings/providers/{}'),
    RouteRule('POST', '/settings/providers/{}'),
    RouteRule('POST', '/settings/providers/{}/deletion'),
    RouteRule('POST', '/settings/providers/{}/order'),
    RouteRule('POST', '/settings/providers/{}/test'),
    RouteRule('POST', '/settings/providers/{}/forgetting'),
    RouteRule('GET', '/share'),
    RouteRule('GET', '/share.json'),
    RouteRule('POST', '/share'),
    RouteRule('POST', '/share/guests'),
    RouteRule('POST', '/share/guests/{}/revocation'),
    RouteRule('POST', '/share/pictures/{}/revocation'),
    RouteRule('GET', '/join/{}', Role.ANYBODY),
    RouteRule('POST', '/join/{}', Role.ANYBODY),
    RouteRule('GET', '/shared/{}', Role.ANYBODY),
    RouteRule('GET', '/shared/{}/{}', Role.ANYBODY),
    RouteRule('GET', '/install', Role.GUEST),
    RouteRule('GET', '/install.json', Role.GUEST),
    RouteRule('GET', '/manifest.webmanifest', Role.ANYBODY),
    RouteRule('GET', '/session', Role.ANYBODY),
    RouteRule('POST', '/session', Role.ANYBODY, most_bytes=MOST_PASSWORD_BYTES),
    RouteRule('POST', '/session/deletion', Role.ANYBODY),
    RouteRule('GET', '/health', Role.ANYBODY),
    RouteRule('GET', '/static/{rest}', Role.ANYBODY),
)


def door_of(method: str, path: str) -> RouteRule:
    """Find the door that a request knocks at."""
    wanted = 'GET' if method == 'HEAD' else method
    parts = path.split('/')
    for door, pattern in _PATTERNS:
        if door.method == wanted and _fits(pattern, parts):
            return door
    return STRICTEST


def is_own(path: str) -> bool:
    """Whether a path begins as one of the addresses does."""
    return path.split('/')[1:2] in [pattern[1:2] for _, pattern in _PATTERNS]


def _fits(pattern: list[str], parts: list[str]) -> bool:
    if pattern[-1] == REST:
        return len(parts) >= len(pattern) and parts[: len(pattern) - 1] == pattern[:-1]
    if len(parts) != len(pattern):
        return False
    return all(own in (ANY, part) for own, part in zip(pattern, parts, strict=True))


_PATTERNS = [(door, door.path.split('/')) for door in ROUTES]

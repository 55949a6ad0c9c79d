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
class Door:
    """One address and method.

    Attributes:
        path: `{}` stands for one part, `{rest}` at the end for whatever follows.
        most_bytes: The longest body that is read here.
    """

    method: str
    path: str
    role: Role = Role.OWNER
    most_bytes: int = MOST_BODY_BYTES


STRICTEST = Door('', '', Role.OWNER)
DOORS = (
    Door('GET', '/', Role.GUEST),
    Door('POST', '/reading', Role.MAKER, most_bytes=MOST_PICTURE_BYTES),
    Door('GET', '/generations', Role.MAKER),
    Door('GET', '/generations.json', Role.MAKER),
    Door('POST', '/generations', Role.MAKER),
    Door('GET', '/generations/{}', Role.MAKER),
    Door('POST', '/generations/{}/cancellation', Role.MAKER),
    Door('POST', '/generations/{}/retry', Role.MAKER),
    Door('GET', '/generations/{}/attempts'),
    Door('GET', '/generations/{}/attempts.json'),
    Door('GET', '/previews/{}', Role.MAKER),
    Door('GET', '/gallery', Role.GUEST),
    Door('GET', '/gallery.json', Role.GUEST),
    Door('GET', '/images/{}', Role.GUEST),
    Door('POST', '/images/{}/favourite', Role.MAKER),
    Door('POST', '/images/{}/deletion', Role.MAKER),
    Door('POST', '/images/{}/restoration', Role.MAKER),
    Door('POST', '/images/{}/link'),
    Door('GET', '/files/{rest}', Role.GUEST),
    Door('GET', '/thumbs/{rest}', Role.GUEST),
    Door('GET', '/events', Role.GUEST),
    Door('GET', '/settings', Role.GUEST),
    Door('GET', '/settings.json', Role.GUEST),
    Door('POST', '/settings', Role.GUEST),
    Door('POST', '/settings/password', most_bytes=MOST_PASSWORD_BYTES),
    Door('POST', '/settings/found'),
    Door('GET', '/settings/providers.json'),
    Door('GET', '/settings/providers/new'),
    Door('POST', '/settings/providers'),
    Door('GET', '/settings/providers/{}'),
    Door('POST', '/settings/providers/{}'),
    Door('POST', '/settings/providers/{}/deletion'),
    Door('POST', '/settings/providers/{}/order'),
    Door('POST', '/settings/providers/{}/test'),
    Door('POST', '/settings/providers/{}/forgetting'),
    Door('GET', '/share'),
    Door('GET', '/share.json'),
    Door('POST', '/share'),
    Door('POST', '/share/guests'),
    Door('POST', '/share/guests/{}/revocation'),
    Door('POST', '/share/pictures/{}/revocation'),
    Door('GET', '/join/{}', Role.ANYBODY),
    Door('POST', '/join/{}', Role.ANYBODY),
    Door('GET', '/shared/{}', Role.ANYBODY),
    Door('GET', '/shared/{}/{}', Role.ANYBODY),
    Door('GET', '/install', Role.GUEST),
    Door('GET', '/install.json', Role.GUEST),
    Door('GET', '/manifest.webmanifest', Role.ANYBODY),
    Door('GET', '/session', Role.ANYBODY),
    Door('POST', '/session', Role.ANYBODY, most_bytes=MOST_PASSWORD_BYTES),
    Door('POST', '/session/deletion', Role.ANYBODY),
    Door('GET', '/health', Role.ANYBODY),
    Door('GET', '/static/{rest}', Role.ANYBODY),
)


def door_of(method: str, path: str) -> Door:
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


_PATTERNS = [(door, door.path.split('/')) for door in DOORS]

"""Every address of Easel, with who may come in there and how much they may bring.

The guard decides by this table alone; what is not in it takes the strictest role.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MOST_BODY_BYTES = 1_000_000
MOST_PICTURE_BYTES = 65 * 1024 * 1024  # a picture, and the form around it
ANY = '{}'
REST = '{rest}'


class Role(Enum):
    """Who may come in."""

    ANYBODY = 'open'
    VISITOR = 'visitor'


@dataclass(frozen=True, slots=True)
class Door:
    """One address and method.

    Attributes:
        path: `{}` stands for one part, `{rest}` at the end for whatever follows.
        most_bytes: The longest body that is read here.
    """

    method: str
    path: str
    role: Role = Role.VISITOR
    most_bytes: int = MOST_BODY_BYTES


STRICTEST = Door('', '', Role.VISITOR)
DOORS = (
    Door('GET', '/'),
    Door('POST', '/reading', most_bytes=MOST_PICTURE_BYTES),
    Door('GET', '/generations'),
    Door('GET', '/generations.json'),
    Door('POST', '/generations'),
    Door('GET', '/generations/{}'),
    Door('POST', '/generations/{}/cancellation'),
    Door('POST', '/generations/{}/retry'),
    Door('GET', '/generations/{}/attempts'),
    Door('GET', '/generations/{}/attempts.json'),
    Door('GET', '/previews/{}'),
    Door('GET', '/gallery'),
    Door('GET', '/gallery.json'),
    Door('GET', '/images/{}'),
    Door('POST', '/images/{}/favourite'),
    Door('POST', '/images/{}/deletion'),
    Door('POST', '/images/{}/restoration'),
    Door('GET', '/files/{rest}'),
    Door('GET', '/thumbs/{rest}'),
    Door('GET', '/events'),
    Door('GET', '/settings'),
    Door('GET', '/settings.json'),
    Door('POST', '/settings'),
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
    Door('GET', '/install'),
    Door('GET', '/install.json'),
    Door('GET', '/manifest.webmanifest', Role.ANYBODY),
    Door('GET', '/session', Role.ANYBODY),
    Door('POST', '/session', Role.ANYBODY),
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

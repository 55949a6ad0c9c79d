"""The part of a file that somebody asks for, who has the rest already.

Source: RFC 9110, section 14. More parts than one are not offered: then it is the whole file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from starlette.datastructures import Headers

_RANGE = re.compile(r'bytes=(\d{0,18})-(\d{0,18})')


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part begins, and how it is answered."""

    start: int
    size_bytes: int
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def part_of(headers: Headers, etag: str, size_bytes: int) -> Part:
    """Return what is asked for of a file: the whole one where the asker's rest may be another's."""
    whole = Part(0, size_bytes)
    match = _RANGE.fullmatch(headers.get('range', '').replace(' ', ''))
    is_same = headers.get('if-range', etag) == etag
    if match is None or not is_same or not any(match.groups()):
        return whole
    first, last = match.groups()
    start = int(first) if first else max(0, size_bytes - int(last))
    end = min(int(last) + 1, size_bytes) if first and last else size_bytes
    if first and last and int(last) < start:  # it is no range
        return whole
    if start >= end:
        return Part(0, 0, 416, {'content-range': f'bytes */{size_bytes}'})
    said = {'content-range': f'bytes {start}-{end - 1}/{size_bytes}'}
    return Part(start, end - start, 206, said)

"""A GIF without comments and texts; it has no place for a label, which goes beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from app.storage.metadata.container import DamagedContainer, Piece, read_at

HEADER_BYTES, FRAME_BYTES = 13, 10
TRAILER, EXTENSION, FRAME = 0x3B, 0x21, 0x2C
TIMING, APPLICATION = 0xF9, 0xFF
LOOPS = (b'NETSCAPE2.0', b'ANIMEXTS1.0')


def stripped(opened: BinaryIO) -> Iterator[Piece]:
    head = read_at(opened, 0, HEADER_BYTES)
    start = HEADER_BYTES + _colours_bytes(head[10])
    yield range(start)
    while True:
        (kind,) = read_at(opened, start, 1)
        if kind == TRAILER:
            yield range(start, start + 1)
            return
        if kind == FRAME:
            frame = read_at(opened, start, FRAME_BYTES)
            end = _blocks_end(opened, start + FRAME_BYTES + _colours_bytes(frame[9]) + 1)
            yield range(start, end)
        elif kind == EXTENSION:
            end = _blocks_end(opened, start + 2)
            head = read_at(opened, start, min(14, end - start))
            if head[1] == TIMING or (head[1] == APPLICATION and head[3:14] in LOOPS):
                yield range(start, end)
        else:
            raise DamagedContainer('no block where one must be')
        start = end


def _colours_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks_end(opened: BinaryIO, start: int) -> int:
    length = 1
    while length:
        (length,) = read_at(opened, start, 1)
        start += 1 + length
    return start

"""Lays a picture out anew: with the label inside or beside it, or its pixels alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from app.storage.metadata import avif, container, jpeg, png, webp
from app.storage.metadata.container import DamagedContainer, Piece, Written, read_at
from app.storage.metadata.label import Label, xmp_packet
from app.storage.metadata.mime import mime_of

HEAD_BYTES = 64
FORMATS = {'image/png': png, 'image/jpeg': jpeg, 'image/webp': webp}
GIF_HEADER_BYTES, FRAME_BYTES = 13, 10
TRAILER, EXTENSION, FRAME = 0x3B, 0x21, 0x2C
TIMING, APPLICATION = 0xF9, 0xFF
LOOPS = (b'NETSCAPE2.0', b'ANIMEXTS1.0')


def embed(source: Path, target: Path, label: Label) -> Written:
    """Copy a picture with the label inside, or beside the copy what has no room inside.

    Raise DamagedContainer at no whole picture of a format we keep; then nothing was written.
    """
    packet = xmp_packet(label)
    with source.open('rb') as opened:
        mime = mime_of(opened.read(HEAD_BYTES))
        if mime is None:
            raise DamagedContainer('no picture')
        layout = FORMATS[mime].layout(opened, label) if mime in FORMATS else None
        pieces = layout or [range(container.size_of(opened))]
        written = container.write(opened, target, container.joined(pieces))
        if layout and (mime != 'image/jpeg' or len(packet) <= jpeg.MOST_XMP_BYTES):
            return written
        try:
            sidecar = container.write(opened, container.sidecar_of(target), [packet])
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return replace(written, sidecar=sidecar.path)


def stripped(opened: BinaryIO, mime: str) -> list[Piece]:
    """Keep the pixels alone; raise DamagedContainer where there is no way through."""
    if mime == 'image/gif':
        return container.joined(_stripped_gif(opened))
    if mime == 'image/avif':
        return container.joined(avif.stripped(opened))
    return container.joined(FORMATS[mime].stripped(opened))


def _stripped_gif(opened: BinaryIO) -> Iterator[Piece]:
    head = read_at(opened, 0, GIF_HEADER_BYTES)
    start = GIF_HEADER_BYTES + _colours_bytes(head[10])
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

"""Lays a picture out without anything besides its pixels, which stay as they are."""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

from app.storage.metadata import jpeg, png, webp
from app.storage.metadata.container import DamagedContainer, Piece, Span, joined, read_at, size_of

# What says how the pixels look; everything else says something besides.
PNG_CHUNKS = (
    *(b'IHDR', b'PLTE', b'IDAT', b'IEND', b'tRNS', b'gAMA', b'cHRM', b'sRGB', b'cICP', b'iCCP'),
    *(b'sBIT', b'bKGD', b'pHYs', b'acTL', b'fcTL', b'fdAT'),
)
WEBP_CHUNKS = (b'VP8 ', b'VP8L', b'ALPH', b'ANIM', b'ANMF', b'ICCP')
WEBP_FLAGS = 0xFF & ~(webp.HAS_EXIF | webp.HAS_XMP)
JFIF, JFIF_BYTES = b'JFIF\0', 14
APP15, COMMENT = 0xEF, 0xFE
COLOURS = {0xE2: b'ICC_PROFILE\0', 0xEE: b'Adobe'}  # APP2 and APP14
BYTE_ORDERS = {b'II*\0': '<', b'MM\0*': '>'}
ORIENTATION, SHORT = 0x0112, 3
EXIF_ENTRY_BYTES = 12
GIF_HEADER_BYTES = 13
GIF_FRAME_BYTES = 10
GIF_TRAILER, GIF_EXTENSION, GIF_FRAME = 0x3B, 0x21, 0x2C
GIF_TIMING, GIF_APPLICATION = 0xF9, 0xFF
GIF_LOOPS = (b'NETSCAPE2.0', b'ANIMEXTS1.0')

_END_OF_SCAN = re.compile(rb'\xff[^\x00\x01\xd0-\xd7\xff]')


def stripped(opened: BinaryIO, mime: str) -> list[Piece]:
    """Lay a picture out without texts, EXIF, XMP, comments, small previews and what follows it.

    Raises:
        DamagedContainer: There is no way through, or the format is AVIF, which cannot be stripped.
    """
    if mime not in _LAYOUTS:
        raise DamagedContainer('no way to take its texts out')
    return list(joined(_LAYOUTS[mime](opened)))


def _png(opened: BinaryIO) -> Iterator[Piece]:
    yield png.SIGNATURE
    for chunk in png.chunks(opened):
        if chunk.name in PNG_CHUNKS:
            yield chunk.span


def _webp(opened: BinaryIO) -> Iterator[Piece]:
    chunks = list(webp.chunks(opened))
    pieces: list[Piece] = []
    for chunk in chunks:
        if chunk.name == webp.HEADER:
            content = read_at(opened, chunk.content.start, webp.HEADER_BYTES)
            pieces.append(webp.chunk(webp.HEADER, bytes((content[0] & WEBP_FLAGS,)) + content[1:]))
        elif chunk.name in WEBP_CHUNKS:
            pieces += chunk.pieces
    yield from webp.riff(pieces)


def _jpeg(opened: BinaryIO) -> Iterator[Piece]:
    """Keep every segment that the pixels need, through all scans, up to the end marker."""
    yield Span(0, 2)
    start = 2
    while True:
        for segment in jpeg.segments(opened, start):
            yield from _needed(opened, segment)
            start = segment.span.end
        end = _end_of_scan(opened, start)
        yield Span(start, end)
        start = end
        if read_at(opened, end, 2) == bytes((0xFF, jpeg.END)):
            yield Span(end, end + 2)
            return


def _needed(opened: BinaryIO, segment: jpeg.Segment) -> Iterator[Piece]:
    if segment.marker == jpeg.APP0 and segment.head.startswith(JFIF):
        content = read_at(opened, segment.span.start + 4, JFIF_BYTES - 2)
        yield struct.pack('>BBH', 0xFF, jpeg.APP0, JFIF_BYTES + 2) + content + bytes(2)
    elif segment.marker == jpeg.APP1 and segment.head.startswith(jpeg.EXIF):
        yield from _turn(opened, segment)
    elif segment.marker in COLOURS:
        if segment.head.startswith(COLOURS[segment.marker]):
            yield segment.span
    elif not jpeg.APP0 <= segment.marker <= APP15 and segment.marker != COMMENT:
        yield segment.span


def _turn(opened: BinaryIO, segment: jpeg.Segment) -> Iterator[Piece]:
    """Keep the orientation of an EXIF block, where it is not 1, and nothing else of it."""
    start = segment.span.start + 4 + len(jpeg.EXIF)
    side = orientation_of(read_at(opened, start, segment.span.end - start))
    if side > 1:
        tag = struct.pack('>HHIHH', ORIENTATION, SHORT, 1, side, 0)
        yield jpeg.segment(jpeg.EXIF + b'MM\0*\0\0\0\x08\0\x01' + tag + bytes(4))


def orientation_of(block: bytes) -> int:
    """Read which side of a picture is up, 1 to 8; 1 where nothing readable is said.

    By hand, since the server parses no EXIF with Pillow.
    """
    order = BYTE_ORDERS.get(block[:4], '>')
    try:
        (start,) = struct.unpack_from(f'{order}I', block, 4)
        (count,) = struct.unpack_from(f'{order}H', block, start)
        for place in range(start + 2, start + 2 + count * EXIF_ENTRY_BYTES, EXIF_ENTRY_BYTES):
            tag, _, _, side = struct.unpack_from(f'{order}HHIH', block, place)
            if tag == ORIENTATION:
                return int(side) if 1 <= side <= 8 else 1
    except struct.error:
        return 1
    return 1


def _end_of_scan(opened: BinaryIO, start: int) -> int:
    """Find the marker that ends the pixels of a scan."""
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = _END_OF_SCAN.search(content, start)
        if found is None:
            raise DamagedContainer('ends too early')
        return found.start()


def _gif(opened: BinaryIO) -> Iterator[Piece]:
    head = read_at(opened, 0, GIF_HEADER_BYTES)
    start = GIF_HEADER_BYTES + _colours_bytes(head[10])
    yield Span(0, start)
    while True:
        (kind,) = read_at(opened, start, 1)
        if kind == GIF_TRAILER:
            yield Span(start, start + 1)
            return
        if kind == GIF_FRAME:
            frame = read_at(opened, start, GIF_FRAME_BYTES)
            end = _gif_blocks_end(opened, start + GIF_FRAME_BYTES + _colours_bytes(frame[9]) + 1)
            yield Span(start, end)
        elif kind == GIF_EXTENSION:
            end = _gif_blocks_end(opened, start + 2)
            if _is_needed_extension(read_at(opened, start, min(14, end - start))):
                yield Span(start, end)
        else:
            raise DamagedContainer('no block where one must be')
        start = end


def _is_needed_extension(head: bytes) -> bool:
    if head[1] == GIF_APPLICATION:
        return head[3:14] in GIF_LOOPS
    return head[1] == GIF_TIMING


def _colours_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _gif_blocks_end(opened: BinaryIO, start: int) -> int:
    size = size_of(opened)
    while start < size:
        (length,) = read_at(opened, start, 1)
        start += 1 + length
        if length == 0:
            return start
    raise DamagedContainer('ends too early')


_LAYOUTS: dict[str, Callable[[BinaryIO], Iterator[Piece]]] = {
    'image/png': _png,
    'image/jpeg': _jpeg,
    'image/webp': _webp,
    'image/gif': _gif,
}

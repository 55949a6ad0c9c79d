"""The label inside a WebP: EXIF and XMP chunks behind the pixels, and the header they need."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from app.storage.metadata import jpeg
from app.storage.metadata.container import (
    MOST_PACKET_BYTES,
    Chunk,
    DamagedContainer,
    Piece,
    read_at,
    size_of,
)
from app.storage.metadata.label import Label, parameters_text, xmp_packet

HEADER, EXIF, XMP = b'VP8X', b'EXIF', b'XMP '
LOSSY, LOSSLESS, FRAME = b'VP8 ', b'VP8L', b'ANMF'
HAS_ALPHA, HAS_EXIF, HAS_XMP = 0x10, 0x08, 0x04
PIXEL_CHUNKS = (LOSSY, LOSSLESS, FRAME, b'ALPH', b'ANIM', b'ICCP')
HEADER_BYTES = 10
MOST_EXIF_BYTES = 1024 * 1024


def layout(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    """Put the label behind the pixels; other EXIF stays, what follows the RIFF is left out."""
    found = list(_chunks(opened))
    if not any(one.name in (LOSSY, LOSSLESS, FRAME) for one in found):
        raise DamagedContainer('no pixels')
    pieces: list[Piece] = [_chunk(HEADER, _header(opened, found[0]))]
    for one in found:
        if one.name not in (HEADER, EXIF, XMP):
            pieces += _padded(one)
    exif = next((one for one in found if one.name == EXIF), None)
    if exif and len(exif.span) > MOST_EXIF_BYTES:
        pieces += _padded(exif)
    else:
        block = read_at(opened, exif.span.start, len(exif.span)) if exif else b''
        block = jpeg.with_comment(block.removeprefix(jpeg.EXIF), parameters_text(label))
        pieces.append(_chunk(EXIF, block))
    pieces.append(_chunk(XMP, xmp_packet(label)))
    return _riff(pieces)


def stripped(opened: BinaryIO) -> Iterator[Piece]:
    pieces: list[Piece] = []
    for one in _chunks(opened):
        if one.name == HEADER:
            content = read_at(opened, one.span.start, HEADER_BYTES)
            flags = content[0] & ~(HAS_EXIF | HAS_XMP)
            pieces.append(_chunk(HEADER, bytes((flags,)) + content[1:]))
        elif one.name in PIXEL_CHUNKS:
            pieces += _padded(one)
    return _riff(pieces)


def xmp(opened: BinaryIO) -> bytes:
    """Return the XMP packet; empty where there is none."""
    for one in _chunks(opened):
        if one.name == XMP and len(one.span) <= MOST_PACKET_BYTES:
            return read_at(opened, one.span.start, len(one.span))
    return b''


def _riff(pieces: list[Piece]) -> Iterator[Piece]:
    yield b'RIFF' + struct.pack('<I', sum(map(len, pieces)) + 4) + b'WEBP'
    yield from pieces


def _chunks(opened: BinaryIO) -> Iterator[Chunk]:
    """Walk through the RIFF; raise DamagedContainer where there is no way through."""
    riff, length, kind = struct.unpack('<4sI4s', read_at(opened, 0, 12))
    end = length + 8
    if (riff, kind) != (b'RIFF', b'WEBP') or end > size_of(opened):
        raise DamagedContainer('no whole RIFF')
    start = 12
    while start < end:
        name, length = struct.unpack('<4sI', read_at(opened, start, 8))
        whole = range(start, start + length + 8)
        if whole.stop > end:
            raise DamagedContainer('a chunk is cut')
        yield Chunk(name, whole[8:], whole)
        start = whole.stop + length % 2


def _padded(found: Chunk) -> tuple[Piece, Piece]:
    """Return a chunk and its padding, which may be missing at the end."""
    return found.whole, bytes(len(found.whole) % 2)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack('<I', len(content)) + content + bytes(len(content) % 2)


def _header(opened: BinaryIO, first: Chunk) -> bytes:
    """Return the extended header: the one that is there, or made for a simple file's frame.

    Raise DamagedContainer at neither. Source: RFC 9649, 2.5 to 2.7; RFC 6386, 9.1.
    """
    content = read_at(opened, first.span.start, min(len(first.span), HEADER_BYTES))
    content = content.ljust(HEADER_BYTES, b'\0')
    flags = width = height = 0
    if first.name == HEADER:
        return bytes((content[0] | HAS_EXIF | HAS_XMP,)) + content[1:]
    if first.name == LOSSY and content[3:6] == b'\x9d\x01\x2a':
        width, height = (side & 0x3FFF for side in struct.unpack('<HH', content[6:10]))
    elif first.name == LOSSLESS and content[0] == 0x2F:
        (bits,) = struct.unpack('<I', content[1:5])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = HAS_ALPHA if bits >> 28 & 1 else 0
    if not (width and height):
        raise DamagedContainer('no frame where the first must be')
    sides = (width - 1).to_bytes(3, 'little') + (height - 1).to_bytes(3, 'little')
    return bytes((flags | HAS_EXIF | HAS_XMP, 0, 0, 0)) + sides

"""The label inside a WebP: EXIF and XMP chunks behind the pixels, and the header they need."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.storage.metadata.container import (
    DamagedContainer,
    Piece,
    Span,
    length_of,
    read_at,
    size_of,
)
from app.storage.metadata.jpeg import EXIF as JPEGS_NAME
from app.storage.metadata.jpeg import with_comment
from app.storage.metadata.label import Label, parameters_text, xmp_packet

HEADER, EXIF, XMP = b'VP8X', b'EXIF', b'XMP '
LOSSY, LOSSLESS, FRAME = b'VP8 ', b'VP8L', b'ANMF'
HAS_ALPHA, HAS_EXIF, HAS_XMP = 0x10, 0x08, 0x04
HEADER_BYTES = 10
MOST_EXIF_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk; the span is its content without name, length and padding."""

    name: bytes
    content: Span

    @property
    def pieces(self) -> tuple[Piece, ...]:
        length = self.content.end - self.content.start
        return Span(self.content.start - 8, self.content.end), bytes(length % 2)


def layout(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    """Lay out a WebP with the label behind its pixels; other EXIF stays, earlier XMP is replaced.

    What follows the RIFF is no part of a WebP and is left out.

    Raises:
        DamagedContainer: It is no whole WebP.
    """
    return riff(_labelled_chunks(opened, label))


def riff(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Put the header of the whole file before its chunks."""
    chunks = list(pieces)
    yield b'RIFF' + struct.pack('<I', length_of(chunks) + 4) + b'WEBP'
    yield from chunks


def _labelled_chunks(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    found = list(chunks(opened))
    if not any(one.name in (LOSSY, LOSSLESS, FRAME) for one in found):
        raise DamagedContainer('no pixels')
    yield chunk(HEADER, _header(opened, found[0]))
    for one in found:
        if one.name not in (HEADER, EXIF, XMP):
            yield from one.pieces
    yield from _exif(opened, found, label)
    yield chunk(XMP, xmp_packet(label))


def chunks(opened: BinaryIO) -> Iterator[Chunk]:
    """Walk through the RIFF.

    Raises:
        DamagedContainer: There is no way through.
    """
    riff, length, kind = struct.unpack('<4sI4s', read_at(opened, 0, 12))
    end = length + 8
    if (riff, kind) != (b'RIFF', b'WEBP') or end > size_of(opened):
        raise DamagedContainer('no whole RIFF')
    start = 12
    while start < end:
        name, length = struct.unpack('<4sI', read_at(opened, start, 8))
        content = Span(start + 8, start + 8 + length)
        if content.end > end:
            raise DamagedContainer('a chunk is cut')
        yield Chunk(name, content)
        start = content.end + length % 2


def _header(opened: BinaryIO, first: Chunk) -> bytes:
    """Return the extended header, from the one that is there or from the frame of a simple file.

    Source: RFC 9649, 2.5 to 2.7; RFC 6386, 9.1.

    Raises:
        DamagedContainer: The first chunk is none of the three that a WebP starts with.
    """
    length = first.content.end - first.content.start
    content = read_at(opened, first.content.start, min(length, HEADER_BYTES))
    content = content.ljust(HEADER_BYTES, b'\0')
    flags, width, height = 0, 0, 0
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


def _exif(opened: BinaryIO, among: list[Chunk], label: Label) -> Iterator[Piece]:
    found = next((one for one in among if one.name == EXIF), None)
    block = b''
    if found:
        if found.content.end - found.content.start > MOST_EXIF_BYTES:
            yield from found.pieces
            return
        block = read_at(opened, found.content.start, found.content.end - found.content.start)
    block = block.removeprefix(JPEGS_NAME)
    yield chunk(EXIF, with_comment(block, parameters_text(label)))


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack('<I', len(content)) + content + bytes(len(content) % 2)

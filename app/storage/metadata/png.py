"""The label inside a PNG: text chunks ahead of the pixels, where the quickest readers look."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.storage.metadata.container import DamagedContainer, Piece, Span, read_at, size_of
from app.storage.metadata.label import Label, parameters_text, xmp_packet

SIGNATURE = b'\x89PNG\r\n\x1a\n'
PARAMETERS = b'parameters'
XMP = b'XML:com.adobe.xmp'
TEXT_CHUNKS = (b'tEXt', b'zTXt', b'iTXt')
OUR_KEYS = (PARAMETERS, XMP)
LONGEST_KEY_BYTES = 79
FRAME_BYTES = 12


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk, with its length, name and checksum."""

    name: bytes
    span: Span


def layout(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    """Lay out a PNG with the label in front; earlier texts of the same keys are replaced.

    What follows the last chunk is no part of a PNG and is left out.

    Raises:
        DamagedContainer: It is no whole PNG.
    """
    found = chunks(opened)
    header = next(found)
    if header.name != b'IHDR':
        raise DamagedContainer('no header')
    yield SIGNATURE
    yield header.span
    yield _text_chunk(PARAMETERS, parameters_text(label))
    yield _text_chunk(XMP, xmp_packet(label).decode())
    has_pixels = False
    for chunk in found:
        has_pixels = has_pixels or chunk.name == b'IDAT'
        if not _is_ours(opened, chunk):
            yield chunk.span
    if not has_pixels:
        raise DamagedContainer('no pixels')


def chunks(opened: BinaryIO) -> Iterator[Chunk]:
    """Walk from the first chunk to IEND.

    Raises:
        DamagedContainer: There is no way through.
    """
    size = size_of(opened)
    if read_at(opened, 0, len(SIGNATURE)) != SIGNATURE:
        raise DamagedContainer('no signature')
    start, name = len(SIGNATURE), b''
    while name != b'IEND':
        length, name = struct.unpack('>I4s', read_at(opened, start, 8))
        end = start + FRAME_BYTES + length
        if end > size or not name.isalpha():
            raise DamagedContainer('a chunk is cut')
        yield Chunk(name, Span(start, end))
        start = end


def _is_ours(opened: BinaryIO, chunk: Chunk) -> bool:
    if chunk.name not in TEXT_CHUNKS:
        return False
    length = chunk.span.end - chunk.span.start - FRAME_BYTES
    head = read_at(opened, chunk.span.start + 8, min(length, LONGEST_KEY_BYTES + 1))
    return head.partition(b'\0')[0] in OUR_KEYS


def _text_chunk(key: bytes, text: str) -> bytes:
    """Write iTXt, or tEXt where Latin-1 is enough; XMP's own rule is iTXt."""
    if key != XMP and _is_latin_1(text):
        return _chunk(b'tEXt', key + b'\0' + text.encode('latin-1'))
    return _chunk(b'iTXt', key + b'\0\0\0\0\0' + text.encode())


def _is_latin_1(text: str) -> bool:
    return all(character <= '\xff' for character in text)


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack('>I', len(content)) + checked + struct.pack('>I', zlib.crc32(checked))

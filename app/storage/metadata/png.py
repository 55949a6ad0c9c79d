"""The label inside a PNG: text chunks ahead of the pixels, where the quickest readers look."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import takewhile
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

SIGNATURE = b'\x89PNG\r\n\x1a\n'
EXIF = b'eXIf'
PARAMETERS, XMP = b'parameters', b'XML:com.adobe.xmp'
TEXT_CHUNKS = (b'tEXt', b'zTXt', b'iTXt')
LONGEST_KEY_BYTES = 79
# What says how the pixels look; everything else says something besides.
PIXEL_CHUNKS = (
    *(b'IHDR', b'PLTE', b'IDAT', b'IEND', b'tRNS', b'gAMA', b'cHRM', b'sRGB', b'cICP', b'iCCP'),
    *(b'sBIT', b'bKGD', b'pHYs', b'acTL', b'fcTL', b'fdAT'),
)


def layout(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    """Put the label in front, for earlier texts of its keys; what follows the end is left out."""
    found = chunks(opened)
    header = next(found)
    if header.name != b'IHDR':
        raise DamagedContainer('no header')
    yield SIGNATURE
    yield header.whole
    yield _text_chunk(PARAMETERS, parameters_text(label))
    yield _text_chunk(XMP, xmp_packet(label).decode())
    has_pixels = False
    for chunk in found:
        has_pixels = has_pixels or chunk.name == b'IDAT'
        if chunk.name in TEXT_CHUNKS:
            head = read_at(opened, chunk.span.start, min(len(chunk.span), LONGEST_KEY_BYTES + 1))
            if head.partition(b'\0')[0] in (PARAMETERS, XMP):
                continue
        yield chunk.whole
    if not has_pixels:
        raise DamagedContainer('no pixels')


def stripped(opened: BinaryIO) -> Iterator[Piece]:
    yield SIGNATURE
    is_ahead = True
    for one in chunks(opened):
        is_ahead = is_ahead and one.name != b'IDAT'
        if one.name in PIXEL_CHUNKS:
            yield one.whole
        elif one.name == EXIF and is_ahead and len(one.span) <= jpeg.MOST_SEGMENT_BYTES:
            side = jpeg.orientation(read_at(opened, one.span.start, len(one.span)))
            if side > 1:
                yield _chunk(EXIF, jpeg.turning_exif(side))


def xmp(opened: BinaryIO) -> bytes:
    """Return the XMP packet ahead of the pixels, where Easel puts it; empty where there is none."""
    for chunk in takewhile(lambda one: one.name != b'IDAT', chunks(opened)):
        if chunk.name == b'iTXt' and len(chunk.span) <= MOST_PACKET_BYTES:
            key, _, packet = read_at(opened, chunk.span.start, len(chunk.span)).partition(b'\0')
            if key == XMP:
                return packet
    return b''


def chunks(opened: BinaryIO) -> Iterator[Chunk]:
    """Walk from the first chunk to IEND; raise DamagedContainer where there is no way through."""
    size = size_of(opened)
    if read_at(opened, 0, len(SIGNATURE)) != SIGNATURE:
        raise DamagedContainer('no signature')
    start, name = len(SIGNATURE), b''
    while name != b'IEND':
        length, name = struct.unpack('>I4s', read_at(opened, start, 8))
        whole = range(start, start + length + 12)
        if whole.stop > size or not name.isalpha():
            raise DamagedContainer('a chunk is cut')
        yield Chunk(name, whole[8:-4], whole)
        start = whole.stop


def _text_chunk(key: bytes, text: str) -> bytes:
    """Write iTXt, or tEXt where Latin-1 is enough; XMP's own rule is iTXt."""
    if key != XMP and max(text, default='') <= '\xff':
        return _chunk(b'tEXt', key + b'\0' + text.encode('latin-1'))
    return _chunk(b'iTXt', key + b'\0\0\0\0\0' + text.encode())


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack('>I', len(content)) + name + content + struct.pack('>I', checksum)

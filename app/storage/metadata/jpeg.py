"""A label inside a JPEG: EXIF UserComment and XMP, each in an APP1 segment at the front."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.storage.metadata.container import (
    BLOCK_BYTES,
    DamagedContainer,
    Piece,
    Span,
    Written,
    joined,
    read_at,
    size_of,
    write,
)
from app.storage.metadata.exif import with_comment
from app.storage.metadata.label import Label, parameters_text, xmp_packets

START, SCAN, END = 0xD8, 0xDA, 0xD9
APP0, APP1 = 0xE0, 0xE1
ALONE = (0x01, *range(0xD0, 0xD9))
EXIF = b'Exif\0\0'
XMP = b'http://ns.adobe.com/xap/1.0/\0'
EXTENDED_XMP = b'http://ns.adobe.com/xmp/extension/\0'
MOST_SEGMENT_BYTES = 65_533
MOST_XMP_BYTES = 65_502
EXTENSION_BYTES = 65_400


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment with its marker; `head` is enough of its content to know it by."""

    marker: int
    span: Span
    head: bytes

    def holds(self, name: bytes) -> bool:
        """Whether it is the APP1 of this name."""
        return self.marker == APP1 and self.head.startswith(name)


def embed(source: Path, target: Path, label: Label) -> Written:
    """Copy a JPEG with the label inside; other EXIF tags stay, earlier XMP is replaced.

    A UserComment that makes the EXIF larger than a segment is left to the XMP, which has
    everything.

    Raises:
        DamagedContainer: It is no whole JPEG; nothing was written.
        OSError: The disk refused.
    """
    with source.open('rb') as opened:
        return write(opened, target, list(joined(_pieces(opened, label))))


def _pieces(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    """Lay out: start, JFIF, EXIF, XMP, the other segments, the pixels and what follows them."""
    found = list(segments(opened))
    leading = 0
    while found[leading].marker == APP0:
        leading += 1
    exif = next((one for one in found if one.holds(EXIF)), None)
    yield Span(0, 2)
    yield from (one.span for one in found[:leading])
    yield from _exif(opened, exif, label)
    yield from _xmp(label)
    for one in found[leading:]:
        if one is not exif and not one.holds(XMP) and not one.holds(EXTENDED_XMP):
            yield one.span
    scan_start = found[-1].span.end
    _must_end(opened, scan_start)
    yield Span(scan_start, size_of(opened))


def segments(opened: BinaryIO, start: int = 2) -> Iterator[Segment]:
    """Walk from a segment, the first or one behind a scan, to the header of the next scan.

    Raises:
        DamagedContainer: There is no way through.
    """
    size, marker = size_of(opened), START
    if read_at(opened, 0, 2) != bytes((0xFF, START)):
        raise DamagedContainer('no start')
    while marker != SCAN:
        fill, marker = read_at(opened, start, 2)
        if fill != 0xFF or marker in (0x00, END, *ALONE):
            raise DamagedContainer('no segment where one must be')
        if marker == 0xFF:
            start += 1
            continue
        (length,) = struct.unpack('>H', read_at(opened, start + 2, 2))
        span = Span(start, start + 2 + length)
        if length < 2 or span.end > size:
            raise DamagedContainer('a segment is cut')
        head = read_at(opened, start + 4, min(length - 2, len(EXTENDED_XMP)))
        yield Segment(marker, span, head)
        start = span.end


def _exif(opened: BinaryIO, found: Segment | None, label: Label) -> Iterator[Piece]:
    block = b''
    if found:
        start = found.span.start + 4 + len(EXIF)
        block = read_at(opened, start, found.span.end - start)
    content = EXIF + with_comment(block, parameters_text(label))
    if len(content) <= MOST_SEGMENT_BYTES:
        yield segment(content)
    elif found:
        yield found.span


def _xmp(label: Label) -> Iterator[Piece]:
    """Write the standard part and, where there is one, the extended part in its pieces."""
    packets = xmp_packets(label, MOST_XMP_BYTES)
    yield segment(XMP + packets.standard)
    length = len(packets.extended)
    for start in range(0, length, EXTENSION_BYTES):
        place = packets.extended_name.encode() + struct.pack('>II', length, start)
        part = packets.extended[start : start + EXTENSION_BYTES]
        yield segment(EXTENDED_XMP + place + part)


def segment(content: bytes) -> bytes:
    """Write one APP1 segment."""
    return struct.pack('>BBH', 0xFF, APP1, len(content) + 2) + content


def _must_end(opened: BinaryIO, start: int) -> None:
    """Look for the end marker, which can't be part of the pixels.

    Raises:
        DamagedContainer: It is not there.
    """
    opened.seek(start)
    last = b''
    while block := opened.read(BLOCK_BYTES):
        if bytes((0xFF, END)) in last + block:
            return
        last = block[-1:]
    raise DamagedContainer('ends too early')

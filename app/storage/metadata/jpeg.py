"""The label inside a JPEG: EXIF UserComment and XMP, each in an APP1 segment at the front."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.storage.metadata.container import (
    BLOCK_BYTES,
    DamagedContainer,
    Piece,
    Span,
    read_at,
    size_of,
)
from app.storage.metadata.label import LONG_TEXTS, Label, parameters_text, xmp_packet

START, SCAN, END = 0xD8, 0xDA, 0xD9
APP0, APP1 = 0xE0, 0xE1
ALONE = (0x01, *range(0xD0, 0xD9))
EXIF = b'Exif\0\0'
XMP = b'http://ns.adobe.com/xap/1.0/\0'
EXTENDED_XMP = b'http://ns.adobe.com/xmp/extension/\0'
USER_COMMENT = 0x9286
# MakerNote, ComponentsConfiguration, FileSource, SceneType: bytes whose type Pillow does not know.
UNDEFINED_TAGS = (USER_COMMENT, 0x927C, 0x9101, 0xA300, 0xA301)
EXIF_DIRECTORY = 0x8769
UNREADABLE_EXIF = (
    *(ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError),
    *(Warning, struct.error),
)
MOST_SEGMENT_BYTES = 65_533
MOST_XMP_BYTES = 65_502


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment with its marker; `head` is enough of its content to know it by."""

    marker: int
    span: Span
    head: bytes

    def is_named(self, name: bytes) -> bool:
        return self.marker == APP1 and self.head.startswith(name)


def layout(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    """Lay out: start, JFIF, EXIF, XMP, the other segments, the pixels and what follows them.

    Other EXIF tags stay, earlier XMP is replaced. A UserComment that makes the EXIF larger than a
    segment is left out, since the XMP has everything.

    Raises:
        DamagedContainer: It is no whole JPEG.
    """
    found = list(segments(opened))
    leading = 0
    while found[leading].marker == APP0:
        leading += 1
    exif = next((one for one in found if one.is_named(EXIF)), None)
    yield Span(0, 2)
    yield from (one.span for one in found[:leading])
    yield from _exif(opened, exif, label)
    packet = xmp_packet(label)
    yield segment(XMP + (packet if fits(packet) else xmp_packet(label, LONG_TEXTS)))
    for one in found[leading:]:
        if one is not exif and not one.is_named(XMP) and not one.is_named(EXTENDED_XMP):
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


def with_comment(block: bytes, comment: str) -> bytes:
    """Return the EXIF block with this UserComment and the other tags as they were.

    The text is UTF-16 with its high byte first, whatever the block's own order: so AUTOMATIC1111
    writes it and so its readers expect it.

    Args:
        block: From its byte order on, without `Exif`; empty for a new one. One that cannot be read
            is returned unchanged.
        comment: Any text without halves of surrogate pairs.
    """
    from PIL import Image, TiffTags  # in the decoder's child alone: the server parses no EXIF

    TiffTags.TAGS_V2_GROUPS[EXIF_DIRECTORY] |= {
        tag: TiffTags.TagInfo(tag, 'undefined', TiffTags.UNDEFINED, 1) for tag in UNDEFINED_TAGS
    }
    exif = Image.Exif()
    try:
        with warnings.catch_warnings(action='error'):  # Pillow only warns, and drops the tags
            exif.load(block)
            inner = exif.get_ifd(EXIF_DIRECTORY)
            inner[USER_COMMENT] = b'UNICODE\0' + comment.encode('utf-16-be')
            return exif.tobytes().removeprefix(EXIF)
    except UNREADABLE_EXIF:
        return block


def fits(packet: bytes) -> bool:
    """Check whether an XMP packet has room in a segment; a larger one goes beside the picture."""
    return len(packet) <= MOST_XMP_BYTES


def segment(content: bytes) -> bytes:
    return struct.pack('>BBH', 0xFF, APP1, len(content) + 2) + content


def _must_end(opened: BinaryIO, start: int) -> None:
    """Raise DamagedContainer where there is no end marker, which cannot be part of the pixels."""
    opened.seek(start)
    last = b''
    while block := opened.read(BLOCK_BYTES):
        if bytes((0xFF, END)) in last + block:
            return
        last = block[-1:]
    raise DamagedContainer('ends too early')

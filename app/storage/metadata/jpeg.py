"""The label in a JPEG: EXIF UserComment and XMP, each in an APP1 segment at the front."""

from __future__ import annotations

import mmap
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import BinaryIO

from app.storage.metadata.container import DamagedContainer, Piece, read_at, size_of
from app.storage.metadata.label import LONG_TEXTS, Label, parameters_text, xmp_packet

START, SCAN, END = 0xD8, 0xDA, 0xD9
APP0, APP1, APP15, COMMENT = 0xE0, 0xE1, 0xEF, 0xFE
ALONE = (0x01, *range(0xD0, 0xD9))
EXIF = b'Exif\0\0'
XMP = b'http://ns.adobe.com/xap/1.0/\0'
EXTENDED_XMP = b'http://ns.adobe.com/xmp/extension/\0'
EXIF_DIRECTORY, USER_COMMENT, ORIENTATION = 0x8769, 0x9286, 0x0112
# MakerNote, ComponentsConfiguration, FileSource, SceneType: bytes whose type Pillow does not know.
UNDEFINED_TAGS = (USER_COMMENT, 0x927C, 0x9101, 0xA300, 0xA301)
UNREADABLE_EXIF = (
    *(ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError),
    *(Warning, struct.error),
)
JFIF, JFIF_BYTES = b'JFIF\0', 14
COLOURS = {0xE2: b'ICC_PROFILE\0', 0xEE: b'Adobe'}  # APP2 and APP14
BYTE_ORDERS = {b'II*\0': '<', b'MM\0*': '>'}
SHORT, EXIF_ENTRY_BYTES = 3, 12
# Whose EXIF turns a picture in browsers (Chromium 156): not WebP's, and of a PNG only what comes
# before its pixels. An AVIF is turned by its own container, which Pillow tells as EXIF.
TURNED_BY_EXIF = ('JPEG', 'PNG', 'AVIF')
END_OF_SCAN = re.compile(rb'\xff[^\x00\x01\xd0-\xd7\xff]')
MOST_SEGMENT_BYTES = 65_533
MOST_XMP_BYTES = 65_502  # a larger packet goes beside the picture


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment with its marker; `head` is enough of its content to know it by."""

    marker: int
    span: range
    head: bytes

    def is_named(self, *names: bytes) -> bool:
        return self.marker == APP1 and self.head.startswith(names)

    def content(self, opened: BinaryIO, name: bytes) -> bytes:
        start = self.span.start + 4 + len(name)
        return read_at(opened, start, self.span.stop - start)


def layout(opened: BinaryIO, label: Label) -> Iterator[Piece]:
    """Lay out: start, JFIF, EXIF, XMP, the other segments, the pixels and what follows them.

    A UserComment that makes the EXIF larger than a segment is left out: the XMP has everything.
    """
    found = list(_segments(opened))
    leading = [one.span for one in takewhile(lambda one: one.marker == APP0, found)]
    exif = next((one for one in found if one.is_named(EXIF)), None)
    yield range(2)
    yield from leading
    block = exif.content(opened, EXIF) if exif else b''
    content = EXIF + with_comment(block, parameters_text(label))
    if len(content) <= MOST_SEGMENT_BYTES:
        yield segment(content)
    elif exif:
        yield exif.span
    packet = xmp_packet(label)
    if len(packet) > MOST_XMP_BYTES:
        packet = xmp_packet(label, LONG_TEXTS)
    yield segment(XMP + packet)
    for one in found[len(leading) :]:
        if one is not exif and not one.is_named(XMP, EXTENDED_XMP):
            yield one.span
    scan_start = found[-1].span.stop
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        if whole.rfind(bytes((0xFF, END)), scan_start) < 0:  # nothing that the pixels can hold
            raise DamagedContainer('ends too early')
    yield range(scan_start, size_of(opened))


def stripped(opened: BinaryIO) -> Iterator[Piece]:
    """Keep every segment that the pixels need, through all scans, up to the end marker."""
    yield range(2)
    start, is_end, has_exif = 2, False, False
    while not is_end:
        for one in _segments(opened, start):
            if not (one.is_named(EXIF) and has_exif):  # browsers read only the first
                yield from _needed(opened, one)
            has_exif = has_exif or one.is_named(EXIF)
            start = one.span.stop
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            marker = END_OF_SCAN.search(whole, start)
            if marker is None:
                raise DamagedContainer('ends too early')
            end, is_end = marker.start(), marker[0][1] == END
        yield range(start, end + 2 if is_end else end)
        start = end


def xmp(opened: BinaryIO) -> bytes:
    """Return the XMP packet ahead of the pixels; empty where there is none."""
    found = (one.content(opened, XMP) for one in _segments(opened) if one.is_named(XMP))
    return next(found, b'')


def _needed(opened: BinaryIO, found: Segment) -> Iterator[Piece]:
    """Yield what the pixels need of a segment: of EXIF, an orientation other than 1."""
    if found.marker == APP0 and found.head.startswith(JFIF):
        content = read_at(opened, found.span.start + 4, JFIF_BYTES - 2)
        yield struct.pack('>BBH', 0xFF, APP0, JFIF_BYTES + 2) + content + bytes(2)
    elif found.is_named(EXIF):
        side = orientation(found.content(opened, EXIF))
        if side > 1:
            yield segment(EXIF + turning_exif(side))
    elif found.marker in COLOURS:
        if found.head.startswith(COLOURS[found.marker]):
            yield found.span
    elif not APP0 <= found.marker <= APP15 and found.marker != COMMENT:
        yield found.span


def shown_side(form: str, block: bytes) -> int:
    """Return the orientation that browsers show a picture of a format of Pillow's by, 1 to 8."""
    return orientation(block.removeprefix(EXIF)) if form in TURNED_BY_EXIF else 1


def orientation(block: bytes) -> int:
    """Read which side is up from EXIF as browsers do, 1 to 8.

    By hand, since the server parses none with Pillow, which takes other types and XMP too.
    """
    order = BYTE_ORDERS.get(block[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f'{order}I', block, 4)
        (count,) = struct.unpack_from(f'{order}H', block, start)
        for place in range(start + 2, start + 2 + count * EXIF_ENTRY_BYTES, EXIF_ENTRY_BYTES):
            tag, kind, values, side = struct.unpack_from(f'{order}HHIH', block, place)
            if tag == ORIENTATION:
                return int(side) if (kind, values) == (SHORT, 1) and 1 <= side <= 8 else 1
    except struct.error:
        return 1
    return 1


def turning_exif(side: int) -> bytes:
    """Return EXIF that says nothing but which side is up."""
    tag = struct.pack('>HHIHH', ORIENTATION, SHORT, 1, side, 0)
    return b'MM\0*\0\0\0\x08\0\x01' + tag + bytes(4)


def _segments(opened: BinaryIO, start: int = 2) -> Iterator[Segment]:
    """Walk from a segment, the first or one behind a scan, to the header of the next scan."""
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
        span = range(start, start + 2 + length)
        if length < 2 or span.stop > size:
            raise DamagedContainer('a segment is cut')
        head = read_at(opened, start + 4, min(length - 2, len(EXTENDED_XMP)))
        yield Segment(marker, span, head)
        start = span.stop


def with_comment(block: bytes, comment: str) -> bytes:
    """Return an EXIF block, which may be empty, with this UserComment; unchanged if unreadable.

    The text is UTF-16 with its high byte first, whatever the block's own order: so AUTOMATIC1111
    writes it and so its readers expect it. It must hold no halves of surrogate pairs.
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
            if exif.get(ORIENTATION, 1) != orientation(block):  # Pillow would mend a wrong one
                exif[ORIENTATION] = orientation(block)
            return exif.tobytes().removeprefix(EXIF)
    except UNREADABLE_EXIF:
        return block


def segment(content: bytes) -> bytes:
    return struct.pack('>BBH', 0xFF, APP1, len(content) + 2) + content

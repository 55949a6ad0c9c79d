"""AVIF: its boxes, and what of them makes the picture.

Nothing moves in a file that is stripped: what is taken out is written over, since boxes name each
other by their places. Sources: ISO/IEC 14496-12 (boxes, `meta`), 23008-12 (items), the AVIF
specification of AOM (which items and properties make a picture).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from app.storage.metadata.container import DamagedContainer, Piece, read_at, size_of

MOST_META_BYTES = 4 * 1024 * 1024
ZEROS = bytes(64 * 1024)
BOX_BYTES, LARGE_BOX_BYTES, FULL_BYTES = 8, 16, 4  # of heads; a full box has version and flags
FREE = b'free'
IN_META = (b'hdlr', b'pitm', b'iloc', b'iinf', b'iref', b'iprp', b'idat', b'grpl')
ITEMS = (b'av01', b'grid', b'iovl', b'tmap')
PROPERTIES = (
    *(b'ispe', b'pixi', b'av1C', b'colr', b'pasp', b'clap', b'irot', b'imir', b'auxC', b'clli'),
    *(b'mdcv', b'cclv', b'amve', b'a1op', b'a1lx', b'lsel'),
)
HANDLER_NAME_AT = 24  # in the content of `hdlr`
IN_FILE, IN_IDAT = 0, 1  # where an item's bytes are


@dataclass(frozen=True, slots=True)
class Box:
    """One box; `span` is its content."""

    kind: bytes
    whole: range
    span: range


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of an item's bytes: in the file, or in the content of `idat`."""

    item: int
    method: int
    span: range


class Numbers:
    """Reads numbers from the content of a box, one after another."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def next(self, count: int) -> int:
        """Read a number of so many bytes; raise DamagedContainer at the end."""
        found = self._content[self._at : self._at + count]
        if len(found) < count:
            raise DamagedContainer('a box ends too early')
        self._at += count
        return int.from_bytes(found)


def stripped(opened: BinaryIO) -> Iterator[Piece]:
    """Keep what makes the picture; raise DamagedContainer at an animation, and what is no AVIF."""
    boxes = list(_boxes(opened, range(size_of(opened))))
    metas = [box for box in boxes if box.kind == b'meta']
    if len(metas) != 1 or any(box.kind in (b'moov', b'moof') for box in boxes):
        raise DamagedContainer('not one still picture')
    content, shown = _meta(opened, metas[0])
    spans = [box.span for box in boxes if box.kind == b'mdat']
    if not all(any(_holds(span, one) for span in spans) for one in shown):
        raise DamagedContainer('bytes in another place')
    for box in boxes:
        if box.kind == b'ftyp':
            yield box.whole
        elif box is metas[0]:
            yield range(box.whole.start, box.span.start)
            yield content
        elif box.kind == b'mdat':
            yield range(box.whole.start, box.span.start)
            yield from _only(box.span, shown)
        else:
            yield len(box.whole).to_bytes(4) + FREE
            yield from _zeros(len(box.whole) - BOX_BYTES)


def _boxes(opened: BinaryIO, within: range) -> Iterator[Box]:
    """Yield the boxes one after another; the last may reach to the end without saying how far."""
    start = within.start
    while start < within.stop:
        head = read_at(opened, start, BOX_BYTES)
        length, head_bytes = int.from_bytes(head[:4]) or within.stop - start, BOX_BYTES
        if length == 1:
            length = int.from_bytes(read_at(opened, start + BOX_BYTES, 8))
            head_bytes = LARGE_BOX_BYTES
        stop = start + length
        if length < head_bytes or stop > within.stop or length >> 32:
            raise DamagedContainer('a box that does not fit')
        yield Box(head[4:], range(start, stop), range(start + head_bytes, stop))
        start = stop


def _meta(opened: BinaryIO, meta: Box) -> tuple[bytes, list[range]]:
    """Return the content of `meta` without texts, and where in the file its pictures are."""
    if len(meta.span) > MOST_META_BYTES:
        raise DamagedContainer('too many boxes')
    content = bytearray(read_at(opened, meta.span.start, len(meta.span)))
    first, items, extents, idat = meta.span.start, set[int](), list[Extent](), range(0)
    for box in _boxes(opened, range(first + FULL_BYTES, meta.span.stop)):
        own = range(box.span.start - first, box.span.stop - first)
        if box.kind == b'hdlr':
            _blank(content, own[HANDLER_NAME_AT:])
        elif box.kind == b'iinf':
            items |= _items(opened, box, content, first)
        elif box.kind == b'iprp':
            _properties(opened, box, content, first)
        elif box.kind == b'iloc':
            extents += _extents(bytes(content[own.start : own.stop]))
        elif box.kind == b'idat':
            idat = own
        elif box.kind not in IN_META:
            _free(content, box, first)
    shown = [extent for extent in extents if extent.item in items]
    inside = [
        range(idat.start + one.span.start, idat.start + one.span.stop)
        for one in shown
        if one.method == IN_IDAT
    ]
    for gap in _gaps(idat, inside):
        _blank(content, gap)
    return bytes(content), [one.span for one in shown if one.method == IN_FILE]


def _items(opened: BinaryIO, iinf: Box, content: bytearray, first: int) -> set[int]:
    """Return the items that make the picture; the others and all names are written over."""
    version = content[iinf.span.start - first]
    found = set[int]()
    entries = range(iinf.span.start + FULL_BYTES + (2 if version == 0 else 4), iinf.span.stop)
    for box in _boxes(opened, entries):
        at = box.span.start - first
        if box.kind != b'infe' or content[at] not in (2, 3):
            raise DamagedContainer('an item of another kind')
        id_bytes = 2 if content[at] == 2 else 4
        start = at + FULL_BYTES
        kind_at = start + id_bytes + 2
        if bytes(content[kind_at : kind_at + 4]) in ITEMS:
            found.add(int.from_bytes(content[start : start + id_bytes]))
        else:
            content[kind_at : kind_at + 4] = FREE
        _blank(content, range(kind_at + 4, box.span.stop - first))
    return found


def _properties(opened: BinaryIO, iprp: Box, content: bytearray, first: int) -> None:
    """Write over the properties that no picture is made of; they are named by their number."""
    for box in _boxes(opened, iprp.span):
        if box.kind == b'ipco':
            for one in _boxes(opened, box.span):
                if one.kind not in PROPERTIES:
                    _free(content, one, first)
        elif box.kind != b'ipma':
            _free(content, box, first)


def _extents(content: bytes) -> Iterator[Extent]:
    version, numbers = content[0], Numbers(content[FULL_BYTES:])
    if version > 2:
        raise DamagedContainer('places of another kind')
    sizes, more = numbers.next(1), numbers.next(1)
    offset_bytes, length_bytes = sizes >> 4, sizes & 15
    base_bytes, index_bytes = more >> 4, more & 15 if version else 0
    for _ in range(numbers.next(4 if version == 2 else 2)):
        item = numbers.next(4 if version == 2 else 2)
        method = numbers.next(2) & 15 if version else IN_FILE
        is_elsewhere, base = numbers.next(2), numbers.next(base_bytes)
        for _ in range(numbers.next(2)):
            numbers.next(index_bytes)
            start, length = base + numbers.next(offset_bytes), numbers.next(length_bytes)
            if is_elsewhere or method not in (IN_FILE, IN_IDAT) or not length:
                raise DamagedContainer('bytes in another place')
            yield Extent(item, method, range(start, start + length))


def _free(content: bytearray, box: Box, first: int) -> None:
    head_bytes = box.span.start - box.whole.start
    kind_at = box.whole.start - first + 4
    content[kind_at : kind_at + 4] = FREE
    _blank(content, range(kind_at - 4 + head_bytes, box.whole.stop - first))


def _blank(content: bytearray, span: range) -> None:
    content[span.start : span.stop] = bytes(len(span))


def _only(span: range, shown: Sequence[range]) -> Iterator[Piece]:
    """Yield a part of the file, zeros in place of what is not shown."""
    at = span.start
    for gap in _gaps(span, shown):
        yield range(at, gap.start)
        yield from _zeros(len(gap))
        at = gap.stop
    yield range(at, span.stop)


def _zeros(count: int) -> Iterator[bytes]:
    for _ in range(count // len(ZEROS)):
        yield ZEROS
    yield bytes(count % len(ZEROS))


def _gaps(span: range, shown: Sequence[range]) -> Iterator[range]:
    """Yield what of a span is not shown, in its order."""
    at = span.start
    for one in sorted(shown, key=lambda part: part.start):
        if _holds(span, one):
            if at < one.start:
                yield range(at, one.start)
            at = max(at, one.stop)
    if at < span.stop:
        yield range(at, span.stop)


def _holds(span: range, part: range) -> bool:
    return span.start <= part.start and part.stop <= span.stop

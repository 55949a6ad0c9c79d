"""The one EXIF tag that carries `parameters` in a JPEG or a WebP.

An EXIF block is a TIFF file whose directories point to values by their place in the block. So an
existing one only grows at its end: every tag that is there, maker notes too, keeps its place.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

ORIENTATION = 0x0112
USER_COMMENT = 0x9286
EXIF_DIRECTORY = 0x8769
SHORT, LONG, UNDEFINED = 3, 4, 7
ORDERS = {b'II*\0': '<', b'MM\0*': '>'}
FIRST_DIRECTORY_AT = 4
ENTRY_BYTES = 12
INLINE_BYTES = 4


class _UnreadableExif(ValueError):
    """The block's directories can't be followed."""


@dataclass(frozen=True, slots=True)
class _Directory:
    """One directory: its entries as they stand, and what follows them."""

    start: int
    entries: tuple[bytes, ...]
    next: bytes

    @property
    def end(self) -> int:
        return self.start + 2 + len(self.entries) * ENTRY_BYTES + INLINE_BYTES

    def value_at(self, order: str, tag: int) -> int:
        """Where the value of a tag is written, -1 where the tag is not there."""
        for number, entry in enumerate(self.entries):
            if struct.unpack_from(f'{order}H', entry)[0] == tag:
                return self.start + 2 + number * ENTRY_BYTES + 8
        return -1


def with_comment(block: bytes, comment: str) -> bytes:
    """Give the EXIF block with this UserComment, all else as it was.

    The text is UTF-16 with its high byte first, whatever the block's own order: so AUTOMATIC1111
    writes it and so its readers expect it.

    Args:
        block: From its byte order on, without `Exif`; empty for a new one. One that can't be read
            is given back as it is: whose it is, we don't know.
        comment: Any text without halves of surrogate pairs.
    """
    value = b'UNICODE\0' + comment.encode('utf-16-be')
    try:
        return _merged(block or b'MM\0*\0\0\0\x08' + bytes(6), value)
    except (_UnreadableExif, struct.error):
        return block


def orientation_of(block: bytes) -> int:
    """Read which side of a picture is up, 1 to 8; 1 where nothing is said that can be read."""
    order = ORDERS.get(block[:4], '>')
    try:
        place = _directory(bytearray(block), order, FIRST_DIRECTORY_AT).value_at(order, ORIENTATION)
        said = int(struct.unpack_from(f'{order}H', block, place)[0]) if place > 0 else 1
    except (_UnreadableExif, struct.error):
        return 1
    return said if 1 <= said <= 8 else 1


def turned(side: int) -> bytes:
    """Write a block that says which side is up, and nothing else."""
    entry = struct.pack('>HHIHH', ORIENTATION, SHORT, 1, side, 0)
    return b'MM\0*\0\0\0\x08\0\x01' + entry + bytes(4)


def _merged(block: bytes, value: bytes) -> bytes:
    order = ORDERS.get(block[:4])
    if order is None:
        raise _UnreadableExif
    body = bytearray(block)
    first = _directory(body, order, FIRST_DIRECTORY_AT)
    pointer_at = first.value_at(order, EXIF_DIRECTORY)
    if pointer_at < 0:
        pointer = struct.pack(f'{order}HHII', EXIF_DIRECTORY, LONG, 1, 0)
        first = _moved(body, order, FIRST_DIRECTORY_AT, _with_entry(first, order, pointer))
        pointer_at = first.value_at(order, EXIF_DIRECTORY)
        inner = _moved(body, order, pointer_at, _Directory(0, (), bytes(INLINE_BYTES)))
    else:
        inner = _directory(body, order, pointer_at)
    if inner.value_at(order, USER_COMMENT) < 0:
        nothing = struct.pack(f'{order}HHII', USER_COMMENT, UNDEFINED, 0, 0)
        inner = _moved(body, order, pointer_at, _with_entry(inner, order, nothing))
    place = inner.value_at(order, USER_COMMENT)
    _forget(body, order, place, after=max(first.end, inner.end))
    struct.pack_into(f'{order}HII', body, place - 6, UNDEFINED, len(value), len(body))
    return bytes(body + value)


def _directory(body: bytearray, order: str, pointer_at: int) -> _Directory:
    (start,) = struct.unpack_from(f'{order}I', body, pointer_at)
    (count,) = struct.unpack_from(f'{order}H', body, start)
    end = start + 2 + count * ENTRY_BYTES
    if end + INLINE_BYTES > len(body):
        raise _UnreadableExif
    places = range(start + 2, end, ENTRY_BYTES)
    entries = tuple(bytes(body[place : place + ENTRY_BYTES]) for place in places)
    return _Directory(start, entries, bytes(body[end : end + INLINE_BYTES]))


def _with_entry(directory: _Directory, order: str, entry: bytes) -> _Directory:
    def tag(one: bytes) -> int:
        return int(struct.unpack_from(f'{order}H', one)[0])

    return replace(directory, entries=tuple(sorted((*directory.entries, entry), key=tag)))


def _moved(body: bytearray, order: str, pointer_at: int, directory: _Directory) -> _Directory:
    """Write a directory at the end of the block and point to it there."""
    body += bytes(len(body) % 2)
    moved = replace(directory, start=len(body))
    count = struct.pack(f'{order}H', len(moved.entries))
    body += count + b''.join(moved.entries) + moved.next
    struct.pack_into(f'{order}I', body, pointer_at, moved.start)
    return moved


def _forget(body: bytearray, order: str, place: int, after: int) -> None:
    """Wipe the comment that was there, cut the block if it was the last of it, and even it out."""
    count, start = struct.unpack_from(f'{order}II', body, place - INLINE_BYTES)
    if count > INLINE_BYTES and after <= start <= start + count <= len(body):
        body[start : start + count] = bytes(count)
        if start + count == len(body):
            del body[start:]
    body += bytes(len(body) % 2)

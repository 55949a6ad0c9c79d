"""Writes a ZIP while it is sent, with memory that does not grow with the number of its entries.

`zipfile` and what is built on it keep every entry in memory until the end; here the directory goes
to a temporary file. Nothing is compressed, pictures already are. Source: APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

BLOCK_BYTES = 256 * 1024
PLAIN, LARGE = 20, 45  # the version that is needed to unpack, with 64-bit fields
NAMES_ARE_UTF_8 = 0x0800
UNIX, REGULAR_FILE = 3 << 8, 0o100644 << 16
MOST_32, MOST_16 = 0xFFFFFFFF, 0xFFFF
FIRST_YEAR, LAST_YEAR = 1980, 2107
LARGE_FIELDS, UNIX_TIME = 0x0001, 0x5455


@dataclass(slots=True)
class ZipWriter:
    """Turns files into the blocks of an archive."""

    directory: IO[bytes]  # an empty temporary file
    _offset: int = 0
    _entries: int = 0

    def add(self, name: str, opened: IO[bytes], modified_at: float) -> Iterator[bytes]:
        """Yield a file under 4 GB, which is read twice: its checksum stands before its bytes.

        Raises OSError where it changes meanwhile; what was yielded before is no archive then.
        """
        checksum, size_bytes = _sum_of(opened)
        encoded, start = name.encode(), self._offset
        time_, date = _dos_time(modified_at)
        common = (NAMES_ARE_UTF_8, 0, time_, date, checksum, size_bytes, size_bytes, len(encoded))
        extra = _unix_time(modified_at)
        head = struct.pack('<4s5H3I2H', b'PK\3\4', PLAIN, *common, len(extra))
        yield self._sent(head + encoded + extra)
        left = size_bytes
        opened.seek(0)
        while left:
            block = opened.read(min(left, BLOCK_BYTES))
            if not block:
                raise OSError(f'{name} became shorter')
            left -= len(block)
            yield self._sent(block)
        version, offset = PLAIN, start
        if start >= MOST_32:
            version, offset = LARGE, MOST_32
            extra += struct.pack('<2HQ', LARGE_FIELDS, 8, start)
        record = struct.pack('<4s6H3I5H2I', b'PK\1\2', UNIX | version, version, *common, len(extra),
                             0, 0, 0, REGULAR_FILE, offset)  # fmt: skip
        self.directory.write(record + encoded + extra)
        self._entries += 1

    def end(self) -> Iterator[bytes]:
        """Yield the directory, and where it begins."""
        start = self._offset
        self.directory.seek(0)
        while block := self.directory.read(BLOCK_BYTES):
            yield self._sent(block)
        size_bytes, count = self._offset - start, self._entries
        if count >= MOST_16 or max(start, size_bytes) >= MOST_32:
            place = self._offset
            yield struct.pack('<4sQ2H2I4Q', b'PK\6\6', 44, UNIX | LARGE, LARGE, 0, 0,
                              count, count, size_bytes, start)  # fmt: skip
            yield struct.pack('<4sIQI', b'PK\6\7', 0, place, 1)
        count, size_bytes, start = (
            min(count, MOST_16),
            min(size_bytes, MOST_32),
            min(start, MOST_32),
        )
        yield struct.pack('<4s4H2IH', b'PK\5\6', 0, 0, count, count, size_bytes, start, 0)

    def _sent(self, block: bytes) -> bytes:
        self._offset += len(block)
        return block


def _sum_of(opened: IO[bytes]) -> tuple[int, int]:
    checksum = size_bytes = 0
    opened.seek(0)
    while block := opened.read(BLOCK_BYTES):
        checksum = zlib.crc32(block, checksum)
        size_bytes += len(block)
    return checksum, size_bytes


def _dos_time(moment: float) -> tuple[int, int]:
    """Return the local time and date in two-second steps, as far as such dates reach."""
    year, month, day, hour, minute, second, *_ = time.localtime(moment)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        year, month, day = max(FIRST_YEAR, min(year, LAST_YEAR)), 1, 1
    return hour << 11 | minute << 5 | second // 2, year - FIRST_YEAR << 9 | month << 5 | day


def _unix_time(moment: float) -> bytes:
    """Return the extra field with the exact second, where 32 bits hold it."""
    seconds = int(moment)
    if not 0 <= seconds < 1 << 31:
        return b''
    return struct.pack('<2HBi', UNIX_TIME, 5, 1, seconds)

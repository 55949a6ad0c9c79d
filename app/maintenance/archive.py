"""The form of a backup: a plain tar of regular files, and last a list of their sha256.

Any `tar` unpacks it, and `sha256sum -c SHA256SUMS` checks it then.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.config import DATABASE, PRIVATE
from app.storage.store import IMAGES, MASKS, RESCUED

SUMS = 'SHA256SUMS'
FOLDERS = (IMAGES, RESCUED, MASKS)
BLOCK_BYTES = 256 * 1024
FORBIDDEN = frozenset('\0\\:' if os.name == 'nt' else '\0')  # in a path


@dataclass(frozen=True, slots=True)
class ArchiveWriter:
    """Turns files into the blocks of an archive; memory does not grow with their number."""

    sums: BinaryIO  # an empty temporary file

    def add(self, path: str, opened: BinaryIO) -> Generator[bytes, None, str]:
        """Yield a file, zeros in place of what cannot be read; return the sha256 of that in hex."""
        status = os.fstat(opened.fileno())
        yield _header(path, status.st_size, status.st_mtime)
        left, sha256 = status.st_size, hashlib.sha256()
        while left:
            block = _read(opened, min(left, BLOCK_BYTES)) or bytes(min(left, BLOCK_BYTES))
            sha256.update(block)
            left -= len(block)
            yield block
        yield bytes(-status.st_size % tarfile.BLOCKSIZE)
        if path != SUMS:
            self.sums.write(line_of(path, sha256.hexdigest()))
        return sha256.hexdigest()

    def end(self) -> Iterator[bytes]:
        """Yield the list of sums, and how a tar ends."""
        self.sums.seek(0)
        yield from self.add(SUMS, self.sums)
        yield bytes(2 * tarfile.BLOCKSIZE)


def line_of(path: str, digest: str) -> bytes:
    """Write a line as `sha256sum` does, a path with a line break or a backslash too."""
    escaped = path.replace('\\', '\\\\').replace('\n', '\\n')
    mark = '' if escaped == path else '\\'
    return f'{mark}{digest}  {escaped}\n'.encode(errors='surrogateescape')


def may_hold(path: str) -> bool:
    """Check whether a path is one that a backup of Easel has, and stays inside its folder."""
    if path in (DATABASE, *PRIVATE):
        return True
    top, *parts = path.split('/')
    plain = all(part not in ('', '.', '..') for part in parts)
    return top in FOLDERS and bool(parts) and plain and not FORBIDDEN & set(path)


def _header(path: str, size_bytes: int, mtime: float) -> bytes:
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.mode = size_bytes, int(mtime), 0o600
    return info.tobuf(tarfile.PAX_FORMAT, errors='surrogateescape')


def _read(opened: BinaryIO, most_bytes: int) -> bytes:
    try:
        return opened.read(most_bytes)
    except OSError:
        return b''

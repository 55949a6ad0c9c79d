"""The layout of a file as pieces, old and new, and its writing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 64 * 1024
MOST_PACKET_BYTES = 4 * 1024 * 1024  # of XMP that is read

Piece = bytes | range  # a range: these bytes of the source


class DamagedContainer(ValueError):
    """A file whose parts cannot be followed from its first byte to its end."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One named part of a file; `span` is its content without name, length and checksum."""

    name: bytes
    span: range
    whole: range


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that is written and not synced yet."""

    path: Path
    digest: str  # sha256 in hex
    size_bytes: int
    sidecar: Path | None = None  # the `.xmp` beside it, for what takes no label inside


def sidecar_of(picture: Path) -> Path:
    """Return where the label beside a picture is: `fox.gif.xmp`, as darktable and digiKam do."""
    return picture.with_name(f'{picture.name}.xmp')


def size_of(opened: BinaryIO) -> int:
    return os.fstat(opened.fileno()).st_size


def read_at(opened: BinaryIO, start: int, count: int) -> bytes:
    """Read so many bytes; raise DamagedContainer where the file ends before."""
    opened.seek(start)
    found = opened.read(count)
    if len(found) < count:
        raise DamagedContainer('ends too early')
    return found


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Merge ranges that follow each other, and leave out what is empty."""
    merged: list[Piece] = []
    for piece in (one for one in pieces if one):
        last = merged[-1] if merged else b''
        if isinstance(piece, range) and isinstance(last, range) and last.stop == piece.start:
            merged[-1] = range(last.start, piece.stop)
        else:
            merged.append(piece)
    return merged


def write(opened: BinaryIO, target: Path, pieces: Iterable[Piece]) -> Written:
    """Write the pieces to `target`, whole or not at all.

    A process that is killed leaves no other name behind: whoever chose this one can delete it.
    """
    digest = hashlib.sha256()
    size_bytes = 0
    try:
        with target.open('wb') as file:
            for block in blocks(opened, pieces):
                file.write(block)
                digest.update(block)
                size_bytes += len(block)
    except BaseException:
        with suppress(OSError):
            target.unlink()
        raise
    return Written(path=target, digest=digest.hexdigest(), size_bytes=size_bytes)


def blocks(opened: BinaryIO, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """Read the pieces a block at a time; raise DamagedContainer where the source became shorter."""
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        opened.seek(piece.start)
        left = len(piece)
        while left:
            block = opened.read(min(left, BLOCK_BYTES))
            if not block:
                raise DamagedContainer('ends too early')
            left -= len(block)
            yield block

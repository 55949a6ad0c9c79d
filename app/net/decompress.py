"""Undoes one layer of compression, for servers that compress although nobody asked them to.

It works on pieces, so that a small body which stands for a huge one never becomes a big block.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterator

PIECE_BYTES = 64 * 1024
FREE_BYTES = 1024 * 1024
MOST_TIMES = 100

_GZIP_BITS = zlib.MAX_WBITS | 16
_AS_THEY_COME = ('', 'identity', 'aws-chunked')  # the last is how it was uploaded to a storage
_GZIP = ('gzip', 'x-gzip')


class NotInflated(Exception):
    """A body can't be decoded; the text is a reason for a `Failure`."""


class BrokeOff(NotInflated):
    """The body is damaged, or its end is missing."""


async def inflated(blocks: AsyncIterable[bytes], coding: str) -> AsyncGenerator[bytes, None]:
    """Decode a body; one that is not compressed passes as it is.

    Args:
        blocks: The raw body.
        coding: The value of `Content-Encoding`; empty where there was none.

    Yields:
        Pieces of at most 64 KiB, where something was decoded.

    Raises:
        NotInflated: The coding is not gzip or deflate alone, the body is damaged or ends early, or
            it swells to more than 1 MiB and a hundred times its size.
    """
    layers = [layer for layer in _layers(coding) if layer not in _AS_THEY_COME]
    if not layers:
        async for block in blocks:
            yield block
        return
    if len(layers) > 1 or layers[0] not in (*_GZIP, 'deflate'):
        raise NotInflated('a compressed answer')
    inflater = _Inflater(is_gzip=layers[0] in _GZIP)
    async for block in blocks:
        for piece in inflater.pieces(block):
            yield piece
            await asyncio.sleep(0)  # one block may hold a hundred pieces; others want to go on
    inflater.finish()


def _layers(coding: str) -> list[str]:
    return [layer.strip().lower() for layer in coding.split(',')]


class _Inflater:
    """Decodes what comes, and counts both sides."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._zlib = zlib.decompressobj(_GZIP_BITS) if is_gzip else None
        self._held = b''
        self._taken_bytes = 0
        self._given_bytes = 0

    def pieces(self, block: bytes) -> Iterator[bytes]:
        """Give what a block holds, piece by piece."""
        self._taken_bytes += len(block)
        left = self._held + block
        if self._zlib is None:
            if len(left) < 2:
                self._held = left
                return
            self._held = b''
            self._zlib = zlib.decompressobj(_bits_of(left))
        piece = b''
        while left or (len(piece) == PIECE_BYTES and not self._zlib.eof):
            if self._zlib.eof:
                self._zlib = self._next_member(left)
            try:
                piece = self._zlib.decompress(left, PIECE_BYTES)
            except zlib.error as error:
                raise BrokeOff('broke off') from error
            left = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            self._given_bytes += len(piece)
            if self._given_bytes > max(FREE_BYTES, MOST_TIMES * self._taken_bytes):
                raise NotInflated('a compressed answer that swells out of proportion')
            if piece:
                yield piece

    def finish(self) -> None:
        """Check that the end has come; a body without a single byte has none to miss."""
        if self._taken_bytes and (self._zlib is None or not self._zlib.eof):
            raise BrokeOff('broke off')

    def _next_member(self, left: bytes) -> zlib._Decompress:
        """Begin again after an end, as gzip may; deflate has one end."""
        if not self._is_gzip:
            raise BrokeOff('broke off')
        return zlib.decompressobj(_GZIP_BITS)


def _bits_of(start: bytes) -> int:
    """Tell deflate with zlib's two bytes before it, as RFC 9110 has it, from the bare one."""
    is_zlib = start[0] & 0x0F == 8 and int.from_bytes(start[:2], 'big') % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS

"""Decompresses bodies of servers that compress although they were asked not to.

Piece by piece, so that a small body which stands for a huge one never becomes a big block.
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
    """A body cannot be decoded; the text is a reason for a `Failure`."""


class BrokeOff(NotInflated):
    """The body is damaged, or its end is missing."""


async def inflated(blocks: AsyncIterable[bytes], coding: str) -> AsyncGenerator[bytes, None]:
    """Decode a body; one that is not compressed passes unchanged.

    Args:
        blocks: The raw body.
        coding: The value of `Content-Encoding`; empty where there was none.

    Yields:
        Pieces of at most 64 KiB, where something was decoded.

    Raises:
        NotInflated: The coding is not gzip or deflate alone, the body is damaged or ends early, or
            it swells to more than 1 MiB and a hundred times its size.
    """
    layers = [layer.strip() for layer in coding.lower().split(',')]
    layers = [layer for layer in layers if layer not in _AS_THEY_COME]
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
    inflater.check_end()


class _Inflater:
    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._zlib: zlib._Decompress | None = None
        self._start = b''
        self._read_bytes = 0
        self._written_bytes = 0

    def pieces(self, block: bytes) -> Iterator[bytes]:
        """Decode a block, piece by piece."""
        self._read_bytes += len(block)
        left = self._start + block
        if self._zlib is None and len(left) < 2:
            self._start = left
            return
        self._start, piece = b'', b''
        while left or (len(piece) == PIECE_BYTES and self._zlib and not self._zlib.eof):
            if self._zlib is None or self._zlib.eof:
                self._zlib = self._next_member(left)
            try:
                piece = self._zlib.decompress(left, PIECE_BYTES)
            except zlib.error as error:
                raise BrokeOff('broke off') from error
            left = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            self._written_bytes += len(piece)
            if self._written_bytes > max(FREE_BYTES, MOST_TIMES * self._read_bytes):
                raise NotInflated('a compressed answer that swells out of proportion')
            if piece:
                yield piece

    def check_end(self) -> None:
        """Raise BrokeOff unless the end has come; an empty body has none to miss."""
        if self._read_bytes and (self._zlib is None or not self._zlib.eof):
            raise BrokeOff('broke off')

    def _next_member(self, left: bytes) -> zlib._Decompress:
        """Begin, and begin again after an end: gzip has members, deflate has one end.

        Deflate comes with zlib's two bytes before it, as RFC 9110 has it, or without.
        """
        if self._is_gzip:
            return zlib.decompressobj(_GZIP_BITS)
        if self._zlib:
            raise BrokeOff('broke off')
        is_zlib = left[0] & 0x0F == 8 and int.from_bytes(left[:2], 'big') % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)

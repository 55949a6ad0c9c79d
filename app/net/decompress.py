"""Decompresses bodies of servers that compress although they were asked not to."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping

from app.net.pace import Pace

PIECE_BYTES = 64 * 1024
FREE_BYTES = 1024 * 1024
MOST_TIMES = 100

# What is no compression: how it was uploaded to a storage, and how letters are written.
_AS_THEY_COME = (
    *('', 'identity', 'none', 'aws-chunked', 'binary', '8bit', 'utf-8', 'utf8', 'us-ascii'),
)
_JSON = re.compile(rb'\s*[\[{]\s*["\[{\]}]')
_GZIP = ('gzip', 'x-gzip')


class NotInflated(Exception):
    """A body cannot be decoded; the text is a reason for a `Failure`."""


class BrokeOff(NotInflated):
    """The body is damaged, or its end is missing."""


async def inflated(
    blocks: AsyncIterable[bytes], headers: Mapping[str, str]
) -> AsyncGenerator[bytes, None]:
    """Decode a body of some `Content-Encoding`; one that is not compressed passes unchanged.

    Pieces are of at most 64 KiB, however much a small body stands for. Raise NotInflated at codings
    other than gzip or deflate alone, and past 1 MiB and a hundred times what came.
    """
    (blocks, coding), pace = await _coded(blocks, _layers(headers)), Pace()
    if not coding:
        async for block in blocks:
            yield block
            await pace.rest()
        return
    decoder, start, read_bytes, written_bytes = None, b'', 0, 0
    async for block in blocks:
        read_bytes += len(block)
        left, start, piece = start + block, b'', b''
        if decoder is None and len(left) < 2:
            start = left
            continue
        while left or (len(piece) == PIECE_BYTES and decoder and not decoder.eof):
            if decoder is None or decoder.eof:  # gzip has members, deflate has one end
                decoder = _decoder(left, is_gzip=coding in _GZIP, is_first=decoder is None)
            try:
                piece = decoder.decompress(left, PIECE_BYTES)
            except zlib.error as error:
                raise BrokeOff('the transfer ended early') from error
            left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            written_bytes += len(piece)
            if written_bytes > max(FREE_BYTES, MOST_TIMES * read_bytes):
                raise NotInflated('the compressed answer unpacks to too much data')
            if piece:
                yield piece
            await pace.rest()  # a block may hold a hundred pieces, or thousands of empty members
    if read_bytes and (decoder is None or not decoder.eof):
        raise BrokeOff('the transfer ended early')


async def _coded(
    blocks: AsyncIterable[bytes], layers: list[str]
) -> tuple[AsyncIterable[bytes], str]:
    """Return a body and its coding: none where it only says so, and is JSON as it comes."""
    if not layers:
        return blocks, ''
    others = aiter(blocks)
    first = await anext(others, b'')
    is_plain = layers[0] in _GZIP and bool(_JSON.match(first))  # which begins otherwise
    if not is_plain and (len(layers) > 1 or layers[0] not in (*_GZIP, 'deflate')):
        raise NotInflated('the answer is compressed')
    return _with_first(first, others), '' if is_plain else layers[0]


async def _with_first(first: bytes, others: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield first
    async for block in others:
        yield block


def _layers(headers: Mapping[str, str]) -> list[str]:
    layers = [layer.strip() for layer in headers.get('content-encoding', '').lower().split(',')]
    return [layer for layer in layers if layer not in _AS_THEY_COME]


def _decoder(start: bytes, *, is_gzip: bool, is_first: bool) -> zlib._Decompress:
    """Deflate comes with zlib's two bytes before it, as RFC 9110 has it, or without."""
    if is_gzip:
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    if not is_first:
        raise BrokeOff('the transfer ended early')
    is_zlib = start[0] & 0x0F == 8 and int.from_bytes(start[:2], 'big') % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)

"""Undoing compression that nobody asked for, in small pieces and within reason."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import AsyncIterator, Iterable

import pytest

from app.net.decompress import FREE_BYTES, PIECE_BYTES, NotInflated, inflated

NOISE = random.Random(7).randbytes(300_000)
EVEN = b'a cat ' * 30_000
MIB_BYTES = 1024 * 1024


async def blocks_of(content: bytes, size: int) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), size):
        yield content[begin : begin + size]


async def decoded(content: bytes, coding: str, size: int = 20_000) -> bytes:
    return b''.join(
        [piece async for piece in inflated(blocks_of(content, size), {'content-encoding': coding})]
    )


async def measured(content: bytes, size: int, sizes: list[int]) -> None:
    """Decode, and keep nothing but how large each piece was."""
    async for piece in inflated(blocks_of(content, size), {'content-encoding': 'gzip'}):
        sizes.append(len(piece))  # noqa: PERF401 (those before an error count)


def bare_deflate(content: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeezer.compress(content) + squeezer.flush()


def bomb(of_mib: int) -> Iterable[bytes]:
    """Give gzip's first bytes and then 1 kB for each MiB of zeros."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    first = squeezer.compress(bytes(MIB_BYTES)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    again = squeezer.compress(bytes(MIB_BYTES)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return [first, *[again] * (of_mib - 1)]


@pytest.mark.parametrize('size', [1, 7, 20_000, 1_000_000])
@pytest.mark.parametrize('content', [b'', b'x', EVEN, NOISE[:20_000]], ids=len)
@pytest.mark.parametrize(
    ('coding', 'squeeze'),
    [
        ('gzip', gzip.compress),
        ('X-GZip', gzip.compress),
        ('deflate', zlib.compress),
        ('deflate', bare_deflate),
        ('identity, gzip', gzip.compress),
        ('', bytes),
        ('identity', bytes),
    ],
    ids=['gzip', 'x-gzip', 'zlib', 'deflate', 'one of two', 'none', 'identity'],
)
async def test_one_layer_is_undone_however_it_is_split(
    coding: str, squeeze: type[bytes], content: bytes, size: int
) -> None:
    assert await decoded(squeeze(content), coding, size) == content


async def test_a_second_gzip_member_goes_on_where_the_first_ends() -> None:
    content = gzip.compress(EVEN) + gzip.compress(NOISE)

    assert await decoded(content, 'gzip') == EVEN + NOISE


@pytest.mark.parametrize('coding', ['gzip', 'deflate'])
async def test_a_body_without_a_byte_holds_nothing(coding: str) -> None:
    assert await decoded(b'', coding) == b''


@pytest.mark.parametrize(
    'coding', ['br', 'zstd', 'compress', 'gzip, gzip', 'gzip,deflate', 'gzip, br', 'aes128gcm', 'x']
)
async def test_what_can_not_be_undone_is_refused_unread(coding: str) -> None:
    with pytest.raises(NotInflated, match=r'^the answer is compressed$'):
        await decoded(NOISE, coding)


@pytest.mark.parametrize('left', [1, 2, 9, 10, 11, 1_000, -8, -1])
@pytest.mark.parametrize(
    ('coding', 'squeeze'), [('gzip', gzip.compress), ('deflate', zlib.compress)]
)
async def test_a_body_that_is_cut_broke_off(coding: str, squeeze: type[bytes], left: int) -> None:
    with pytest.raises(NotInflated, match='the transfer ended early'):
        await decoded(squeeze(NOISE)[:left], coding)


@pytest.mark.parametrize('at', [0, 3, 5_000, -6, -2])
async def test_a_damaged_body_broke_off(at: int) -> None:
    body = bytearray(gzip.compress(NOISE))
    body[at] ^= 0xFF

    with pytest.raises(NotInflated, match='the transfer ended early'):
        await decoded(bytes(body), 'gzip')


@pytest.mark.parametrize('coding', ['gzip', 'deflate'])
async def test_what_follows_the_end_and_is_not_of_it_broke_off(coding: str) -> None:
    squeezed = gzip.compress(EVEN) if coding == 'gzip' else zlib.compress(EVEN)

    with pytest.raises(NotInflated, match='the transfer ended early'):
        await decoded(squeezed + b'and more', coding)


async def test_a_bomb_of_500_kb_that_means_500_mb_is_stopped_after_six() -> None:
    body = b''.join(bomb(500))
    sizes: list[int] = []

    with pytest.raises(NotInflated, match='too much data'):
        await measured(body, 65_536, sizes)

    assert 450_000 < len(body) < 550_000
    assert max(sizes) <= PIECE_BYTES
    assert sum(sizes) <= 100 * 65_536


async def test_a_bomb_that_trickles_is_stopped_as_early() -> None:
    sizes: list[int] = []

    with pytest.raises(NotInflated, match='too much data'):
        await measured(b''.join(bomb(500)), 100, sizes)

    assert sum(sizes) <= FREE_BYTES


async def test_what_is_small_may_be_as_even_as_it_likes() -> None:
    assert await decoded(gzip.compress(bytes(FREE_BYTES)), 'gzip') == bytes(FREE_BYTES)

"""Fetching what an answer only names: how often, how long and how much."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest

from app.errors import ErrorKind
from app.providers.transport.download import DownloadTimeouts
from tests.support.downloads import LOST, PAINTED, PNG, failure_of, fetched, files_in
from tests.support.fakes import Asked, Ending, Reply, upstream

HASTY = DownloadTimeouts(pause_s=0, window_s=0.05, deadline_s=30)
BLOCK = bytes(65_536)
EMPTY_STORED_BLOCKS = b'\x00\x00\x00\xff\xff' * 13_107


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """Answer each request with the next one, and from then on with the last."""
    waiting = chain(replies, repeat(replies[-1]))
    return lambda _: next(waiting)


def chunked(block: bytes, times: int, *headers: tuple[str, str], first: bytes = b'') -> Reply:
    """Say no length beforehand."""
    piece = b'%x\r\n%b\r\n' % (len(block), block)
    start = b'%x\r\n%b\r\n' % (len(first), first) if first else b''
    ending = (('Transfer-Encoding', 'chunked'), *headers)
    return Reply(headers=ending, body=start, rest=(piece,) * times, ending=Ending.CLOSES_EARLY)


@pytest.mark.parametrize(
    'trouble',
    [
        LOST,
        Reply(status=500),
        Reply(status=503),
        Reply(status=None),
        Reply(status=None, ending=Ending.RESETS),
        Reply(body=PNG[:20], ending=Ending.CLOSES_EARLY),
        Reply(body=PNG[:20], ending=Ending.RESETS),
    ],
    ids=['404', '500', '503', 'closed', 'reset', 'cut', 'reset in the body'],
)
async def test_what_may_come_is_asked_for_three_times(trouble: Reply, tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = in_turn(trouble, trouble, PAINTED)
        received, _ = await fetched(server, '/a.png', tmp_path)

    assert received.path.read_bytes() == PNG
    assert files_in(tmp_path) == 1
    assert [asked.method for asked in server.asked] == ['GET'] * 3
    assert not any({'range', 'content-type'} & set(asked.headers) for asked in server.asked)


@pytest.mark.parametrize('status', [204, 206, 304, 400, 401, 403, 410, 429])
async def test_what_will_not_come_is_asked_for_once(status: int, tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = in_turn(Reply(status=status), PAINTED)
        failure = await failure_of(server, '/a.png', tmp_path)

    assert (failure.kind, failure.http_status) == (ErrorKind.IMAGE_FETCH_FAILED, status)
    assert len(server.asked) == 1


async def test_a_body_shorter_than_promised_broke_off(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(body=PNG, ending=Ending.CLOSES_EARLY)
        failure = await failure_of(server, '/a.png', tmp_path)

    assert (failure.kind, failure.reason) == (
        ErrorKind.IMAGE_FETCH_FAILED,
        'the transfer ended early',
    )


async def test_a_drip_is_cut_off_and_not_asked_for_again(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(body=PNG, rest=(b'x',) * 50, ending=Ending.HANGS)
        failure = await failure_of(server, '/a.png', tmp_path, timeouts=HASTY)

    assert failure.reason == 'the data came too slowly'
    assert len(server.asked) == 1


async def test_silence_before_the_answer_ends_at_the_deadline(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(status=None, ending=Ending.HANGS)
        timeouts = DownloadTimeouts(deadline_s=0.05)
        failure = await failure_of(server, '/a.png', tmp_path, timeouts=timeouts)

    assert (failure.kind, failure.reason) == (ErrorKind.IMAGE_FETCH_FAILED, 'timed out')


@pytest.mark.parametrize(
    'reply',
    [
        chunked(BLOCK, 1_100),
        chunked(EMPTY_STORED_BLOCKS, 1_100, ('Content-Encoding', 'deflate'), first=b'\x78\x9c'),
        Reply(headers=(('Content-Length', '67108865'),), body=PNG, ending=Ending.HANGS),
    ],
    ids=['endless', 'endless and empty', 'announced'],
)
async def test_more_than_64_mib_is_never_taken(reply: Reply, tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: reply
        failure = await failure_of(server, '/a.png', tmp_path)

    assert failure.kind is ErrorKind.TOO_LARGE
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ('coding', 'body'),
    [('gzip', gzip.compress(PNG)), ('deflate', zlib.compress(PNG)), ('aws-chunked', PNG)],
    ids=['gzip', 'deflate', 'aws-chunked'],
)
async def test_a_picture_that_came_compressed_is_the_picture(
    coding: str, body: bytes, tmp_path: Path
) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(headers=(('Content-Encoding', coding),), body=body)
        received, _ = await fetched(server, '/a.png', tmp_path)

    assert received.path.read_bytes() == PNG
    assert server.asked[0].headers['accept-encoding'] == 'identity'


@pytest.mark.parametrize(
    ('coding', 'body', 'reason'),
    [
        ('br', PNG, 'the answer is compressed'),
        ('zstd', PNG, 'the answer is compressed'),
        ('gzip, gzip, gzip', gzip.compress(PNG), 'the answer is compressed'),
        ('gzip', gzip.compress(PNG)[:-9], 'the transfer ended early'),
        ('gzip', PNG, 'the transfer ended early'),
        (
            *('gzip', gzip.compress(bytes(20_000_000))),
            'the compressed answer unpacks to too much data',
        ),
    ],
    ids=['br', 'zstd', 'stacked', 'cut', 'no gzip', 'bomb'],
)
async def test_a_compression_that_can_not_be_undone_loses_the_picture(
    coding: str, body: bytes, reason: str, tmp_path: Path
) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(headers=(('Content-Encoding', coding),), body=body)
        failure = await failure_of(server, '/a.png', tmp_path)

    assert (failure.kind, failure.reason) == (ErrorKind.IMAGE_FETCH_FAILED, reason)

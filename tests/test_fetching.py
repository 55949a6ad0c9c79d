"""Fetching what an answer only names: where it is looked for, how often, how long and how much."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path

import httpcore
import pytest

from app.addresses import origin_of
from app.errors import ErrorKind, Failure, ProviderError
from app.incoming import Incoming
from app.models import Received
from app.outbound import Outbound
from app.providers.fetching import Fetcher, Patience
from tests.fakes import KEY, Asked, Ending, Reply, Upstream, picture, refused_port, upstream

PNG = picture()
PAINTED = Reply(body=PNG)
LOST = Reply(status=404)
PAGE = Reply(body=b'<!doctype html><title>App</title>')
AT_ONCE = Patience(pause_s=0)
HASTY = Patience(pause_s=0, window_s=0.05, deadline_s=30)
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


@asynccontextmanager
async def fetching(own: str, *named: str, patience: Patience = AT_ONCE) -> AsyncIterator[Fetcher]:
    outbound = Outbound(named)
    outbound.dialer.trust(origin_of(own))
    headers = {'Authorization': f'Bearer {KEY}'}
    yield Fetcher(outbound, f'{own}/v1', origin_of(own), headers, patience)
    await outbound.close()


async def fetched(
    server: Upstream, url: str, folder: Path, *named: str, patience: Patience = AT_ONCE
) -> tuple[Received, str]:
    async with fetching(server.origin, *named, patience=patience) as fetcher:
        return await fetcher.fetch(url, lambda: Incoming(folder))


async def failure_of(
    server: Upstream, url: str, folder: Path, *named: str, patience: Patience = AT_ONCE
) -> Failure:
    with pytest.raises(ProviderError) as caught:
        await fetched(server, url, folder, *named, patience=patience)
    assert files_in(folder) == 0
    return caught.value.failure


def files_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


def targets(server: Upstream) -> list[str]:
    return [asked.target for asked in server.asked]


async def test_a_host_that_refuses_has_its_picture_at_the_provider(tmp_path: Path) -> None:
    async with upstream({'GET /media/a.png?s=1': PAINTED}) as server:
        with refused_port() as port:
            dead = f'http://localhost:{port}'
            received, address = await fetched(server, f'{dead}/media/a.png?s=1', tmp_path, dead)

    assert received.path.read_bytes() == PNG
    assert address == f'{server.origin}/media/a.png?s=1'


async def test_a_name_that_nobody_knows_has_its_picture_at_the_provider(tmp_path: Path) -> None:
    async def unknown(host: str, port: int) -> list[str]:
        if host == 'localai':
            raise httpcore.ConnectError('no such name')
        return [host]

    async with upstream({'GET /b64.png': PAINTED}) as server:
        outbound, own = Outbound(look_up=unknown), origin_of(server.origin)
        outbound.dialer.trust(own)
        fetcher = Fetcher(outbound, server.origin, own, {}, AT_ONCE)
        _, address = await fetcher.fetch('http://localai:8080/b64.png', lambda: Incoming(tmp_path))
        await outbound.close()

    assert address == f'{server.origin}/b64.png'


async def test_another_port_of_the_provider_is_asked_first_and_then_its_own(
    tmp_path: Path,
) -> None:
    async with upstream({'GET /a.png': PAINTED}) as server, upstream() as other:
        _, address = await fetched(server, f'{other.origin}/a.png', tmp_path, other.origin)

    assert address == f'{server.origin}/a.png'
    assert targets(other) == ['/a.png']
    assert 'authorization' not in other.asked[0].headers


async def test_a_host_that_answers_is_believed(tmp_path: Path) -> None:
    async with upstream({'GET /a.png': PAINTED}) as server, upstream() as other:
        elsewhere = f'http://localhost:{other.port}'
        failure = await failure_of(server, f'{elsewhere}/a.png', tmp_path, elsewhere)

    assert (failure.kind, failure.http_status) == (ErrorKind.IMAGE_FETCH_FAILED, 404)
    assert server.asked == []


@pytest.mark.parametrize('reply', [LOST, PAGE, Reply(status=500), Reply(body=b'')])
async def test_a_private_address_whose_picture_is_not_at_the_provider_stays_blocked(
    reply: Reply, tmp_path: Path
) -> None:
    async with upstream() as server, upstream({'GET /a.png': PAINTED}) as private:
        server.otherwise = lambda _: reply
        failure = await failure_of(server, f'{private.origin}/a.png', tmp_path)

    assert failure.kind is ErrorKind.BLOCKED_URL
    assert failure.url == f'{private.origin}/a.png'
    assert private.asked == []


async def test_a_provider_that_is_silent_about_a_private_address_leaves_it_blocked(
    tmp_path: Path,
) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(status=None, ending=Ending.HANGS)
        patience = Patience(deadline_s=0.05)
        failure = await failure_of(server, 'http://127.0.0.1:9/a.png', tmp_path, patience=patience)

    assert failure.kind is ErrorKind.BLOCKED_URL


@pytest.mark.parametrize('host', ['169.254.169.254', 'metadata.google.internal', '127.1', 'u@h'])
async def test_what_no_server_would_name_is_not_asked_of_the_provider(
    host: str, tmp_path: Path
) -> None:
    async with upstream() as server:
        failure = await failure_of(server, f'http://{host}/latest/meta-data/', tmp_path)

    assert failure.kind is ErrorKind.BLOCKED_URL
    assert server.asked == []


async def test_a_route_that_lies_beside_the_api_is_found(tmp_path: Path) -> None:
    async with upstream({'GET /images/5f?v=1': PAINTED}) as server:
        _, address = await fetched(server, '/v1/images/5f?v=1', tmp_path)

    assert address == f'{server.origin}/images/5f?v=1'
    assert targets(server) == ['/v1/images/5f?v=1', '/images/5f?v=1']


async def test_the_place_beside_the_api_is_tried_once(tmp_path: Path) -> None:
    async with upstream() as server:
        failure = await failure_of(server, '/v1/v1/5f', tmp_path)

    assert failure.url == f'{server.origin}/v1/v1/5f'
    assert targets(server) == ['/v1/v1/5f', '/v1/5f', '/v1/v1/5f', '/v1/v1/5f']


@pytest.mark.parametrize('status', [403, 410, 500])
async def test_only_a_404_leads_beside_the_api(status: int, tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(status=status)
        await failure_of(server, '/v1/images/5f', tmp_path)

    assert set(targets(server)) == {'/v1/images/5f'}


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


@pytest.mark.parametrize('cut', [Ending.CLOSES_EARLY, Ending.HANGS])
async def test_a_body_shorter_than_promised_is_lost(cut: Ending, tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(body=PNG, ending=cut)
        failure = await failure_of(server, '/a.png', tmp_path, patience=HASTY)

    reason = 'broke off' if cut is Ending.CLOSES_EARLY else 'it came too slowly'
    assert (failure.kind, failure.reason) == (ErrorKind.IMAGE_FETCH_FAILED, reason)


async def test_a_drip_is_cut_off_and_not_asked_for_again(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(body=PNG, rest=(b'x',) * 50, ending=Ending.HANGS)
        failure = await failure_of(server, '/a.png', tmp_path, patience=HASTY)

    assert failure.reason == 'it came too slowly'
    assert len(server.asked) == 1


async def test_silence_before_the_answer_ends_at_the_deadline(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(status=None, ending=Ending.HANGS)
        patience = Patience(deadline_s=0.05)
        failure = await failure_of(server, '/a.png', tmp_path, patience=patience)

    assert (failure.kind, failure.reason) == (ErrorKind.IMAGE_FETCH_FAILED, 'not there in time')


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
    ('coding', 'body'), [('gzip', gzip.compress(PNG)), ('deflate', zlib.compress(PNG))]
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
        ('br', PNG, 'a compressed answer'),
        ('zstd', PNG, 'a compressed answer'),
        ('gzip, gzip, gzip', gzip.compress(PNG), 'a compressed answer'),
        ('gzip', gzip.compress(PNG)[:-9], 'broke off'),
        ('gzip', PNG, 'broke off'),
        (
            *('gzip', gzip.compress(bytes(20_000_000))),
            'a compressed answer that swells out of proportion',
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

"""Where a picture is looked for that is not where a server says it is."""

from __future__ import annotations

from pathlib import Path

import httpcore
import pytest

from app.errors import ErrorKind
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.transport.download import DownloadTimeouts, Fetcher
from app.storage.files import TempFile
from tests.support.downloads import AT_ONCE, LOST, PAGE, PAINTED, PNG, failure_of, fetched, targets
from tests.support.fakes import Ending, Reply, refused_port, upstream


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
        http_client, own = HttpClient(look_up=unknown), origin_of(server.origin)
        http_client.policy.trust(own)
        fetcher = Fetcher(http_client, own, {}, AT_ONCE)
        _, address = await fetcher.fetch('http://localai:8080/b64.png', lambda: TempFile(tmp_path))
        await http_client.close()

    assert address == f'{server.origin}/b64.png'


async def test_another_port_of_the_provider_is_asked_first_and_then_its_own(tmp_path: Path) -> None:
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
        timeouts = DownloadTimeouts(deadline_s=0.05)
        failure = await failure_of(server, 'http://127.0.0.1:9/a.png', tmp_path, timeouts=timeouts)

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

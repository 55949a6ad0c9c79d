"""Where a picture is looked for that is not where a server says it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.transport.download import DownloadTimeouts, Fetcher
from app.storage.files import TempFile
from tests.support.downloads import AT_ONCE, LOST, PAGE, PAINTED, PNG, failure_of, fetched, targets
from tests.support.fakes import KEY, Ending, Reply, Upstream, refused_port, upstream
from tests.support.provider_calls import bodies, drawn, settings

SECRET = {'Authorization': f'Bearer {KEY}'}


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
            raise OSError('host not found')
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


async def below(
    server: Upstream, named: str, folder: Path, path: str = '/localai/v1'
) -> tuple[bytes, str]:
    http_client, own = HttpClient(), origin_of(server.origin)
    http_client.policy.trust(own)
    fetcher = Fetcher(http_client, own, SECRET, AT_ONCE, base_path=path)
    try:
        received, address = await fetcher.fetch(named, lambda: TempFile(folder))
        return received.path.read_bytes(), address
    finally:
        await http_client.close()


@pytest.mark.parametrize(
    'named',
    [
        '{origin}/generated-images/b1.png?v=1',
        '/generated-images/b1.png?v=1',
        'generated-images/b1.png?v=1',
        '//{host}/generated-images/b1.png?v=1',
        'https://{host}/generated-images/b1.png?v=1',
        'http://localhost:9/generated-images/b1.png?v=1',
        'http://10.0.0.9:8080/generated-images/b1.png?v=1',
        '{origin}/v1/generated-images/b1.png?v=1',
        '{origin}/localai/v1/generated-images/b1.png?v=1',
    ],
)
@pytest.mark.parametrize('elsewhere', [LOST, PAGE, Reply(status=401), Reply(status=502)])
async def test_a_picture_is_sought_below_the_path_that_a_proxy_put_before_it(
    named: str, elsewhere: Reply, tmp_path: Path
) -> None:
    async with upstream({'GET /localai/generated-images/b1.png?v=1': PAINTED}) as server:
        server.otherwise = lambda _: elsewhere
        url = named.format(origin=server.origin, host=f'127.0.0.1:{server.port}')

        content, address = await below(server, url, tmp_path)

    assert content == PNG
    assert address == f'{server.origin}/localai/generated-images/b1.png?v=1'


@pytest.mark.parametrize(
    ('named', 'path'),
    [('/localai/a.png', '/localai/v1'), ('/a.png', '/api/v1'), ('http://localai/a.png', '/x/v1')],
)
async def test_a_picture_is_sought_at_the_root_as_well(
    named: str, path: str, tmp_path: Path
) -> None:
    async with upstream({'GET /a.png': PAINTED}) as server:
        content, _ = await below(server, named, tmp_path, path)

    assert content == PNG


async def test_a_picture_that_is_nowhere_was_asked_for_below_the_path_and_at_the_root(
    tmp_path: Path,
) -> None:
    async with upstream() as server:
        with pytest.raises(ProviderError) as caught:
            await below(server, f'{server.origin}/b1.png', tmp_path)

    assert caught.value.failure.url == f'{server.origin}/b1.png'
    assert targets(server) == 3 * ['/b1.png', '/localai/b1.png', '/localai/v1/b1.png']


async def test_a_server_behind_a_path_names_its_pictures_without_it(tmp_path: Path) -> None:
    async with upstream({'GET /localai/generated-images/b1.png': PAINTED}) as server:
        body = {'created': 1, 'data': [{'url': f'{server.origin}/generated-images/b1.png'}]}
        server.replies['POST /localai/v1/images/generations'] = Reply(
            body=json.dumps(body).encode()
        )

        answer = await drawn(
            server, tmp_path, GenerationRequest(prompt='x'), told=settings(server, '/localai/v1')
        )

    assert len(answer.received) == 1
    assert len(bodies(server)) == 1

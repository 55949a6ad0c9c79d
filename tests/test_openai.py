"""The OpenAI dialect over real sockets: what is sent, and what each way of failing becomes."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.errors import ErrorKind, Failure, ProviderError, StorageFailed
from app.models.request import GenerationRequest, ResponseFormat, Size
from app.providers.core.base import Run
from app.providers.dialects.openai import request_body
from app.providers.transport.client import endpoint
from app.storage.files import TempFile
from app.storage.store import Store
from tests.support.fakes import (
    Asked,
    Ending,
    Reply,
    Upstream,
    arriving_in,
    asking,
    picture,
    refused_port,
    sha256,
    storing,
    upstream,
)

PNG = picture()
ONE = json.dumps({'data': [{'b64_json': base64.b64encode(PNG).decode()}]}).encode()
COMPRESSED = Reply(headers=(('Content-Encoding', 'br'),), body=ONE)
G4F = {
    name: exchange
    for file in ('g4f-stub.json', 'g4f-auth.json')
    for name, exchange in json.loads(
        (Path(__file__).parent / 'replay' / file).read_text(encoding='utf-8')
    )['cases'].items()
    if exchange['request']['path'] == '/v1/images/generations'
    and exchange['request']['method'] == 'POST'
    and not {'Host', 'X-Forwarded-Host'} & set(exchange['request']['headers'])
}
BY_URL = ResponseFormat.URL


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with storing(tmp_path) as store:
        yield store


async def failure_of(
    reply: Reply, store: Store, request: GenerationRequest | None = None, timeout_s: float = 10
) -> Failure:
    """Ask a server that answers so, and give what the provider makes of it."""
    replies = {'POST /v1/images/generations': reply}
    async with (
        upstream(replies) as server,
        asking(f'{server.origin}/v1', timeout_s=timeout_s) as provider,
    ):
        with pytest.raises(ProviderError) as caught:
            await provider.generate(
                request or GenerationRequest(prompt='a cat'), Run(store.new_temp_file)
            )
    return caught.value.failure


async def test_a_minimal_ask_sends_the_prompt_and_the_model_and_nothing_else(store: Store) -> None:
    async with upstream() as server, asking(f'{server.origin}/v1', key=None) as provider:
        server.otherwise = lambda _: Reply(body=ONE)
        await provider.generate(GenerationRequest(prompt='кот 🐈'), Run(store.new_temp_file))

    asked = server.asked[0]
    assert (asked.method, asked.target) == ('POST', '/v1/images/generations')
    assert json.loads(asked.body) == {'model': 'flux', 'prompt': 'кот 🐈'}
    assert asked.headers['content-type'] == 'application/json'
    assert asked.headers['accept'] == 'application/json'
    assert 'authorization' not in asked.headers


@pytest.mark.parametrize(
    ('asked', 'sent'),
    [
        (GenerationRequest(prompt='a', n=3), {'n': 3}),
        (GenerationRequest(prompt='a', size=Size(512, 768)), {'size': '512x768'}),
        (GenerationRequest(prompt='a', seed=0), {'seed': 0}),
        (GenerationRequest(prompt='a', response_format=BY_URL), {'response_format': 'url'}),
        (GenerationRequest(prompt='a', negative_prompt='b'), {'negative_prompt': 'b'}),
        (GenerationRequest(prompt='a', quality='hd'), {'quality': 'hd'}),
        (GenerationRequest(prompt='a', n=1, negative_prompt='', quality=''), {}),
        (GenerationRequest(prompt='a', model='sdxl'), {'model': 'sdxl'}),
    ],
)  # fmt: skip
def test_what_is_automatic_is_not_sent(asked: GenerationRequest, sent: dict[str, object]) -> None:
    body = request_body(asked)

    assert json.loads(json.dumps(body)) == {'prompt': 'a'} | sent


def test_no_model_is_sent_where_none_is_known() -> None:
    assert request_body(GenerationRequest(prompt='a')) == {'prompt': 'a'}


@pytest.mark.parametrize(
    ('base', 'address'),
    [
        ('http://a.test/v1', 'http://a.test/v1/images/generations'),
        ('http://a.test/v1/', 'http://a.test/v1/images/generations'),
        ('http://a.test', 'http://a.test/images/generations'),
        ('http://a.test/v1/images/generations', 'http://a.test/v1/images/generations'),
        ('http://a.test/v1/images/generations/', 'http://a.test/v1/images/generations'),
        ('http://a.test/v1?api-version=2', 'http://a.test/v1/images/generations?api-version=2'),
        ('http://[::1]:80/v3', 'http://[::1]:80/v3/images/generations'),
    ],
)
def test_the_endpoint_goes_behind_the_root_and_before_its_query(base: str, address: str) -> None:
    assert endpoint(base, 'images/generations') == address


@pytest.mark.parametrize('name', G4F)
async def test_a_real_g4f_is_understood(name: str, store: Store) -> None:
    said = G4F[name]['response']
    content = json.dumps(said['json']) if 'json' in said else said.get('text', '')
    async with upstream() as server, upstream() as pictures:
        content = at_host(content, server, pictures)
        server.otherwise = lambda asked: (
            Reply(status=said['status'], body=content.encode())
            if asked.method == 'POST'
            else Reply(body=PNG)
        )
        pictures.otherwise = lambda _: Reply(body=PNG)
        async with asking(f'{server.origin}/v1', named=(pictures.origin,)) as provider:
            count, failure = await counted(
                provider.generate(GenerationRequest(prompt='a'), Run(store.new_temp_file))
            )

    assert count == (len(said['json']['data']) if said['status'] == 200 else 0)
    if said['status'] != 200:
        assert failure
        assert failure.http_status == said['status']
        assert 'Bearer' not in failure.words


def at_host(content: str, server: Upstream, pictures: Upstream) -> str:
    """Put our stand-ins where the recording's servers were."""
    content = re.sub(
        r'http://(localhost|127\.0\.0\.1):\d+/media', f'{server.origin}/media', content
    )
    return re.sub(r'http://(localhost|127\.0\.0\.1):(46227|41617)', pictures.origin, content)


async def counted(call: object) -> tuple[int, Failure | None]:
    try:
        answer = await call  # type: ignore[misc]
    except ProviderError as error:
        return 0, error.failure
    return len(answer.received), None


async def test_a_refused_connection_is_unreachable(store: Store) -> None:
    with refused_port() as port:
        async with asking(f'http://127.0.0.1:{port}/v1') as provider:
            with pytest.raises(ProviderError) as caught:
                await provider.generate(GenerationRequest(prompt='a cat'), Run(store.new_temp_file))

    failure = caught.value.failure
    assert (failure.kind, failure.reason) == (ErrorKind.UNREACHABLE, 'connection refused')
    assert failure.where == f'127.0.0.1:{port}'


@pytest.mark.parametrize(
    ('reply', 'kind', 'reason'),
    [
        (Reply(status=None), ErrorKind.UNREACHABLE, 'closed without an answer'),
        (Reply(status=None, ending=Ending.RESETS), ErrorKind.UNREACHABLE, 'connection reset'),
        (Reply(status=None, ending=Ending.HANGS), ErrorKind.TIMEOUT, '0.3'),
        (Reply(body=ONE[:90], ending=Ending.HANGS), ErrorKind.TIMEOUT, '0.3'),
        (Reply(body=ONE[:90], ending=Ending.RESETS), ErrorKind.TRUNCATED, 'connection reset'),
        (Reply(body=ONE[:90]), ErrorKind.TRUNCATED, 'the JSON is cut off'),
        (Reply(body=b''), ErrorKind.EMPTY, 'an empty body'),
        (Reply(body=b'hello'), ErrorKind.NOT_JSON, ''),
        (Reply(body=b'[]'), ErrorKind.EMPTY, ''),
        (COMPRESSED, ErrorKind.NOT_JSON, 'the answer is compressed'),
    ],
    ids=['closed', 'reset', 'hangs', 'half hangs', 'half resets', 'half', '', 'text', '[]', 'br'],
)  # fmt: skip
async def test_a_broken_answer_is_named_for_what_broke(
    reply: Reply, kind: ErrorKind, reason: str, store: Store
) -> None:
    failure = await failure_of(reply, store, timeout_s=0.3 if kind is ErrorKind.TIMEOUT else 10)

    assert (failure.kind, failure.reason) == (kind, reason)
    assert arriving_in(store.data) == []


async def test_an_answer_cut_by_its_server_is_truncated(store: Store) -> None:
    failure = await failure_of(Reply(body=ONE[:90], ending=Ending.CLOSES_EARLY), store)

    assert failure.kind is ErrorKind.TRUNCATED


@pytest.mark.parametrize(
    'address',
    [
        'http://[',
        'http://[::1',
        'http://a.test:99999/x.png',
        'http://a.test:port/x.png',
        '//[/x.png',
        'http://xn--/x.png',
        'http://xn--iñvalid.com/x.png',
        f'http://{"a" * 300}.test/x.png',
        'http://a..test/x.png',
        'http://\ud800.test/x.png',
        'http://a.test/\ud800.png',
        'http://℀.test/x.png',
        'http://' + 'a' * 9_000,
        'javascript:alert(1)//x.png',
        'ftp://a.test/x.png',
        'data:image/png;base64,%%%',
        'data:image/png;base64,\ud800',
    ],
)
async def test_an_odd_address_is_a_lost_picture_and_never_a_fault_of_ours(
    address: str, store: Store
) -> None:
    body = json.dumps({'data': [{'url': address}]}).encode()

    failure = await failure_of(Reply(body=body), store)

    assert failure.kind in (
        ErrorKind.BLOCKED_URL,
        ErrorKind.IMAGE_FETCH_FAILED,
        ErrorKind.BAD_IMAGE,
    )
    assert arriving_in(store.data) == []


@pytest.mark.parametrize('location', ['/login', 'http://[', 'data:text/plain,x'])
async def test_a_redirected_call_says_so_wherever_it_points(location: str, store: Store) -> None:
    reply = Reply(status=302, headers=(('Location', location),))

    failure = await failure_of(reply, store)

    assert failure.kind is ErrorKind.REDIRECT


async def test_a_bad_address_does_not_take_the_good_picture_along(store: Store) -> None:
    body = json.dumps({'data': [{'url': 'file:///etc/passwd'}, json.loads(ONE)['data'][0]]})

    async with upstream() as server, asking(f'{server.origin}/v1') as provider:
        server.otherwise = lambda _: Reply(body=body.encode())
        answer = await provider.generate(
            GenerationRequest(prompt='a cat', n=2), Run(store.new_temp_file)
        )

    assert [received.digest for received in answer.received] == [sha256(PNG)]
    assert [failure.kind for failure in answer.item_errors] == [ErrorKind.BLOCKED_URL]


@pytest.mark.parametrize('content', [b'', ONE[:40]], ids=['before the answer', 'in its middle'])
async def test_cancelling_closes_the_call_and_leaves_no_file(content: bytes, store: Store) -> None:
    reply = Reply(status=200 if content else None, body=content, ending=Ending.HANGS)
    arrived = asyncio.Event()
    async with upstream() as server, asking(f'{server.origin}/v1') as provider:
        server.otherwise = told(arrived, reply)
        call = asyncio.create_task(
            provider.generate(GenerationRequest(prompt='a cat'), Run(store.new_temp_file))
        )
        await arrived.wait()

        call.cancel()
        await asyncio.wait([call])
        await asyncio.wait_for(server.left.wait(), 5)

    assert call.cancelled()
    assert arriving_in(store.data) == []


def told(arrived: asyncio.Event, reply: Reply) -> Callable[[Asked], Reply]:
    def answer(_: Asked) -> Reply:
        arrived.set()
        return reply

    return answer


async def test_a_disk_that_refuses_is_not_the_providers_fault(store: Store) -> None:
    def refusing() -> TempFile:
        raise StorageFailed('full')

    async with upstream() as server, asking(f'{server.origin}/v1') as provider:
        server.otherwise = lambda _: Reply(body=ONE)
        with pytest.raises(StorageFailed):
            await provider.generate(GenerationRequest(prompt='a cat'), Run(refusing))

"""Refusals over real sockets: what is sent next, how often, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models import Call
from app.models.request import GenerationRequest, ResponseFormat, Size
from app.providers.core.capabilities import Capabilities, CapabilityStore
from tests.support.fakes import KEY, Asked, Reply, upstream
from tests.support.provider_calls import GONE, ONE, bodies, drawn, refusing, settings, times


def strict(*known: str) -> Callable[[Asked], Reply]:
    """A server that names one field at a time of those that it does not know."""

    def answer(asked: Asked) -> Reply:
        unknown = [name for name in json.loads(asked.body) if name not in known]
        return refusing(unknown[0]) if unknown else ONE

    return answer


async def test_a_field_that_is_refused_is_left_out_and_the_picture_says_so(tmp_path: Path) -> None:
    tried: list[Call] = []
    async with upstream() as server:
        server.otherwise = strict('model', 'prompt', 'size')

        request = GenerationRequest(prompt='a cat', size=Size(512, 512), quality='hd')
        answer = await drawn(server, tmp_path, request, tried=tried)

    assert answer.dropped == ('quality',)
    assert [sorted(body) for body in bodies(server)] == [
        ['model', 'prompt', 'quality', 'size'],
        ['model', 'prompt', 'size'],
    ]
    assert [(one.status, one.dropped) for one in tried] == [(400, ()), (200, ('quality',))]


async def test_what_was_refused_once_is_not_sent_again(tmp_path: Path) -> None:
    memory = CapabilityStore()
    request = GenerationRequest(prompt='a cat', quality='hd', response_format=ResponseFormat.URL)
    async with upstream() as server:
        server.otherwise = strict('model', 'prompt')
        await drawn(server, tmp_path / 'one', request, memory)
        before = len(server.asked)

        answer = await drawn(server, tmp_path / 'two', request, memory)

    assert len(server.asked) == before + 1
    assert set(answer.dropped) == {'quality', 'response_format'}


async def test_what_is_forgotten_is_tried_again(tmp_path: Path) -> None:
    memory = CapabilityStore()
    request = GenerationRequest(prompt='a cat', quality='hd')
    async with upstream() as server:
        server.otherwise = strict('model', 'prompt')
        await drawn(server, tmp_path / 'one', request, memory)
        await memory.forget(f'{server.origin}/v1')

        await drawn(server, tmp_path / 'two', request, memory)

    assert [('quality' in body) for body in bodies(server)] == [True, False, True, False]


@pytest.mark.parametrize(
    'reply',
    [
        Reply(status=504, body=b'gateway time-out'),
        Reply(status=502, body=b'<html>bad gateway</html>'),
        Reply(status=500, body=b'{"error":"out of memory"}'),
        Reply(status=429, body=b'{"error":"slow down"}'),
        Reply(status=400, body=b'{"error":{"code":"moderation_blocked","message":"no"}}'),
        Reply(status=401, body=b'{"error":"invalid api key"}'),
        Reply(status=200, body=b''),
        Reply(status=None),
    ],
    ids=lambda reply: f'{reply.status}',
)
async def test_what_may_have_been_paid_for_is_never_asked_twice(
    reply: Reply, tmp_path: Path
) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: reply

        with pytest.raises(ProviderError):
            await drawn(server, tmp_path, GenerationRequest(prompt='a cat', quality='hd', n=2))

    assert len(bodies(server)) == 1


async def test_missing_pictures_are_asked_for_one_by_one_where_that_is_set(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: ONE

        answer = await drawn(
            server,
            tmp_path,
            GenerationRequest(prompt='a cat', n=3, seed=7),
            told=settings(server, tops_up=True),
        )

    assert len(answer.received) == 3
    assert [body.get('n') for body in bodies(server)] == [3, None, None]
    assert [body.get('seed') for body in bodies(server)] == [7, 8, 9]


async def test_the_seed_that_a_server_tells_of_a_missing_picture_counts(tmp_path: Path) -> None:
    [item] = json.loads(ONE.body)['data']
    told = json.dumps({'data': [item | {'seed': 0}]}).encode()
    async with upstream() as server:
        server.otherwise = times(ONE, replace(ONE, body=told))

        answer = await drawn(
            server,
            tmp_path,
            GenerationRequest(prompt='a cat', n=2, seed=7),
            told=settings(server, tops_up=True),
        )

    assert answer.received[1].seed == 0


async def test_missing_pictures_are_left_missing_otherwise(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: ONE

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='a cat', n=3))

    assert len(answer.received) == 1
    assert len(bodies(server)) == 1


async def test_a_failed_top_up_costs_no_picture(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = times(ONE, Reply(status=500, body=b'{"error":"out of memory"}'))

        answer = await drawn(
            server,
            tmp_path,
            GenerationRequest(prompt='a cat', n=3),
            told=settings(server, tops_up=True),
        )

    assert len(answer.received) == 1
    assert [failure.kind for failure in answer.item_errors] == [ErrorKind.UPSTREAM_ERROR]
    assert len(bodies(server)) == 2


@pytest.mark.parametrize('status', [429, 503])
async def test_a_server_that_asks_to_wait_is_waited_for_where_that_is_set(
    status: int, tmp_path: Path
) -> None:
    busy = Reply(status=status, headers=(('Retry-After-Ms', '10'), ('Retry-After', '0')))
    async with upstream() as server:
        server.otherwise = times(busy, busy, ONE)

        answer = await drawn(
            server, tmp_path, GenerationRequest(prompt='a cat'), told=settings(server, waits=True)
        )

    assert len(answer.received) == 1
    assert len(bodies(server)) == 3


@pytest.mark.parametrize(
    ('location', 'calls'),
    [
        ('/v1/images/generations/', 2),
        ('http://127.0.0.1:1/v1/images/generations', 1),
        ('/v1/images/generations', 2),
    ],
)
async def test_a_post_is_sent_on_once_and_on_the_same_origin_only(
    location: str, calls: int, tmp_path: Path
) -> None:
    moved = Reply(status=307, headers=(('Location', location),))
    async with upstream({'POST /v1/images/generations/': ONE}) as server:
        server.otherwise = lambda asked: moved if asked.method == 'POST' else GONE
        outcomes: Iterable[object]

        try:
            outcomes = (await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))).received
        except ProviderError as error:
            outcomes = [error.failure.kind]

    posts = [asked for asked in server.asked if asked.target.startswith('/v1/images')]
    assert len(posts) == calls
    assert (list(outcomes) == [ErrorKind.REDIRECT]) is not location.endswith('/')
    assert len({asked.body for asked in posts}) == 1


async def test_a_job_is_waited_for_at_its_own_address(tmp_path: Path) -> None:
    promise = {'id': 'job_1', 'status': 'queued', 'poll_url': '/sdcpp/v1/jobs/job_1'}
    under_way = Reply(body=json.dumps({'id': 'job_1', 'status': 'running'}).encode())
    polls = times(under_way, ONE)
    async with upstream() as server:
        server.otherwise = lambda asked: (
            Reply(status=202, body=json.dumps(promise).encode())
            if asked.method == 'POST'
            else polls(asked)
        )

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))

    assert len(answer.received) == 1
    assert len(bodies(server)) == 1


async def test_a_key_is_in_no_note_of_a_call(tmp_path: Path) -> None:
    tried: list[Call] = []
    async with upstream() as server:
        server.otherwise = lambda _: Reply(
            status=401, body=f'{{"error":"Bearer {KEY} is wrong"}}'.encode()
        )
        told = settings(server, '/v1?api-version=1&sig=secret', headers=(('x-key', 'hush'),))

        with pytest.raises(ProviderError):
            await drawn(server, tmp_path, GenerationRequest(prompt='a cat'), told=told, tried=tried)

    said = repr(tried)
    assert 'api-version=…' in said
    assert 'x-key' in said
    assert not [secret for secret in (KEY, 'secret', 'hush') if secret in said]
    assert server.asked[0].target == '/v1/images/generations?api-version=1&sig=secret'
    assert server.asked[0].headers['x-key'] == 'hush'


async def test_an_address_that_can_not_be_fetched_teaches_to_ask_inline(tmp_path: Path) -> None:
    memory = CapabilityStore()
    address = Reply(body=b'{"data":[{"url":"http://10.0.0.1/a.png"}]}')

    def answer(asked: Asked) -> Reply:
        if asked.method == 'GET':
            return GONE
        return ONE if json.loads(asked.body).get('response_format') else address

    async with upstream() as server:
        server.otherwise = answer
        with pytest.raises(ProviderError) as caught:
            await drawn(server, tmp_path / 'one', GenerationRequest(prompt='a cat'), memory)

        again = await drawn(server, tmp_path / 'two', GenerationRequest(prompt='a cat'), memory)

    assert caught.value.failure.kind is ErrorKind.BLOCKED_URL
    assert len(again.received) == 1
    assert len(bodies(server)) == 2


async def test_what_was_learned_and_does_not_help_is_forgotten(tmp_path: Path) -> None:
    memory = CapabilityStore()

    broken = Reply(status=500, body=b'{"error":"failed"}')
    async with upstream() as server:
        url = f'{server.origin}/v1'
        await memory.learn(url, 'flux', Capabilities(refused=('quality',)))
        server.otherwise = lambda _: broken

        with pytest.raises(ProviderError):
            await drawn(server, tmp_path, GenerationRequest(prompt='a cat'), memory)

    assert memory.of(url, 'flux') == Capabilities()


async def test_of_a_secret_header_nothing_is_recorded(tmp_path: Path) -> None:
    tried: list[Call] = []
    headers = (('Cookie', 'session=abcdef; theme=dark'), ('X-Auth', 'Token abcdef'))
    async with upstream() as server:
        server.otherwise = lambda _: ONE
        told = settings(server, headers=headers)
        await drawn(server, tmp_path, GenerationRequest(prompt='a'), told=told, tried=tried)

    shown = dict(tried[0].headers)
    assert (shown['Cookie'], shown['X-Auth']) == ('$EASEL_API_KEY', 'Token $EASEL_API_KEY')

"""Asking over real sockets: in whose words, what is learned and when it is forgotten."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.database import Library
from app.errors import ProviderError
from app.models.request import GenerationRequest, ResponseFormat, Size
from app.net.client import HttpClient
from app.providers.core.base import Dialect
from app.providers.core.capabilities import CapabilityStore
from app.providers.dialects.openai import request_body
from app.providers.provider import ApiProvider
from app.providers.response.json_text import Json
from tests.support.fakes import NOT_FOUND, Asked, Reply, upstream
from tests.support.provider_calls import GONE, ONE, bodies, drawn, refusing, settings, times

FULL = GenerationRequest(
    prompt='a cat',
    n=2,
    size=Size(640, 480),
    seed=3,
    quality='hd',
    steps=5,
    guidance='7.5',
    response_format=ResponseFormat.B64_JSON,
)


def said(status: int, tree: Json, **headers: str) -> Reply:
    named = tuple((name.replace('_', '-'), value) for name, value in headers.items())
    return Reply(status=status, body=json.dumps(tree).encode(), headers=named)


async def test_what_was_learned_outlives_a_restart(tmp_path: Path) -> None:
    def strict(asked: Asked) -> Reply:
        return refusing('quality') if 'quality' in json.loads(asked.body) else ONE

    async with upstream() as server:
        server.otherwise = strict
        for run in ('first', 'second'):
            library = await Library.open(tmp_path / 'easel.db')
            memory = CapabilityStore(library.learned)
            await memory.load()
            await drawn(server, tmp_path / run, GenerationRequest(prompt='a', quality='hd'), memory)
            await library.close()

    assert ['quality' in body for body in bodies(server)] == [True, False, False]


async def test_what_a_refusal_taught_is_kept_though_the_next_call_fails(tmp_path: Path) -> None:
    memory = CapabilityStore()
    async with upstream() as server:
        server.otherwise = times(refusing('quality', 500), Reply(status=504), ONE)
        with pytest.raises(ProviderError):
            await drawn(
                server, tmp_path / 'one', GenerationRequest(prompt='a', quality='hd'), memory
            )

        await drawn(server, tmp_path / 'two', GenerationRequest(prompt='a', quality='hd'), memory)

    assert ['quality' in body for body in bodies(server)] == [True, False, False]


async def test_a_size_that_is_too_small_is_not_all_sizes(tmp_path: Path) -> None:
    def choosy(asked: Asked) -> Reply:
        words = 'The parameter `size` is not valid: it must be at least 3686400 pixels.'
        error: Json = {'error': {'message': words, 'param': 'size'}}
        return said(400, error) if json.loads(asked.body).get('size') == '64x64' else ONE

    memory = CapabilityStore()
    sizes = [Size(64, 64), Size(2048, 2048), Size(64, 64)]
    async with upstream() as server:
        server.otherwise = choosy
        answers = [
            await drawn(
                server, tmp_path / str(number), GenerationRequest(prompt='a', size=size), memory
            )
            for number, size in enumerate(sizes)
        ]

    assert [body.get('size') for body in bodies(server)] == ['64x64', None, '2048x2048', None]
    assert [answer.dropped for answer in answers] == [('size',), (), ('size',)]


async def test_a_way_that_was_learned_is_left_when_it_leads_nowhere(tmp_path: Path) -> None:
    memory = CapabilityStore()
    listing = Reply(body=b'{"data":[{"id":"flux"}]}')
    async with upstream() as server:
        server.otherwise = lambda _: GONE
        server.replies = {'GET /api/v1/models': listing, 'POST /api/v1/images/generations': ONE}
        await drawn(server, tmp_path / 'one', GenerationRequest(prompt='a cat'), memory)
        server.replies = {'GET /v1/models': listing, 'POST /v1/images/generations': ONE}

        await drawn(server, tmp_path / 'two', GenerationRequest(prompt='a cat'), memory)

    assert [asked.target for asked in server.asked if asked.method == 'POST'][-2:] == [
        '/api/v1/images/generations',
        '/v1/images/generations',
    ]


@pytest.mark.parametrize(
    'reply',
    [
        Reply(status=200, headers=(('Content-Encoding', 'br'),), body=b'\x8b\x05\x80'),
        Reply(status=200, body=b'the picture is on its way'),
        Reply(status=500, body=b'{"error":"POST /v1/chat/completions timed out"}'),
        Reply(status=502, body=b'invalid response, unknown size'),
    ],
    ids=['brotli', 'text', 'chat in the words', 'bad gateway'],
)
async def test_an_answer_that_may_have_been_paid_is_asked_nowhere_else(
    reply: Reply, tmp_path: Path
) -> None:
    async with upstream() as server:
        server.otherwise = lambda asked: reply if asked.method == 'POST' else NOT_FOUND

        with pytest.raises(ProviderError):
            await drawn(server, tmp_path, GenerationRequest(prompt='a cat', size=Size(64, 64)))

    assert len(bodies(server)) == 1


@pytest.mark.parametrize(
    ('root', 'said'),
    [
        (
            'https://api.x.ai/v1',
            {'aspect_ratio': '4:3', 'n': 2, 'response_format': 'b64_json', 'quality': 'hd'},
        ),
        (
            'https://api.together.xyz/v1',
            {'width': 640, 'height': 480, 'steps': 5, 'n': 2, 'response_format': 'base64'},
        ),
        (
            'https://api.siliconflow.cn/v1',
            {'image_size': '640x480', 'batch_size': 2, 'num_inference_steps': 5},
        ),
    ],
)
def test_some_clouds_are_asked_in_their_own_words_and_nothing_gets_lost(
    root: str, said: dict[str, object]
) -> None:
    plain = request_body(replace(FULL, model='flux'))

    body = request_body(replace(FULL, model='flux'), root)

    assert said.items() <= body.items()
    assert len(body) >= len(plain)
    assert 'size' not in body


@pytest.mark.parametrize('dialect', [Dialect.OPENAI, Dialect.CHAT])
async def test_a_setting_without_a_name_in_a_dialect_is_told(
    dialect: Dialect, tmp_path: Path
) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: ONE

        answer = await drawn(
            server,
            tmp_path,
            GenerationRequest(prompt='a', sampler='Euler a'),
            told=settings(server, dialect=dialect),
        )

    assert answer.dropped == ('sampler',)


async def test_a_chat_keeps_its_message_whatever_is_refused(tmp_path: Path) -> None:
    def strict(asked: Asked) -> Reply:
        if not asked.body:
            return refusing('list')
        unknown = [name for name in json.loads(asked.body) if name not in ('model', 'messages')]
        return refusing(unknown[0]) if unknown else ONE

    told = {'dialect': Dialect.CHAT}
    async with upstream() as server:
        server.otherwise = strict
        request = GenerationRequest(prompt='a cat', size=Size(64, 64), seed=1)
        answer = await drawn(server, tmp_path, request, told=settings(server, **told))

    assert all(body['messages'] for body in bodies(server))
    assert set(answer.dropped) == {'size', 'seed'}


async def test_a_chat_whose_message_is_refused_is_not_asked_again(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: refusing('messages')

        with pytest.raises(ProviderError):
            await drawn(
                server,
                tmp_path,
                GenerationRequest(prompt='a'),
                told=settings(server, dialect=Dialect.CHAT),
            )

    assert len(bodies(server)) == 1


async def test_a_compressed_list_of_models_is_read() -> None:
    http_client = HttpClient()
    async with upstream() as server:
        server.replies['GET /v1/models'] = Reply(
            headers=(('Content-Encoding', 'gzip'),), body=gzip.compress(b'{"data":[{"id":"flux"}]}')
        )

        listing = await ApiProvider(settings(server), http_client).list_models()
        await http_client.close()

    assert listing.models == ('flux',)

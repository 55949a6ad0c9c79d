"""A picture that one answer holds twice, and two that were asked for."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from app.models.request import GenerationRequest
from app.providers.core.base import Dialect
from tests.support.fakes import Reply, arriving_in, picture, upstream
from tests.support.provider_calls import B64, PNG, drawn, settings

URI = f'data:image/png;base64,{B64}'
PART = {'type': 'image_url', 'image_url': {'url': URI}}
LARGE = base64.b64encode(picture() + bytes(9_000)).decode()


def message(**fields: object) -> object:
    return {'choices': [{'message': fields}]}


def text(words: str) -> object:
    return {'type': 'text', 'text': words}


@pytest.mark.parametrize(
    'tree',
    [
        message(content=f'![fox]({URI})', images=[PART]),
        message(content=[text(f'![fox]({URI})'), PART]),
        message(content=[text('![fox](/a.png)'), PART]),
        message(images=['http://{host}/a.png', {'image_url': '/a.png'}, '/a.png']),
        message(content=f'[![fox]({URI})]({URI})'),
        message(images=[PART, {'image_url': {'url': f'data:image/png;base64,{quote(B64)}'}}]),
        message(images=[{'b64_json': B64}, {'url': '/a.png'}]),
        message(images=[{'b64_json': LARGE}, {'url': f'data:image/png;base64,{LARGE}'}]),
    ],
    ids=['both', 'parts', 'address', 'addresses', 'link', 'percents', 'fetched', 'in files'],
)
async def test_a_picture_that_a_chat_shows_twice_is_one(tree: object, tmp_path: Path) -> None:
    async with upstream({'GET /a.png': Reply(body=PNG)}) as server:
        body = json.dumps(tree).replace('{host}', f'127.0.0.1:{server.port}')
        server.replies['POST /v1/chat/completions'] = Reply(body=body.encode())

        answer = await drawn(
            server,
            tmp_path,
            GenerationRequest(prompt='x', n=2),
            told=settings(server, dialect=Dialect.CHAT),
        )

    assert len(answer.received) == 1
    assert len(answer.item_errors) == 0
    assert len(arriving_in(tmp_path)) == 1


async def test_a_stream_that_shows_its_picture_again_at_its_end_has_one(tmp_path: Path) -> None:
    deltas = [{'choices': [{'delta': {'content': part}}]} for part in ('![fox](', URI, ')')]
    events = [*deltas, {'choices': [{'delta': {'images': [PART]}}]}]
    body = ''.join(f'data: {json.dumps(event)}\n\n' for event in events)
    async with upstream() as server:
        server.otherwise = lambda _: Reply(body=body.encode())

        answer = await drawn(
            server,
            tmp_path,
            GenerationRequest(prompt='x'),
            told=settings(server, dialect=Dialect.CHAT),
        )

    assert len(answer.received) == 1


async def test_two_that_were_asked_for_are_kept_though_they_are_alike(tmp_path: Path) -> None:
    body = json.dumps({'data': [{'b64_json': B64}, {'b64_json': B64}]})
    async with upstream({'POST /v1/images/generations': Reply(body=body.encode())}) as server:
        answer = await drawn(server, tmp_path, GenerationRequest(prompt='x', n=2))

    assert len(answer.received) == 2


async def test_a_chat_is_one_wherever_it_was_asked(tmp_path: Path) -> None:
    body = json.dumps(message(content=[text(f'![fox]({URI})'), PART, PART]))
    async with upstream({'POST /v1/images/generations': Reply(body=body.encode())}) as server:
        answer = await drawn(server, tmp_path, GenerationRequest(prompt='x'))

    assert len(answer.received) == 1

"""Streams of events while they come: previews, where they may be left, what they come to."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models import GenerationResult, Received
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import Run
from app.providers.provider import ApiProvider
from tests.support.fakes import Asked, Ending, Reply, picture, storing, upstream
from tests.support.provider_calls import bodies, drawn, refusing, settings

DRAFT = base64.b64encode(picture(4, 4)).decode()
LONG = base64.b64encode(picture(200, 200) + b'\0' * 9_000).decode()
STREAM = (('Content-Type', 'text/event-stream'),)


def event(fields: dict[str, object], name: str = '') -> bytes:
    head = f'event: {name}\r\n' if name else ''
    return f'{head}data: {json.dumps(fields)}\r\n\r\n'.encode()


OPENAI = (
    event({'type': 'image_generation.partial_image', 'b64_json': DRAFT, 'partial_image_index': 0}),
    event({'type': 'image_generation.partial_image', 'b64_json': LONG, 'partial_image_index': 1}),
    event({'type': 'image_generation.completed', 'b64_json': LONG}),
)
EXO = (
    event({'type': 'partial', 'image_index': 1, 'data': {'b64_json': DRAFT}}),
    event({'type': 'final', 'image_index': 0, 'data': {'b64_json': LONG}}),
    event({'type': 'final', 'image_index': 1, 'data': {'b64_json': LONG}}),
    b'data: [DONE]\n\n',
)
SEEDREAM = (
    event({'type': 'image_generation.partial_succeeded', 'image_index': 0, 'b64_json': LONG}),
    event(
        {
            'type': 'image_generation.partial_failed',
            'image_index': 1,
            'error': {'code': 'x', 'message': 'the second was refused'},
        }
    ),
    event({'type': 'image_generation.completed', 'usage': {'generated_images': 1}}),
)
VLLM = (
    b': keep-alive\n\n',
    event({'object': 'image.edit.chunk', 'type': 'ar_delta', 'delta': 'thinking'}),
    event({'object': 'image.edit.chunk', 'type': 'image', 'data': [{'b64_json': LONG}]}),
    b'data: [DONE]\n\n',
)


async def streamed(
    pieces: tuple[bytes, ...], folder: Path, n: int
) -> tuple[GenerationResult, list[int]]:
    """Draw from a server that sends these pieces and then never closes."""
    previews: list[int] = []
    http_client = HttpClient()

    def previewed(position: int, received: Received) -> None:
        previews.append(position)
        received.path.unlink()

    try:
        async with upstream() as server, storing(folder) as store:
            server.otherwise = lambda _: Reply(headers=STREAM, rest=pieces, ending=Ending.HANGS)
            provider = ApiProvider(settings(server, previews=True), http_client)
            answer = await provider.generate(
                GenerationRequest(prompt='a cat', n=n),
                Run(store.new_temp_file, previewed=previewed),
            )
    finally:
        await http_client.close()
    return answer, previews


@pytest.mark.parametrize(
    ('pieces', 'n', 'pictures', 'previews'),
    [(OPENAI, 1, 1, [0, 0]), (EXO, 2, 2, [1]), (SEEDREAM, 2, 1, []), (VLLM, 1, 1, [])],
    ids=['openai', 'exo', 'seedream', 'vllm-omni'],
)
async def test_each_servers_events_come_to_its_pictures(
    pieces: tuple[bytes, ...], n: int, pictures: int, previews: list[int], tmp_path: Path
) -> None:
    async with asyncio.timeout(20):
        answer, seen = await streamed(
            (*pieces, b'data: [DONE]\n\n') if pieces is SEEDREAM else pieces, tmp_path, n
        )

    assert len(answer.received) == pictures
    assert seen == previews
    assert len(list((tmp_path / 'arriving').iterdir())) == pictures


async def test_a_picture_that_a_stream_lost_is_told_beside_the_others(tmp_path: Path) -> None:
    answer, _ = await streamed((*SEEDREAM, b'data: [DONE]\n\n'), tmp_path, 2)

    assert [failure.words for failure in answer.item_errors] == ['the second was refused']


async def test_a_cut_after_previews_is_a_failure(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(headers=STREAM, rest=OPENAI[:2])

        with pytest.raises(ProviderError) as caught:
            await drawn(
                server,
                tmp_path,
                GenerationRequest(prompt='a cat'),
                told=settings(server, previews=True),
            )

    assert caught.value.failure.kind is ErrorKind.TRUNCATED
    assert list((tmp_path / 'arriving').iterdir()) == []


async def test_a_server_that_does_not_stream_is_asked_without(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if 'stream' in json.loads(asked.body):
            return refusing('stream')
        return Reply(body=json.dumps({'data': [{'b64_json': LONG}]}).encode())

    async with upstream() as server:
        server.otherwise = answer

        drawing = await drawn(
            server,
            tmp_path,
            GenerationRequest(prompt='a cat'),
            told=settings(server, previews=True),
        )

    assert [sorted(body) for body in bodies(server)] == [
        ['model', 'partial_images', 'prompt', 'stream'],
        ['model', 'prompt'],
    ]
    assert drawing.dropped == ()


async def test_nothing_is_streamed_unless_that_is_set(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: Reply(headers=STREAM, body=b''.join(VLLM))

        await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))

    assert sorted(bodies(server)[0]) == ['model', 'prompt']

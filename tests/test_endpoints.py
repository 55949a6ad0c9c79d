"""An API that is not where, or not what, it was said to be: found by its own answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models.request import GenerationRequest, Size
from app.providers.core.base import Dialect
from app.providers.core.capabilities import CapabilityStore
from tests.support.fakes import Reply, upstream
from tests.support.provider_calls import B64, GONE, ONE, bodies, drawn, settings


@pytest.mark.parametrize(
    ('root', 'there'),
    [('', '/v1'), ('/v1', ''), ('/v1', '/api/v1'), ('/v1', '/v3'), ('/v1', '/engines/v1')],
)
async def test_an_api_at_another_path_is_found_by_its_list_of_models(
    root: str, there: str, tmp_path: Path
) -> None:
    memory = CapabilityStore()
    listing = Reply(body=b'{"data":[{"id":"flux"}]}')
    replies = {f'GET {there}/models': listing, f'POST {there}/images/generations': ONE}
    async with upstream(replies) as server:
        server.otherwise = lambda _: GONE
        told = settings(server, root)
        await drawn(server, tmp_path / 'one', GenerationRequest(prompt='a cat'), memory, told)
        before = len(server.asked)

        await drawn(server, tmp_path / 'two', GenerationRequest(prompt='a cat'), memory, told)

    assert [asked.target for asked in server.asked[before:]] == [f'{there}/images/generations']


async def test_an_image_server_without_an_images_api_is_asked_as_stable_diffusion_is(
    tmp_path: Path,
) -> None:
    replies = {
        'GET /sdapi/v1/sd-models': Reply(body=b'[{"title":"x.ckpt","model_name":"x"}]'),
        'POST /sdapi/v1/txt2img': Reply(body=json.dumps({'images': [B64]}).encode()),
    }
    async with upstream(replies) as server:
        server.otherwise = lambda _: GONE

        answer = await drawn(server, tmp_path, GenerationRequest(prompt='a cat'))

    assert len(answer.received) == 1
    assert len(bodies(server)) == 2


async def test_a_model_that_draws_in_chats_is_asked_in_a_chat(tmp_path: Path) -> None:
    row = {'id': 'flux', 'architecture': {'output_modalities': ['image', 'text']}}
    image = {'type': 'image_url', 'image_url': {'url': f'data:image/png;base64,{B64}'}}
    said = {'choices': [{'message': {'content': 'here', 'images': [image]}}]}
    replies = {
        'GET /v1/models': Reply(body=json.dumps({'data': [row]}).encode()),
        'POST /v1/chat/completions': Reply(body=json.dumps(said).encode()),
    }
    async with upstream(replies) as server:
        server.otherwise = lambda _: GONE

        answer = await drawn(
            server, tmp_path, GenerationRequest(prompt='a cat', size=Size(1600, 900))
        )

    assert len(answer.received) == 1
    assert bodies(server)[1]['modalities'] == ['image', 'text']
    assert bodies(server)[1]['image_config'] == {'aspect_ratio': '16:9'}


async def test_a_dialect_that_was_chosen_is_kept_to(tmp_path: Path) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: GONE

        with pytest.raises(ProviderError) as caught:
            await drawn(
                server,
                tmp_path,
                GenerationRequest(prompt='a'),
                told=settings(server, dialect=Dialect.OPENAI),
            )

    assert caught.value.failure.kind is ErrorKind.ENDPOINT_NOT_FOUND
    assert len(server.asked) == 1

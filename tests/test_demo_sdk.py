"""The embedded provider: as the official SDK meets it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from PIL import Image

from app.demo.server import create_demo
from tests.support.edited import INSIDE, SIZE, is_kept_outside, mask, mean_of, photo
from tests.support.picture_checks import from_base64, opened, png
from tests.support.servers import NO_TLS

if TYPE_CHECKING:
    from openai import AsyncOpenAI

GENERATIONS = '/v1/images/generations'


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """The demo behind a real socket."""
    listener = socket.create_server(('127.0.0.1', 0))
    server = uvicorn.Server(uvicorn.Config(create_demo(), log_level='warning', lifespan='off'))
    serving = asyncio.create_task(server.serve([listener]))
    yield f'http://127.0.0.1:{listener.getsockname()[1]}'
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
async def sdk(origin: str) -> AsyncIterator[AsyncOpenAI]:
    from openai import AsyncOpenAI  # half a second, which each process would take

    async with AsyncOpenAI(base_url=f'{origin}/v1', api_key='none', max_retries=0) as sdk:
        yield sdk


async def test_the_sdk_lists_the_models(sdk: AsyncOpenAI) -> None:
    models = (await sdk.models.list()).data

    assert [model.id for model in models] == ['sketch', 'recolour', 'ignores-mask']
    assert {(model.owned_by, str(model.to_dict()['type'])) for model in models} == {
        ('easel', 'image')
    }


async def test_the_sdk_gets_a_picture_inline(sdk: AsyncOpenAI) -> None:
    answer = await sdk.images.generate(
        prompt='hills', model='dall-e-3', size='1024x1024', response_format='b64_json'
    )

    assert answer.data
    assert from_base64(answer.data[0].b64_json).size == (1024, 1024)


async def test_the_sdk_gets_an_address_on_the_same_socket(sdk: AsyncOpenAI, origin: str) -> None:
    answer = await sdk.images.generate(prompt='hills', extra_body={'size': '64x48'})

    assert answer.data
    url = answer.data[0].url or ''
    async with httpx.AsyncClient(verify=NO_TLS) as client:
        picture = await client.get(url)
    assert url.startswith(f'{origin}/media/')
    assert opened(picture.content).size == (64, 48)


async def test_the_sdk_streams_early_states_and_then_the_picture(sdk: AsyncOpenAI) -> None:
    stream = await sdk.images.generate(
        prompt='hills', stream=True, partial_images=2, extra_body={'size': '96x64'}
    )

    async with aclosing(stream.response):
        events = [event async for event in stream]

    assert [event.type for event in events] == [
        'image_generation.partial_image',
        'image_generation.partial_image',
        'image_generation.completed',
    ]
    assert [event.to_dict().get('partial_image_index') for event in events] == [0, 1, None]
    assert {from_base64(event.b64_json).size for event in events} == {(96, 64)}
    assert events[-1].size == '96x64'


async def test_the_sdk_edits_within_a_mask(sdk: AsyncOpenAI) -> None:
    answer = await sdk.images.edit(
        image=('photo.png', png(photo()), 'image/png'),
        mask=('mask.png', png(mask()), 'image/png'),
        prompt='make it blue',
        response_format='b64_json',
        n=2,
    )

    edited = [from_base64(item.b64_json) for item in answer.data or ()]
    assert [picture.size for picture in edited] == [SIZE, SIZE]
    for picture in edited:
        assert is_kept_outside(picture)
        red, _, blue = mean_of(picture.crop(INSIDE))
        assert blue > red + 60


async def test_the_sdk_edits_one_picture_in_the_colours_of_the_others(sdk: AsyncOpenAI) -> None:
    green = Image.new('RGB', (32, 32), (30, 160, 60))
    files = [('a.png', png(photo()), 'image/png'), ('b.png', png(green), 'image/png')]

    answer = await sdk.images.edit(image=files, prompt='combine', response_format='b64_json')

    assert answer.data
    red, strong, blue = mean_of(from_base64(answer.data[0].b64_json))
    assert strong > max(red, blue) + 30


async def test_the_sdk_streams_an_edit(sdk: AsyncOpenAI) -> None:
    stream = await sdk.images.edit(
        image=[('photo.png', png(photo()), 'image/png')],
        mask=('mask.png', png(mask()), 'image/png'),
        prompt='dawn',
        stream=True,
        partial_images=1,
    )
    async with aclosing(stream.response):
        events = [event async for event in stream]

    assert [event.type for event in events] == ['image_edit.partial_image', 'image_edit.completed']
    edited = from_base64(events[-1].b64_json)
    assert is_kept_outside(edited)
    assert edited.crop(INSIDE).tobytes() != photo().crop(INSIDE).tobytes()


@pytest.mark.parametrize(
    ('model', 'error'),
    [
        ('fail-400', 'BadRequestError'),
        ('fail-401', 'AuthenticationError'),
        ('fail-403', 'PermissionDeniedError'),
        ('fail-404', 'NotFoundError'),
        ('fail-422', 'UnprocessableEntityError'),
        ('fail-429', 'RateLimitError'),
        ('fail-500', 'InternalServerError'),
    ],
)
async def test_the_sdk_raises_the_error_of_the_status(
    sdk: AsyncOpenAI, model: str, error: str
) -> None:
    import openai

    with pytest.raises(openai.APIStatusError) as caught:
        await sdk.images.generate(prompt='hills', model=model)

    assert type(caught.value).__name__ == error
    assert isinstance(caught.value.body, dict)
    assert caught.value.body['message']

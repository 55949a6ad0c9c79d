"""The embedded provider: what it draws, and how it speaks the OpenAI images API."""

import asyncio
import base64
import hashlib
import io
import socket
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import openai
import pytest
import uvicorn
from openai import AsyncOpenAI
from PIL import Image

from app.providers.demo.drawing import coarse, draw
from app.providers.demo.server import create_demo

GENERATIONS = '/v1/images/generations'
EDITS = '/v1/images/edits'


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_demo())
    async with httpx.AsyncClient(transport=transport, base_url='http://demo.local') as client:
        yield client


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
    async with AsyncOpenAI(base_url=f'{origin}/v1', api_key='none', max_retries=0) as sdk:
        yield sdk


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def from_base64(text: str | None) -> Image.Image:
    return opened(base64.b64decode(text or ''))


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, 'PNG')
    return file.getvalue()


def digest(picture: Image.Image) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()


def test_the_same_prompt_and_seed_draw_the_same_pixels() -> None:
    first = draw('a lighthouse at dusk', 7, 200, 160)

    again = draw('a lighthouse at dusk', 7, 200, 160)

    assert digest(first) == digest(again)


def test_another_seed_or_prompt_draws_another_picture() -> None:
    requests = [('hills', 1), ('hills', 2), ('холмы', 1)]

    drawn = {digest(draw(prompt, seed, 64, 64)) for prompt, seed in requests}

    assert len(drawn) == 3


@pytest.mark.parametrize(
    'prompt',
    [
        '',
        '\ud800',
        'mountains and a lake at dawn',
        'зимний лес, снегопад, ночь',
        'пустыня на закате',
        'city at night in the rain',
        'red boat, lighthouse and birds on a foggy sea',
        'a galaxy with a planet',
        'aurora over a cabin in the snow',
        'balloons over a castle and an oak tree in autumn',
        'a cat among tulips',
    ],
)
@pytest.mark.parametrize('size', [(16, 16), (300, 200), (90, 400)])
def test_every_subject_is_drawn_at_every_shape(prompt: str, size: tuple[int, int]) -> None:
    picture = draw(prompt, 3, *size)

    shades = set(picture.convert('L').tobytes())

    assert picture.size == size
    assert picture.mode == 'RGB'
    assert len(shades) > 8


@pytest.mark.parametrize('size', [(16384, 16), (16, 16384), (8000, 5000)])
def test_extreme_sizes_are_drawn(size: tuple[int, int]) -> None:
    picture = draw('море, мост', 1, *size)

    drawn_size = picture.size

    assert drawn_size == size


def test_night_is_darker_than_day() -> None:
    night = draw('mountains at night', 5, 96, 96).convert('L').resize((1, 1))

    day = draw('mountains on a sunny day', 5, 96, 96).convert('L').resize((1, 1))

    assert night.tobytes() < day.tobytes()


@pytest.mark.parametrize(('word', 'band'), [('red', 0), ('зелёные', 1), ('blue', 2)])
def test_a_named_colour_rules_the_picture(word: str, band: int) -> None:
    picture = draw(f'{word} hills in the morning', 4, 96, 96)

    mean = picture.resize((1, 1), Image.Resampling.BOX).tobytes()

    assert max(range(3), key=lambda index: mean[index]) == band


def test_a_picture_of_a_megapixel_is_quick() -> None:
    draw('warm up', 1, 64, 64)
    started = time.process_time()

    draw('foggy forest with mountains and a lake', 1, 1024, 1024)

    assert time.process_time() - started < 1.5


def test_an_early_state_is_like_the_picture_and_coarser() -> None:
    picture = draw('hills', 1, 256, 256)

    early = coarse(picture, 0.3)

    assert early.size == picture.size
    assert len(png(early)) < len(png(picture)) / 2


async def test_the_official_script_gets_an_address_that_gives_the_picture(
    client: httpx.AsyncClient,
) -> None:
    body = {'model': 'flux', 'prompt': 'hello world user', 'response_format': None}

    answer = (await client.post(GENERATIONS, json=body)).json()
    picture = await client.get(answer['data'][0]['url'])

    assert answer['model'] == 'flux'
    assert answer['provider'] == 'demo'
    assert answer['data'][0]['url'].startswith('http://demo.local/media/')
    assert picture.headers['content-type'] == 'image/png'
    assert opened(picture.content).size == (1024, 1024)


async def test_the_address_is_on_the_host_that_was_asked(client: httpx.AsyncClient) -> None:
    body = {'prompt': 'hills', 'size': '16x16'}

    answer = await client.post(GENERATIONS, json=body, headers={'Host': 'pictures.lan:8080'})

    assert answer.json()['data'][0]['url'].startswith('http://pictures.lan:8080/media/')


async def test_each_picture_of_an_answer_has_the_next_seed(client: httpx.AsyncClient) -> None:
    body = {'prompt': 'hills', 'size': '48x32', 'response_format': 'b64_json'}

    three = (await client.post(GENERATIONS, json={**body, 'n': 3, 'seed': 5})).json()['data']
    last = (await client.post(GENERATIONS, json={**body, 'seed': 7})).json()['data']

    assert len({item['b64_json'] for item in three}) == 3
    assert three[2]['b64_json'] == last[0]['b64_json']


async def test_without_a_seed_each_click_draws_another_picture(client: httpx.AsyncClient) -> None:
    body = {'prompt': 'hills', 'size': '48x32', 'response_format': 'b64_json'}

    answers = [(await client.post(GENERATIONS, json=body)).json() for _ in range(2)]

    assert answers[0]['data'][0]['b64_json'] != answers[1]['data'][0]['b64_json']


async def test_only_the_latest_pictures_are_kept(client: httpx.AsyncClient) -> None:
    body = {'prompt': 'hills', 'size': '16x16', 'n': 10}
    first = (await client.post(GENERATIONS, json={**body, 'n': 1})).json()['data'][0]['url']

    for _ in range(7):
        await client.post(GENERATIONS, json=body)
    answer = await client.get(first)

    assert answer.status_code == 404
    assert answer.json()['error']['code'] == 'not_found'


@pytest.mark.parametrize(
    ('wrong', 'param'),
    [
        ({'prompt': None}, 'prompt'),
        ({'prompt': '  '}, 'prompt'),
        ({'prompt': 5}, 'prompt'),
        ({'prompt': 'x' * 32_001}, 'prompt'),
        ({'model': ['flux']}, 'model'),
        ({'n': 0}, 'n'),
        ({'n': 11}, 'n'),
        ({'n': True}, 'n'),
        ({'n': '2'}, 'n'),
        ({'size': '15x64'}, 'size'),
        ({'size': '16385x64'}, 'size'),
        ({'size': '8000x8000'}, 'size'),
        ({'size': 'large'}, 'size'),
        ({'size': 512}, 'size'),
        ({'seed': 1.5}, 'seed'),
        ({'seed': 2**70}, 'seed'),
        ({'response_format': 'jpeg'}, 'response_format'),
        ({'response_format': ['url']}, 'response_format'),
        ({'stream': 'yes'}, 'stream'),
        ({'partial_images': 4}, 'partial_images'),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, wrong: dict[str, object], param: str
) -> None:
    body = {'model': 'flux', 'prompt': 'hills', 'size': '16x16', **wrong}

    answer = await client.post(GENERATIONS, json=body)

    assert answer.status_code == 400
    assert set(answer.json()['error']) == {'message', 'type', 'param', 'code'}
    assert answer.json()['error']['param'] == param
    assert answer.json()['error']['type'] == 'invalid_request_error'


@pytest.mark.parametrize('body', [b'', b'{', b'[]', b'"x"', b'\xff', b'[' * 100_000])
async def test_a_broken_body_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {'Content-Type': 'application/json'}

    answer = await client.post(GENERATIONS, content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()['error']['code'] == 'invalid_json'


@pytest.mark.parametrize(
    ('method', 'path', 'status'),
    [
        ('GET', '/', 404),
        ('POST', '/images/generations', 404),
        ('POST', '/v1/images/generations/', 404),
        ('GET', '/media/nothing.png', 404),
        ('GET', GENERATIONS, 405),
        ('DELETE', '/v1/models', 405),
    ],
)
async def test_a_wrong_address_is_answered_in_json(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)

    message = answer.json()['error']['message']

    assert answer.status_code == status
    assert message


async def test_half_characters_do_not_break_the_answer(client: httpx.AsyncClient) -> None:
    body = b'{"prompt": "hills \\ud83d", "model": "\\udc00", "size": "16x16"}'

    answer = await client.post(GENERATIONS, content=body)

    assert answer.status_code == 200
    assert answer.json()['data'][0]['revised_prompt'] == 'hills ?'


@pytest.mark.parametrize('status', [400, 401, 403, 404, 422, 429, 500, 502])
async def test_a_model_name_asks_for_a_refusal(client: httpx.AsyncClient, status: int) -> None:
    body = {'model': f'fail-{status}', 'prompt': 'hills'}

    answer = await client.post(GENERATIONS, json=body)

    assert answer.status_code == status
    assert answer.json()['error']['message']
    assert answer.headers.get('Retry-After') == ('20' if status == 429 else None)


@pytest.mark.parametrize(
    ('model', 'words'),
    [
        ('fail-html', '<!doctype html>'),
        ('fail-json', '{"created": 1, "data": [{"b64_js'),
        ('fail-empty', '"data":[]'),
        ('fail-not-an-image', base64.b64encode(b'<!doctype html>').decode()),
    ],
)
async def test_a_model_name_asks_for_an_unusable_answer(
    client: httpx.AsyncClient, model: str, words: str
) -> None:
    body = {'model': model, 'prompt': 'hills'}

    answer = await client.post(GENERATIONS, json=body)

    assert answer.status_code == 200
    assert words in answer.text


async def test_a_lost_picture_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post(GENERATIONS, json={'model': 'fail-lost', 'prompt': 'hills'})

    picture = await client.get(answer.json()['data'][0]['url'])

    assert picture.status_code == 404


async def test_a_slow_model_waits_and_then_draws(client: httpx.AsyncClient) -> None:
    body = {'model': 'slow-0.3', 'prompt': 'hills', 'size': '16x16'}
    started = time.monotonic()

    answer = await client.post(GENERATIONS, json=body)

    assert time.monotonic() - started >= 0.3
    assert answer.json()['data'][0]['url']


async def test_the_mask_says_where_an_edit_paints(client: httpx.AsyncClient) -> None:
    original = Image.new('RGB', (120, 80), (10, 200, 30))
    mask = Image.new('RGBA', original.size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (60, 0, 120, 80))
    form = {'prompt': 'red desert', 'response_format': 'b64_json', 'seed': '3', 'n': '1'}

    answer = await client.post(EDITS, data=form, files={'image': png(original), 'mask': png(mask)})

    edited = from_base64(answer.json()['data'][0]['b64_json'])
    assert edited.size == original.size
    assert edited.getpixel((20, 40)) == (10, 200, 30)
    assert edited.getpixel((100, 40)) != (10, 200, 30)


@pytest.mark.parametrize(
    ('files', 'param'),
    [
        ({'image': b'not a picture'}, 'image'),
        ({'image': png(Image.new('RGB', (8, 8))), 'mask': b'GIF89a'}, 'mask'),
        ({'mask': png(Image.new('RGB', (8, 8)))}, 'image'),
    ],
)
async def test_an_edit_without_a_readable_picture_is_refused(
    client: httpx.AsyncClient, files: dict[str, bytes], param: str
) -> None:
    form = {'prompt': 'hills'}

    answer = await client.post(EDITS, data=form, files=files)

    assert answer.status_code == 400
    assert answer.json()['error']['param'] == param


async def test_the_sdk_lists_the_one_model(sdk: AsyncOpenAI) -> None:
    models = (await sdk.models.list()).data

    described = [(model.id, model.owned_by, model.to_dict()['type']) for model in models]

    assert described == [('sketch', 'easel', 'image')]


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
    async with httpx.AsyncClient() as client:
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


async def test_the_sdk_edits_a_picture(sdk: AsyncOpenAI) -> None:
    original = Image.new('RGB', (64, 48), (90, 120, 200))

    answer = await sdk.images.edit(
        image=('photo.png', png(original), 'image/png'),
        prompt='sunset',
        response_format='b64_json',
    )

    assert answer.data
    edited = from_base64(answer.data[0].b64_json)
    assert edited.size == original.size
    assert edited.tobytes() != original.tobytes()


async def test_the_sdk_streams_an_edit(sdk: AsyncOpenAI) -> None:
    original = ('photo.png', png(Image.new('RGB', (64, 48))), 'image/png')

    stream = await sdk.images.edit(image=[original], prompt='dawn', stream=True, partial_images=1)
    async with aclosing(stream.response):
        kinds = [event.type async for event in stream]

    assert kinds == ['image_edit.partial_image', 'image_edit.completed']


@pytest.mark.parametrize(
    ('model', 'error'),
    [
        ('fail-400', openai.BadRequestError),
        ('fail-401', openai.AuthenticationError),
        ('fail-403', openai.PermissionDeniedError),
        ('fail-404', openai.NotFoundError),
        ('fail-422', openai.UnprocessableEntityError),
        ('fail-429', openai.RateLimitError),
        ('fail-500', openai.InternalServerError),
    ],
)
async def test_the_sdk_raises_the_error_of_the_status(
    sdk: AsyncOpenAI, model: str, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as caught:
        await sdk.images.generate(prompt='hills', model=model)

    assert isinstance(caught.value.body, dict)
    assert caught.value.body['message']

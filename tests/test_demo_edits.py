"""The embedded provider: how it edits pictures."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image, ImageChops
from starlette.types import Message, Receive, Send

from app.demo import uploads
from app.demo.painter.scene import draw
from app.demo.server import create_demo
from app.providers.transport.asgi import AsgiTransport
from tests.support.edited import INSIDE, SIZE, is_kept_outside, mask, mean_of, photo
from tests.support.picture_checks import from_base64, opened, png

EDITS = '/v1/images/edits'


@pytest.fixture(autouse=True)
def _own_brush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw as the demo does also where `running_demo` was before."""
    monkeypatch.setattr('app.demo.render.draw', draw)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = AsgiTransport(create_demo)
    async with httpx.AsyncClient(transport=transport, base_url='http://demo.local') as client:
        yield client


async def edited(client: httpx.AsyncClient, prompt: str, **fields: str) -> Image.Image:
    """Edit the photo within its mask."""
    form = {'prompt': prompt, 'response_format': 'b64_json', 'seed': '3', **fields}
    files = {'image': png(photo()), 'mask': png(mask())}
    answer = await client.post(EDITS, data=form, files=files)
    return from_base64(answer.json()['data'][0]['b64_json'])


async def test_the_mask_says_where_an_edit_paints(client: httpx.AsyncClient) -> None:
    picture = await edited(client, 'red desert')

    assert is_kept_outside(picture)
    assert picture.crop(INSIDE).tobytes() != photo().crop(INSIDE).tobytes()


@pytest.mark.parametrize(
    ('prompt', 'model', 'strongest'),
    [
        ('make it blue', 'sketch', 2),
        ('Сделай зелёным', 'sketch', 1),
        ('in sepia', 'sketch', 0),
        ('red', 'recolour', 0),
        ('a blue night in the desert', 'recolour', 2),
    ],
)
async def test_recolouring_keeps_light_and_shade(
    client: httpx.AsyncClient, prompt: str, model: str, strongest: int
) -> None:
    picture = await edited(client, prompt, model=model)

    means = mean_of(picture.crop(INSIDE))
    shades = ImageChops.difference(picture.convert('L'), photo().convert('L')).histogram()
    assert is_kept_outside(picture)
    assert means.index(max(means)) == strongest
    assert sum(shades[4:]) == 0


async def test_grey_is_a_colour_too(client: httpx.AsyncClient) -> None:
    middle = (await edited(client, 'black and white')).crop((48, 24, 64, 48))

    red, green, blue = mean_of(middle)
    assert red == green == blue


@pytest.mark.parametrize('prompt', ['make it blue', 'a snowy forest'])
async def test_a_model_ignores_the_mask(client: httpx.AsyncClient, prompt: str) -> None:
    picture = await edited(client, prompt, model='ignores-mask')

    assert not is_kept_outside(picture)


async def test_a_weak_edit_changes_little(client: httpx.AsyncClient) -> None:
    none, half, whole = [
        mean_of((await edited(client, 'blue', strength=strength)).crop(INSIDE))[2]
        for strength in ('0', '0.5', '1')
    ]

    assert none == mean_of(photo().crop(INSIDE))[2]
    assert half == pytest.approx((none + whole) / 2, abs=1)


async def test_the_size_that_is_asked_for_is_cut_from_the_middle(client: httpx.AsyncClient) -> None:
    picture = await edited(client, 'blue', size='64x64')

    assert picture.size == (64, 64)
    assert picture.crop((0, 0, 64, 15)).tobytes() == photo().crop((16, 0, 80, 15)).tobytes()


async def test_an_edit_is_taken_as_json(client: httpx.AsyncClient) -> None:
    body = {
        'prompt': 'make it blue',
        'images': [{'image_url': data_url(photo())}],
        'mask': {'image_url': data_url(mask())},
        'response_format': 'b64_json',
        'strength': 1,
    }

    answer = await client.post(EDITS, json=body)

    picture = from_base64(answer.json()['data'][0]['b64_json'])
    assert is_kept_outside(picture)
    assert picture.crop(INSIDE).tobytes() != photo().crop(INSIDE).tobytes()


@pytest.mark.parametrize(
    ('body', 'param'),
    [
        ({}, 'images'),
        ({'images': 'a'}, 'images'),
        ({'images': [{'image_url': 'https://example.com/a.png'}]}, 'images[0]'),
        ({'images': [{'file_id': 'file-1'}]}, 'images[0]'),
        ({'images': [{'image_url': 'data:image/png;base64,%'}]}, 'images[0]'),
        ({'images': ['a']}, 'images[0]'),
        ({'images': [{'image_url': 'data:image/png;base64,'}] * 17}, 'images'),
    ],
)
async def test_json_without_pictures_in_it_is_refused(
    client: httpx.AsyncClient, body: dict[str, object], param: str
) -> None:
    answer = await client.post(EDITS, json={'prompt': 'blue', **body})

    assert answer.status_code == 400
    assert answer.json()['error']['param'] == param


@pytest.mark.parametrize(
    ('files', 'param', 'code'),
    [
        ({'image': b'not a picture'}, 'image', 'invalid_image'),
        ({'image': png(photo()), 'mask': b'GIF89a'}, 'mask', 'invalid_image'),
        ({'mask': png(mask())}, 'image', 'missing_parameter'),
    ],
)
async def test_an_edit_without_a_readable_picture_is_refused(
    client: httpx.AsyncClient, files: dict[str, bytes], param: str, code: str
) -> None:
    answer = await client.post(EDITS, data={'prompt': 'hills'}, files=files)

    assert answer.status_code == 400
    assert (answer.json()['error']['param'], answer.json()['error']['code']) == (param, code)


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        (mask('L'), 'mask image missing alpha channel'),
        (mask('RGB'), 'mask image missing alpha channel'),
        (mask(size=(95, 64)), 'mask size does not match image size'),
    ],
)
async def test_a_mask_is_refused_as_openai_refuses_it(
    client: httpx.AsyncClient, wrong: Image.Image, words: str
) -> None:
    files = {'image': png(photo()), 'mask': png(wrong)}

    answer = await client.post(EDITS, data={'prompt': 'hills'}, files=files)

    assert answer.status_code == 400
    assert answer.json()['error'] == {
        'message': f'Invalid mask image format - {words}',
        'type': 'invalid_request_error',
        'param': 'mask',
        'code': 'invalid_mask_image_format',
    }


async def test_more_than_sixteen_pictures_are_refused(client: httpx.AsyncClient) -> None:
    files = [('image[]', png(photo()))] * 17

    answer = await client.post(EDITS, data={'prompt': 'hills'}, files=files)

    assert answer.status_code == 400
    assert answer.json()['error']['code'] == 'array_above_max_length'


@pytest.mark.parametrize('limit', ['_FORM_LIMIT_BYTES', '_UPLOAD_LIMIT_BYTES'])
async def test_an_upload_that_is_too_large_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(uploads, limit, 100)

    answer = await client.post(EDITS, data={'prompt': 'hills'}, files={'image': png(photo())})

    assert answer.status_code == 413


async def test_json_that_is_too_large_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, '_JSON_EDIT_LIMIT_BYTES', 100)
    body = {'prompt': 'blue', 'images': [{'image_url': data_url(photo())}]}

    answer = await client.post(EDITS, json=body)

    assert answer.status_code == 413


async def test_an_edit_has_the_size_of_its_picture_and_an_address(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(
        EDITS, data={'prompt': 'hills'}, files={'image': png(photo()), 'mask': png(mask())}
    )

    picture = await client.get(answer.json()['data'][0]['url'])

    assert opened(picture.content).size == SIZE


async def test_a_body_goes_inside_only_as_fast_as_it_is_read() -> None:
    sent: list[int] = []

    async def blocks() -> AsyncIterator[bytes]:
        for number in range(3):
            sent.append(number)
            yield b'a block'

    async def app(_scope: Message, receive: Receive, send: Send) -> None:
        first = await receive()
        sent_then = bytes(sent)
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': first['body'] + sent_then})

    transport = AsgiTransport(lambda: app)
    async with httpx.AsyncClient(transport=transport, base_url='http://inside') as inside:
        answer = await inside.post('/', content=blocks())

    assert answer.content == b'a block\0'


def data_url(picture: Image.Image) -> str:
    return f'data:image/png;base64,{base64.b64encode(png(picture)).decode()}'

"""The embedded provider: how it speaks the OpenAI images API."""

import base64
import threading
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image

from app.demo.painter.scene import draw
from app.demo.server import create_demo
from tests.support.picture_checks import opened, png

GENERATIONS = '/v1/images/generations'


@pytest.fixture(autouse=True)
def _own_brush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw as the demo does also where `running_demo` was before."""
    monkeypatch.setattr('app.demo.render.draw', draw)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_demo())
    async with httpx.AsyncClient(transport=transport, base_url='http://demo.local') as client:
        yield client


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


async def test_the_end_of_the_process_waits_for_no_sketch(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def noted(_: object, __: int) -> list[bytes]:
        threads.append(threading.current_thread())
        return [png(Image.new('RGB', (16, 16)))]

    monkeypatch.setattr('app.demo.render.draw_stages', noted)

    await client.post(GENERATIONS, json={'prompt': 'hills', 'size': '16x16'})

    assert [thread.daemon for thread in threads] == [True]


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


async def test_only_the_latest_pictures_are_kept(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('app.demo.render.draw_stages', lambda *_: [b'a picture'])
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

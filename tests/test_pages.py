"""The pages and acts of a running server, over a socket."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.servers import Easel

IMAGE_FIELDS = {
    *('id', 'generation_id', 'position', 'prompt', 'negative_prompt', 'revised_prompt'),
    *('provider', 'model', 'asked_size', 'width', 'height', 'mime', 'size_bytes', 'digest'),
    *('cost', 'seed', 'url', 'thumb_url', 'source_url', 'favourite', 'tags', 'created_at'),
    *('albums', 'parent_id', 'sources', 'changed_outside_mask'),
}
GENERATION_FIELDS = {
    *('id', 'status', 'attempt', 'prompt', 'provider', 'model', 'size', 'n', 'seed'),
    *('response_format', 'progress', 'dropped', 'item_errors', 'error', 'images'),
    *('created_at', 'started_at', 'finished_at'),
}


@pytest.fixture
def client(easel: Easel) -> Iterator[httpx.Client]:
    with easel.client() as client:
        yield client


def draw(easel: Easel, **fields: str) -> dict[str, object]:
    generation = easel.draw(**{'prompt': 'a fox', 'size': '64x48', **fields})
    assert generation['status'] == 'done', generation
    images = generation['images']
    assert isinstance(images, list)
    first: dict[str, object] = images[0]
    return first


def test_a_prompt_becomes_a_kept_picture(easel: Easel, client: httpx.Client) -> None:
    image = draw(easel, prompt='a lighthouse', size='96x64', seed='7')

    file = client.get(str(image['url']))
    thumb = client.get(str(image['thumb_url']))

    assert file.content.startswith(b'\x89PNG')
    assert file.headers['content-type'] == 'image/png'
    assert 'immutable' in file.headers['cache-control']
    assert 'sandbox' in file.headers['content-security-policy']
    assert thumb.content[8:12] == b'WEBP'
    assert (image['width'], image['height'], image['asked_size']) == (96, 64, '96x64')
    assert set(image) == IMAGE_FIELDS


@pytest.mark.parametrize('response_format', ['', 'url', 'b64_json'])
def test_every_response_format_gives_a_picture(easel: Easel, response_format: str) -> None:
    image = draw(easel, response_format=response_format)

    fetched = image['source_url'] is not None

    assert fetched == (response_format != 'b64_json')


def test_a_generation_has_exactly_the_public_fields(easel: Easel) -> None:
    generation = easel.draw(prompt='a fox', size='32x32', n='2')

    images = generation['images']

    assert set(generation) == GENERATION_FIELDS
    assert isinstance(images, list)
    assert [image['position'] for image in images] == [0, 1]


def test_a_known_file_is_not_sent_twice(easel: Easel, client: httpx.Client) -> None:
    url = str(draw(easel)['url'])
    first = client.get(url)

    again = client.get(url, headers={'If-None-Match': first.headers['etag']})

    assert again.status_code == 304
    assert again.content == b''


def test_the_same_submission_is_drawn_once(easel: Easel, client: httpx.Client) -> None:
    form = {'prompt': 'once', 'size': '32x32', 'submission': 'mark-1'}

    places = {client.post('/generations', data=form).headers['location'] for _ in range(5)}
    other = client.post('/generations', data={**form, 'prompt': 'something else'})

    assert len(places) == 1
    assert other.status_code == 409


def test_without_a_mark_every_submission_is_new(client: httpx.Client) -> None:
    form = {'prompt': 'twice', 'size': '32x32'}

    places = {client.post('/generations', data=form).headers['location'] for _ in range(2)}

    assert len(places) == 2


@pytest.mark.parametrize(
    ('fields', 'wrong'),
    [
        ({'prompt': ''}, 'prompt'),
        ({'prompt': 'x' * 32_001}, 'prompt'),
        ({'prompt': 'x', 'size': '12x12'}, 'size'),
        ({'prompt': 'x', 'size': 'large'}, 'size'),
        ({'prompt': 'x', 'n': '11'}, 'n'),
        ({'prompt': 'x', 'seed': '-2'}, 'seed'),
        ({'prompt': 'x', 'response_format': 'jpeg'}, 'response_format'),
    ],
)
def test_what_can_not_be_meant_comes_back_with_a_word(
    client: httpx.Client, fields: dict[str, str], wrong: str
) -> None:
    page = client.post('/generations', data={**fields, 'negative_prompt': 'keep <me>'})

    as_json = client.post('/generations', data=fields, headers={'Accept': 'application/json'})

    assert page.status_code == 422
    assert f'id="wrong-{wrong}"' in page.text
    assert 'keep &lt;me&gt;' in page.text
    assert list(as_json.json()['error']['fields']) == [wrong]


def test_a_fragment_is_answered_to_a_script(client: httpx.Client) -> None:
    answer = client.post(
        '/generations', data={'prompt': 'x', 'size': '32x32'}, headers={'X-Fragment': 'true'}
    )

    assert answer.status_code == 201
    assert answer.text.startswith('<live-generation')


def test_a_deleted_picture_keeps_its_page_and_comes_back(
    easel: Easel, client: httpx.Client
) -> None:
    image = draw(easel, prompt='to the trash')
    page = f'/images/{image["id"]}'

    deleted = client.post(f'{page}/deletion')
    gone = (client.get(str(image['url'])).status_code, client.get(page).status_code)
    client.post(f'{page}/restoration')

    assert deleted.headers['location'] == page
    assert gone == (404, 200)
    assert client.get(str(image['url'])).status_code == 200


def test_deleting_goes_on_to_the_older_one_then_the_newer_then_the_gallery(
    easel: Easel, client: httpx.Client
) -> None:
    older, newer = (draw(easel, prompt='to go on from')['id'] for _ in range(2))
    query = '?q=to+go+on+from'

    ways = [
        client.post(f'/images/{number}/deletion{query}&then=next').headers['location']
        for number in (newer, older)
    ]
    client.post(f'/images/{newer}/restoration')
    back = client.post(f'/images/{older}/deletion{query}&then=next').headers['location']
    pages = [client.get(way) for way in (*ways, back, f'/images/{newer}?undo={newer}')]

    assert ways == [f'/images/{older}{query}&undo={newer}', f'/gallery{query}&undo={older}']
    assert back == f'/images/{newer}{query}&undo={older}'
    undone = [re.findall(r'action="([^"]*)"[^>]*data-act="restoration', one.text) for one in pages]
    form = '/images/{}/restoration?then=page&amp;q=to+go+on+from'
    assert undone[1:] == [[form.format(older)], [form.format(older)], []]


@pytest.mark.parametrize(
    ('act', 'then', 'start'),
    [('favourite', '', '<figure'), ('favourite', '?then=page', '<picture-keys')],
)
def test_an_act_answers_a_script_with_the_tile_or_the_page_it_asks_for(
    act: str, then: str, start: str, easel: Easel, client: httpx.Client
) -> None:
    image = draw(easel, prompt='acted on')

    answer = client.post(
        f'/images/{image["id"]}/{act}{then}', headers={'X-Fragment': 'true'}, follow_redirects=True
    )

    assert answer.text.startswith(start)


def test_a_file_gone_from_the_disk_is_410_and_its_page_says_so(
    easel: Easel, client: httpx.Client
) -> None:
    image = draw(easel, prompt='vanishing', seed='404')
    next((easel.data / 'images').rglob('*vanishing*')).unlink()

    file = client.get(str(image['url']))
    page = client.get(f'/images/{image["id"]}')

    assert file.status_code == 410
    assert "isn't in the data folder" in page.text


def test_a_cut_file_is_410_and_its_page_says_so(easel: Easel, client: httpx.Client) -> None:
    image = draw(easel, prompt='cut', seed='410')
    whole = client.get(str(image['url']))
    path = next((easel.data / 'images').rglob('*-cut-*'))
    path.write_bytes(path.read_bytes()[:-1])

    file = client.get(str(image['url']), headers={'If-None-Match': whole.headers['etag']})
    page = client.get(f'/images/{image["id"]}')

    assert file.status_code == 410
    assert 'damaged' in file.text
    assert "This picture's file is damaged" in page.text


def test_the_gallery_finds_words_and_marks(easel: Easel, client: httpx.Client) -> None:
    image = draw(easel, prompt='Тихая гавань, рассвет')
    client.post(f'/images/{image["id"]}/favourite')

    found = client.get('/gallery.json', params={'q': 'гаван', 'favourite': '1'}).json()
    nothing = client.get('/gallery.json', params={'q': 'гавань "NEAR('}).json()

    assert [one['id'] for one in found['images']] == [image['id']]
    assert found['images'][0]['favourite'] is True
    assert nothing['images'] == []


@pytest.mark.parametrize('address', ['/nope', '/images/0', '/images/999999', '/generations/x'])
def test_an_unknown_address_is_a_page_and_json_alike(client: httpx.Client, address: str) -> None:
    page = client.get(address)
    as_json = client.get(address, headers={'Accept': 'application/json'})

    assert (page.status_code, as_json.status_code) == (404, 404)
    assert 'Back to Create' in page.text
    assert as_json.json()['error']['kind'] == 'not_found'


def test_static_files_are_immutable_and_compressed(client: httpx.Client) -> None:
    page = client.get('/').text
    sheet = re.findall(r'href="(/static/[^"]+\.css)"', page)[0]

    answer = client.get(sheet)

    assert 'immutable' in answer.headers['cache-control']
    assert answer.headers['content-encoding'] == 'gzip'
    assert '@layer' in answer.text


def test_health_says_ok(client: httpx.Client) -> None:
    assert client.get('/health').json()['status'] == 'ok'


def test_russian_by_the_browser_or_by_the_switch(client: httpx.Client) -> None:
    asked = client.get('/', headers={'Accept-Language': 'ru-RU,ru;q=0.9,en;q=0.5'}).text
    client.post('/settings', data={'language': 'ru', 'theme': 'dark'})

    switched = client.get('/').text

    assert '<html lang="ru">' in asked
    assert '<html lang="ru" data-theme="dark">' in switched


def test_lost_thumbnails_are_made_again(easel: Easel, client: httpx.Client) -> None:
    image = draw(easel, prompt='thumbless', seed='31')
    for thumb in (easel.data / 'thumbs').rglob(f'{image["digest"]}-*.webp'):
        thumb.unlink()

    answer = client.get(str(image['thumb_url']))

    assert answer.status_code == 200
    assert answer.content[8:12] == b'WEBP'


@pytest.mark.parametrize('address', ['/', '/gallery', '/health'])
def test_head_answers_as_get_does_without_a_body(client: httpx.Client, address: str) -> None:
    answer = client.head(address)

    assert answer.status_code == 200
    assert answer.content == b''

"""A data folder that commit a769895 wrote: it opens, and everything in it is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.servers import CLOSED_PORT_URL, ROOT, command, running_easel

WRITTEN = ROOT / 'tests' / 'data' / 'a769895'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN, tmp_path / 'data'))


@pytest.fixture(scope='module')
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = Path(shutil.copytree(WRITTEN, tmp_path_factory.mktemp('older') / 'data'))
    with running_easel(data, {'EASEL_API_URL': CLOSED_PORT_URL}) as easel, easel.client() as client:
        yield client


def found(client: httpx.Client, query: str = '') -> dict[int, str]:
    images = client.get(f'/gallery.json?{query}').json()['images']
    return {image['id']: image['prompt'] for image in images}


def test_its_gallery_shows_every_picture_but_the_deleted_one(client: httpx.Client) -> None:
    shown = found(client)
    deleted = found(client, 'deleted=1')
    favourites = found(client, 'favourite=1')

    assert shown == {3: 'an old boat on a lake', 1: 'a red fox in the snow'}
    assert deleted == {2: 'a lighthouse at dusk'}
    assert favourites == {1: 'a red fox in the snow'}


def test_its_pictures_are_found_by_words_and_served(client: httpx.Client) -> None:
    image = client.get('/gallery.json?q=fox+sno').json()['images'][0]

    file, page = client.get(image['url']), client.get('/gallery')

    assert image['negative_prompt'] == 'blur'
    assert file.headers['content-type'] == 'image/png'
    assert file.content.startswith(b'\x89PNG')
    assert 'a red fox in the snow' in page.text


def test_its_failed_generation_still_says_why(client: httpx.Client) -> None:
    failed = client.get('/generations/4.json').json()
    calls = client.get('/generations/4/attempts')

    assert failed['status'] == 'failed'
    assert failed['error']['kind'] == 'moderation'
    assert 'rejected by the safety system' in failed['error']['message']
    assert 'fail-400' in calls.text


def test_its_guest_is_known(client: httpx.Client) -> None:
    shared = client.get('/share')

    assert 'Anna' in shared.text


def test_a_new_generation_follows_the_old_ones(client: httpx.Client) -> None:
    sent = client.post('/generations', data={'prompt': 'new', 'size': '16x16'})

    assert sent.status_code == 303
    assert sent.headers['location'].endswith('-5')


def test_its_database_can_be_rebuilt_from_the_pictures(data: Path) -> None:
    done = command('rebuild', '--data', str(data))
    with running_easel(data, {'EASEL_API_URL': CLOSED_PORT_URL}) as easel, easel.client() as client:
        images = client.get('/gallery.json').json()['images']

    assert done.returncode == 0, done.stderr
    assert [(image['id'], image['generation_id']) for image in images] == [(3, 3), (2, 2), (1, 1)]

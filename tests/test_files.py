"""Originals and thumbnails: one fixed type each, no script, no link followed, a safe name."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.storage.files import open_beneath, write_private
from tests.support.servers import Easel, running_easel

CANARY = b'a canary that nobody may read'
SERVED = {'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'}
PROMPT = 'Кот "../../etc" ; filename=x\r\nX-Evil: 1 💥'


@pytest.fixture
def drawn(easel: Easel) -> tuple[str, Path]:
    """Draw a picture; gives its address and its file."""
    images = easel.draw(prompt=PROMPT, size='32x32')['images']
    assert isinstance(images, list)
    address = str(images[0]['url'])
    with easel.client() as client:
        page = client.get(f'/images/{images[0]["id"]}.json').json()
    digest = str(page['digest'])
    found = [file for file in (easel.data / 'images').rglob('*.*') if file.is_file()]
    newest = max(found, key=lambda file: file.stat().st_mtime_ns)
    assert digest in address
    return address, newest


@pytest.fixture
def client(easel: Easel) -> Iterator[httpx.Client]:
    with easel.client() as client:
        yield client


def test_cve_2024_47872_a_picture_is_served_as_nothing_but_a_picture(
    client: httpx.Client, drawn: tuple[str, Path]
) -> None:
    answer = client.get(drawn[0])

    assert answer.headers['content-type'] in SERVED
    assert answer.headers['x-content-type-options'] == 'nosniff'
    assert answer.headers['content-security-policy'] == "default-src 'none'; sandbox"
    assert answer.headers['cross-origin-resource-policy'] == 'same-origin'


def test_cve_2026_22777_a_prompt_can_write_no_header(
    client: httpx.Client, drawn: tuple[str, Path]
) -> None:
    named = client.get(drawn[0]).headers['content-disposition']

    plain = named.partition('filename="')[2].partition('"')[0]
    assert named.startswith('inline; filename="')
    assert named.isascii()
    assert '%D0%BA' in named.partition("filename*=UTF-8''")[2]
    assert not set(plain) & set('\\/";\r\n')
    assert 'x-evil' not in client.get(drawn[0]).headers


def test_a_part_of_a_picture_can_be_asked_for(
    client: httpx.Client, drawn: tuple[str, Path]
) -> None:
    whole = drawn[1].read_bytes()

    part = client.get(drawn[0], headers={'Range': 'bytes=10-19'})
    behind = client.get(drawn[0], headers={'Range': 'bytes=99999999-'})

    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers['content-range'] == f'bytes 10-19/{len(whole)}'
    assert (behind.status_code, behind.content) == (416, b'')
    assert behind.headers['content-range'] == f'bytes */{len(whole)}'


def test_thumbnails_at_hand_keep_their_place_among_other_answers(easel: Easel) -> None:
    images = easel.draw(prompt='a lake', size='48x32')['images']
    assert isinstance(images, list)
    asked = f'GET {images[0]["thumb_url"]} HTTP/1.1\r\nHost: localhost\r\n'
    health = 'GET /health HTTP/1.1\r\nHost: localhost\r\n'
    with easel.client() as client:
        thumb = client.get(images[0]['thumb_url']).content

    port = int(easel.url.rpartition(':')[2])
    with socket.create_connection(('127.0.0.1', port), timeout=10) as connection:
        for half in (asked[:30], f'{asked[30:]}\r\n{asked}\r\n{health}\r\n{asked}\r\n'):
            connection.sendall(half.encode())
        connection.sendall(f'{asked}Connection: close\r\n\r\n'.encode())
        with connection.makefile('rb') as file:
            answers = file.read()

    places = [found.start() for found in re.finditer(re.escape(thumb), answers)]
    assert answers.count(b'HTTP/1.1 200 OK') == 5
    assert len(places) == 4
    assert places[1] < answers.index(b'application/json') < places[2]
    assert answers.count(b'\r\ndate: ') == 5


@pytest.mark.parametrize('what', ['file', 'folder', 'images'])
def test_row_49_a_link_in_the_place_of_a_picture_is_not_followed(
    tmp_path: Path, upstream: str, what: str
) -> None:
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}) as easel:
        images = easel.draw(prompt='a cat', size='32x32')['images']
        assert isinstance(images, list)
        (file,) = (easel.data / 'images').rglob('*.png')
        place = {'file': file, 'folder': file.parent, 'images': easel.data / 'images'}[what]
        canary = tmp_path / 'canary'
        canary.mkdir()
        if what == 'file':
            (canary / 'c').write_bytes(CANARY)
            place.unlink()
            place.symlink_to(canary / 'c')
        else:
            (canary / file.relative_to(place)).parent.mkdir(parents=True, exist_ok=True)
            (canary / file.relative_to(place)).write_bytes(CANARY)
            place.rename(tmp_path / 'away')  # at one stroke: Easel tries out its folders
            place.symlink_to(canary)
        (easel.data / 'thumbs').rename(tmp_path / 'thumbs')

        with easel.client() as client:
            original = client.get(images[0]['url'])
            thumb = client.get(images[0]['thumb_url'])

    assert original.status_code == 410
    assert thumb.status_code == 410
    assert CANARY not in original.content + thumb.content


def test_a_folder_in_the_place_of_a_picture_is_gone_and_not_unchanged(
    client: httpx.Client, drawn: tuple[str, Path]
) -> None:
    address, file = drawn
    file.unlink()
    file.mkdir()

    assert client.get(address).status_code == 410


@pytest.mark.parametrize(
    'address',
    [
        '/files/../easel.db',
        '/files/%2e%2e/easel.db',
        '/files/%252e%252e/easel.db',
        '/files/..%5ceasel.db',
        '/files/http://127.0.0.1:9/',
        '/files/%68ttp://evil.test/a.png',
        '/files//evil.test',
        f'/files/{"a" * 64}.png::$DATA',
        f'/files/{"A" * 64}.png',
        f'/files/{"a" * 64}.png.',
        f'/files/{"a" * 64}.svg',
        f'/files/{"a" * 64}.png/x',
        f'/thumbs/{"a" * 64}-481.webp',
        '/files/CON',
        '/files/%00',
        '/static/../easel.db',
        '/static/x/%2e%2e/%2e%2e/easel.db',
    ],
)
def test_cve_2024_1561_no_spelling_leads_to_another_file(
    client: httpx.Client, address: str
) -> None:
    answer = client.get(httpx.URL(client.base_url, raw_path=address.encode()))

    assert answer.status_code == 404
    assert 'location' not in answer.headers
    assert b'SQLite' not in answer.content


def test_a_link_below_the_root_is_refused_and_the_root_may_be_one(tmp_path: Path) -> None:
    (tmp_path / 'real' / 'a').mkdir(parents=True)
    (tmp_path / 'real' / 'a' / 'b').write_bytes(CANARY)
    (tmp_path / 'root').symlink_to(tmp_path / 'real')
    (tmp_path / 'real' / 'link').symlink_to(tmp_path / 'real' / 'a')
    root = tmp_path / 'root'

    with os.fdopen(open_beneath(root, root / 'a' / 'b'), 'rb') as opened:
        read = opened.read()
    with pytest.raises(OSError):
        open_beneath(root, root / 'link' / 'b')

    assert read == CANARY


def test_what_is_not_below_the_root_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        open_beneath(tmp_path, tmp_path.parent / 'x')


def test_a_private_file_that_can_not_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / 'keys.json').mkdir()

    with pytest.raises(OSError):
        write_private(tmp_path / 'keys.json', 'a secret')

    assert [path.name for path in tmp_path.iterdir()] == ['keys.json']


@pytest.mark.skipif(not Path('/proc/self/fd').exists(), reason='reads /proc')
def test_opening_what_is_deep_below_leaves_no_folder_open(tmp_path: Path) -> None:
    deep = tmp_path / 'a' / 'b' / 'c'
    deep.mkdir(parents=True)
    (deep / 'file').touch()
    before = sorted(path.name for path in Path('/proc/self/fd').iterdir())

    os.close(open_beneath(tmp_path, deep / 'file'))

    assert sorted(path.name for path in Path('/proc/self/fd').iterdir()) == before

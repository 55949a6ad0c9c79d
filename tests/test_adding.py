"""Pictures that the owner adds by a form: dropped, chosen, or sent by our own command."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.cli.import_there import send_there
from app.gallery.folder_import import ImportReport
from app.gallery.importing import Taken
from app.storage.metadata.container import sidecar_of
from app.storage.metadata.copies import embed
from tests.support.labelled_pictures import LABEL, saved
from tests.support.raw_requests import open_door

JSON = {'Accept': 'application/json'}
PICTURES = [
    ('modified', (None, b'1000000000000')),
    ('picture', ('from me.png', saved('PNG'))),
    ('picture', ('again.png', saved('PNG'))),
    ('picture', ('letter.txt', b'dear reader')),
]


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(tmp_path / 'data') as (app, _):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
            yield client
    assert list((tmp_path / 'data/arriving').iterdir()) == []


async def test_what_came_is_told_and_what_did_not_with_its_reason(
    client: httpx.AsyncClient,
) -> None:
    told = (await client.post('/images', files=PICTURES, headers=JSON)).json()

    [new], [known], [refused] = told['images'], told['known'], told['refused']
    assert new['created_at'] == 1_000_000_000
    assert known['id'] == new['id']
    assert refused == {
        'name': 'letter.txt',
        'message': "isn't a PNG, JPEG, WebP, GIF or AVIF (unknown)",
    }
    assert (await client.get(new['url'])).content == saved('PNG')
    page = (await client.get(f'/images/{new["id"]}')).text
    assert 'imported' in page
    assert '<title>from-me · Easel</title>' in page


async def broken_off(content: bytes) -> AsyncIterator[bytes]:
    """Send a form in two pieces: a whole picture, and what is no form."""
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
    yield head + content + b'\r\n--b\r\n'
    yield b'\0'


async def test_open_galleries_are_told_of_what_came_before_a_form_broke_off(tmp_path: Path) -> None:
    form = {'Content-Type': 'multipart/form-data; boundary=b'}
    async with open_door(tmp_path / 'data') as (app, services):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
            for path, content in (('/images', saved('PNG')), ('/sources', saved('PNG', 'L'))):
                answer = await client.post(path, content=broken_off(content), headers=form)

                newest = await services.library.images.one(
                    await services.library.images.newest_id()
                )
                assert (answer.status_code, newest.size_bytes) == (400, len(content))
                assert services.changes.serial_of(newest.generation_id)


async def test_a_form_leads_back_to_the_gallery_or_says_what_is_wrong(
    client: httpx.AsyncClient,
) -> None:
    whole = await client.post('/images', files=PICTURES[:2])
    partly = await client.post('/images', files=PICTURES)
    none = await client.post('/images', files=[('picture', ('', b''))])

    assert (whole.status_code, whole.headers['location']) == (303, '/gallery')
    assert partly.status_code == 200
    assert 'letter.txt' in partly.text
    assert none.status_code == 422


async def test_what_is_known_but_in_the_trash_is_told(client: httpx.AsyncClient) -> None:
    await client.post('/images', files=PICTURES[1:2])
    await client.post('/images/1/deletion')

    answer = await client.post('/images', files=PICTURES[1:2])

    assert answer.status_code == 200
    assert '1 of them is in the trash' in answer.text


async def test_a_form_of_which_nothing_came_is_a_failure(client: httpx.AsyncClient) -> None:
    answer = await client.post('/images', files=PICTURES[3:], headers=JSON)
    page = await client.post('/images', files=PICTURES[3:])

    message = "letter.txt isn't a PNG, JPEG, WebP, GIF or AVIF (unknown)"
    assert answer.status_code == page.status_code == 422
    assert answer.json()['error'] == {'kind': 'invalid_request', 'message': message, 'fields': {}}
    assert 'letter.txt' in page.text


async def test_what_a_form_has_besides_is_left_alone(client: httpx.AsyncClient) -> None:
    odd = (None, '²'.encode('latin-1'))
    letter = ('letter.txt', b'dear reader')

    answer = await client.post('/images', files=[('modified', odd), ('x', letter), PICTURES[1]])
    nowhere = await client.post('/images', files=[('album', odd)])

    assert (answer.status_code, nowhere.status_code) == (303, 404)


async def test_a_label_that_precedes_its_picture_is_read_with_it(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / 'plain.gif').write_bytes(saved('GIF'))
    embed(tmp_path / 'plain.gif', tmp_path / 'fox.gif', replace(LABEL, image_id=23))
    files = [
        ('picture', (path.name, path.read_bytes()))
        for path in (sidecar_of(tmp_path / 'fox.gif'), tmp_path / 'fox.gif')
    ]

    told = (await client.post('/images', files=files, headers=JSON)).json()

    [image] = told['images']
    assert (image['id'], image['prompt'], image['provider']) == (23, LABEL.prompt, LABEL.provider)
    assert told['refused'] == []


async def test_a_file_that_is_too_large_costs_no_other(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('app.storage.files.MOST_IMAGE_BYTES', len(saved('PNG')))
    files = [('picture', ('a.bmp', saved('BMP'))), ('picture', ('b.png', saved('PNG')))]

    told = (await client.post('/images', files=files, headers=JSON)).json()

    assert [one['message'] for one in told['refused']] == ['is over 64 MiB']
    assert len(told['images']) == 1


async def test_what_is_added_to_an_album_is_in_it_also_if_it_was_there_before(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    picture = tmp_path / os.fsdecode(b'fox\xff.png')  # which no form can hold
    picture.write_bytes(saved('PNG'))
    report = ImportReport(lambda name, reason: None)
    made = await client.post('/albums', data={'name': 'Foxes'})
    address = made.headers['location']
    await client.post('/images', files=PICTURES[:2])

    await send_there(client, [picture], report, {'album': address.rpartition('=')[2]})

    assert report.counts[Taken.KNOWN] == 1
    shown = (await client.get(address.replace('/gallery', '/gallery.json'))).json()['images']
    assert len(shown) == 1


async def test_the_command_sends_a_running_server_what_it_has_not(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / 'from').mkdir()
    (tmp_path / 'from/fox.png').write_bytes(saved('PNG'))
    (tmp_path / 'from/letter.png').write_bytes(b'dear reader')
    report = ImportReport(lambda name, reason: None)

    for _ in range(2):
        await send_there(client, sorted((tmp_path / 'from').iterdir()), report, {})

    assert report.counts == {Taken.NEW: 1, Taken.KNOWN: 1, Taken.REFUSED: 2}

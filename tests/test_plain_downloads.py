"""A picture is downloaded without its settings: by one link, or always, as a visitor chose."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.support.guests import JSON, Party, party
from tests.test_picture_links import TOLD

CHOSEN = (b'cookie', b'easel-download=plain')


@pytest_asyncio.fixture
async def guests(tmp_path: Path) -> AsyncIterator[Party]:
    async with party(tmp_path / 'data') as opened:
        yield opened


@pytest.mark.parametrize('form', ['PNG', 'JPEG', 'WEBP', 'GIF'])
async def test_a_plain_download_says_nothing_of_the_prompt_in_file_and_name(
    tmp_path: Path, form: str
) -> None:
    async with party(tmp_path / 'data', form) as guests:
        number = guests.made['owner']
        answer = await guests.request('owner', 'GET', f'/images/{number}/plain')
        image = await guests.services.library.images.one(number)

    assert answer.status == 200
    assert [words for words in TOLD if words in answer.body] == []
    assert answer.headers['content-type'] == image.mime
    assert (
        answer.headers['content-disposition']
        == f'attachment; filename="picture-{number}.{image.extension}"'
    )


async def test_what_can_not_be_taken_out_is_said_and_not_offered(tmp_path: Path) -> None:
    async with party(tmp_path / 'data', 'AVIF') as guests:
        number = guests.made['owner']
        answer = await guests.request('owner', 'GET', f'/images/{number}/plain', JSON)
        page = await guests.request('owner', 'GET', f'/images/{number}', CHOSEN)

    assert answer.status == 409
    assert b"can't be removed" in answer.body
    assert f'/images/{number}/plain'.encode() not in page.body


@pytest.mark.parametrize(
    ('who', 'status'), [('looker', 200), ('both', 200), ('maker', 404), ('', 401)]
)
async def test_a_plain_download_is_for_those_who_see_the_picture(
    guests: Party, who: str, status: int
) -> None:
    answer = await guests.request(who, 'GET', f'/images/{guests.made["owner"]}/plain')

    assert answer.status == status


async def test_nothing_in_the_trash_is_downloaded(guests: Party) -> None:
    number = guests.made['owner']
    await guests.request('owner', 'POST', f'/images/{number}/deletion')

    answer = await guests.request('owner', 'GET', f'/images/{number}/plain')

    assert answer.status == 404


async def test_a_visitor_chooses_once_to_download_without_settings(guests: Party) -> None:
    address = f'/images/{guests.made["owner"]}'
    before = await guests.request('looker', 'GET', address)
    chosen = await guests.request('looker', 'POST', '/settings', download='plain')
    after = await guests.request('looker', 'GET', address, CHOSEN)
    dropped = await guests.request('looker', 'POST', '/settings', CHOSEN, download='')

    row = 'aria-keyshortcuts="d"'
    assert f'{address}/plain' not in before.body.decode().partition(row)[0]
    assert f'{address}/plain' in before.body.decode()
    assert chosen.cookies[0].startswith('easel-download=plain;')
    assert f'{address}/plain' in after.body.decode().partition(row)[0]
    assert b'Download with settings' in after.body
    assert dropped.cookies[0].startswith('easel-download="";')


async def zip_of(guests: Party) -> tuple[bytes, zipfile.ZipFile]:
    """Download the owner's gallery, as one who chose to have no settings in it."""
    [(_, session)] = guests.headers['owner']
    headers = {'cookie': f'{session.decode()}; {CHOSEN[1].decode()}'}
    transport = httpx.ASGITransport(guests.app)
    async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
        content = (await client.get('/gallery.zip', headers=headers)).content
    return content, zipfile.ZipFile(io.BytesIO(content))


@pytest.mark.parametrize('form', ['PNG', 'GIF'])
async def test_a_zip_goes_by_that_choice(tmp_path: Path, form: str) -> None:
    async with party(tmp_path / 'data', form) as guests:
        [number, other, damaged] = guests.made.values()
        image = await guests.services.library.images.one(damaged)
        guests.services.store.original(image.file).write_bytes(b'something else')
        content, archive = await zip_of(guests)

    assert archive.testzip() is None
    assert sorted(archive.namelist()) == [
        'left-out.txt',
        *(f'picture-{one}.{image.extension}' for one in (number, other)),
    ]
    assert archive.read('left-out.txt').decode() == f'{damaged}\tdamaged\n'
    assert [words for words in TOLD if words in content] == []


async def test_a_zip_names_what_can_not_be_stripped(tmp_path: Path) -> None:
    async with party(tmp_path / 'data', 'AVIF') as guests:
        _, archive = await zip_of(guests)
        numbers = sorted(guests.made.values(), reverse=True)

    assert archive.namelist() == ['left-out.txt']
    assert archive.read('left-out.txt').decode() == ''.join(f'{one}\tsettings\n' for one in numbers)

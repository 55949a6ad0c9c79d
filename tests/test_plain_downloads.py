"""A picture is downloaded without its settings: by one link, or always, as a visitor chose."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.support.guests import JSON, Party, draw, party
from tests.support.labelled_pictures import animated
from tests.test_picture_links import TOLD

pytestmark = pytest.mark.asyncio(loop_scope='module')

CHOSEN = (b'cookie', b'easel-download=plain')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('plain') / 'data') as opened:
        yield opened


@pytest.mark.parametrize('form', ['PNG', 'JPEG', 'WEBP', 'GIF', 'AVIF'])
async def test_a_plain_download_says_nothing_of_the_prompt_in_file_and_name(
    guests: Party, form: str
) -> None:
    number = await draw(guests.services, 'by the owner', None, form)

    answer = await guests.request('owner', 'GET', f'/images/{number}/plain')

    image = await guests.services.library.images.one(number)

    assert answer.status == 200
    assert [words for words in TOLD if words in answer.body] == []
    assert answer.headers['content-type'] == image.mime
    assert (
        answer.headers['content-disposition']
        == f'attachment; filename="picture-{number}.{image.extension}"'
    )


async def test_what_can_not_be_taken_out_is_said(guests: Party) -> None:
    number = await draw(guests.services, 'a fox', None, content=animated('AVIF'))

    answer = await guests.request('owner', 'GET', f'/images/{number}/plain', JSON)

    assert answer.status == 409
    assert b"can't be removed" in answer.body


@pytest.mark.parametrize(
    ('who', 'status'), [('looker', 200), ('both', 200), ('maker', 404), ('', 401)]
)
async def test_a_plain_download_is_for_those_who_see_the_picture(
    guests: Party, who: str, status: int
) -> None:
    answer = await guests.request(who, 'GET', f'/images/{guests.made["owner"]}/plain')

    assert answer.status == status


async def test_nothing_in_the_trash_is_downloaded(guests: Party) -> None:
    number = await draw(guests.services, 'a fox', None)
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


async def test_a_zip_goes_by_that_choice_and_names_what_is_not_in_it(guests: Party) -> None:
    png, gif, damaged = [
        await draw(guests.services, 'by the owner', None, form) for form in ('PNG', 'GIF', 'PNG')
    ]
    animation = await draw(guests.services, 'a fox', None, content=animated('AVIF'))
    image = await guests.services.library.images.one(damaged)
    guests.services.store.original(image.file).write_bytes(b'something else')

    content, archive = await zip_of(guests)

    assert archive.testzip() is None
    assert {f'picture-{png}.png', f'picture-{gif}.gif', 'left-out.txt'} < set(archive.namelist())
    assert {name.partition('-')[0] for name in archive.namelist()} == {'picture', 'left'}
    left_out = archive.read('left-out.txt').decode().splitlines()
    assert {f'{damaged}\tdamaged', f'{animation}\tsettings'} <= set(left_out)
    assert [words for words in TOLD if words in content] == []

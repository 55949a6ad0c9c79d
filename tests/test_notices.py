"""What is to be noticed stands above every page for as long as it lasts, and no longer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import pytest_asyncio
from starlette.types import Message

from app.errors import Notice
from app.storage.files import refused
from tests.rebuilding import OURS, write
from tests.support.guests import Party, party
from tests.support.raw_requests import HOME
from tests.support.rows import running

pytestmark = pytest.mark.asyncio(loop_scope='module')

FAULT = refused('Read-only file system')
SENTENCE = b'write to its data folder (Read-only file system). New pictures are on hold.'
CURE = b'Check the data folder'


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('notices') / 'data') as opened:
        yield opened


@pytest.fixture
def problem(guests: Party) -> None:
    guests.services.storage_monitor.report(0, FAULT)


async def mend(guests: Party) -> None:
    assert await guests.services.storage_monitor.check()


@pytest.mark.usefixtures('problem')
@pytest.mark.parametrize('path', ['/', '/gallery', '/settings', '/nothing-here'])
async def test_a_problem_stands_above_every_page_until_it_is_over(path: str, guests: Party) -> None:
    during = await guests.request('owner', 'GET', path)
    in_russian = await guests.request('owner', 'GET', path, (b'accept-language', b'ru'))
    await mend(guests)
    after = await guests.request('owner', 'GET', path)

    assert SENTENCE in during.body
    assert CURE in during.body
    assert 'Новые генерации приостановлены.'.encode() in in_russian.body
    assert SENTENCE not in after.body


@pytest.mark.usefixtures('problem')
async def test_a_guest_is_told_what_and_not_the_owners_part(guests: Party) -> None:
    page = await guests.request('maker', 'GET', '/')
    sign_in = await guests.request('stranger', 'GET', '/')
    await mend(guests)

    assert SENTENCE in page.body
    assert CURE not in page.body
    assert SENTENCE not in sign_in.body


@pytest.mark.usefixtures('problem')
async def test_programs_are_told_in_the_list_of_generations(guests: Party) -> None:
    during = await guests.request('owner', 'GET', '/generations.json')
    await mend(guests)
    after = await guests.request('owner', 'GET', '/generations.json')

    [notice] = json.loads(during.body)['notices']
    assert notice['sentence'].endswith('New pictures are on hold.')
    assert notice['cure'].startswith('Check the data folder')
    assert json.loads(after.body)['notices'] == []


async def test_an_open_page_is_told_when_a_problem_comes_and_goes(guests: Party) -> None:
    blocks = asyncio.Queue[bytes]()

    async def send(message: Message) -> None:
        if b'event: notices' in message.get('body', b''):
            blocks.put_nowait(message['body'])

    stream = asyncio.ensure_future(guests.app(stream_scope(guests), waiting_for_ever(), send))
    async with asyncio.timeout(10):
        before = await blocks.get()
        guests.services.storage_monitor.report(0, FAULT)
        during = await blocks.get()
        await mend(guests)
        after = await blocks.get()
    stream.cancel()

    assert [SENTENCE in block for block in (before, during, after)] == [False, True, False]


async def test_a_picture_that_came_and_waits_for_the_disk_is_not_told_as_being_drawn(
    guests: Party,
) -> None:
    running_one = await running(guests.services.library)
    address = f'/generations/{running_one.id}'

    drawing = await guests.request('owner', 'GET', address)
    guests.services.storage_monitor.report(running_one.id, FAULT)
    held = await guests.request('owner', 'GET', address)
    await mend(guests)

    told = b'Arrived. Easel will save it as soon as it can.'
    assert [told in page.body for page in (drawing, held)] == [False, True]


def waiting_for_ever() -> Callable[[], asyncio.Future[Message]]:
    return lambda: asyncio.get_running_loop().create_future()


def stream_scope(guests: Party) -> dict[str, object]:
    return {
        'type': 'http',
        'http_version': '1.1',
        'method': 'GET',
        'scheme': 'http',
        'path': '/events',
        'raw_path': b'/events',
        'query_string': b'notices',
        'root_path': '',
        'headers': [HOME, *guests.headers['owner']],
        'server': ('localhost', 8484),
        'client': ('192.168.1.20', 50_000),
        'state': {},
    }


async def test_pictures_without_rows_are_offered_back_by_a_button_of_the_owners(
    guests: Party,
) -> None:
    folder = guests.services.config.data / 'images' / '2099/01/01'
    folder.mkdir(parents=True)
    write(folder / 'lost.png', replace(OURS, generation_id=900, image_id=900))
    await guests.services.recovery.pictures.begin()

    page = await guests.request('owner', 'GET', '/gallery')
    theirs = await guests.request('maker', 'GET', '/gallery')
    refused = await guests.request('maker', 'POST', '/images/recovery')
    done = await guests.request('owner', 'POST', '/images/recovery')

    button = b'action="/images/recovery" method="post"'
    assert button in page.body
    assert b't in the gallery: 1' in page.body
    assert b'or <code>easel rebuild</code>.' in page.body
    assert b't in the gallery: 1' not in theirs.body
    assert (refused.status, done.status) == (403, 303)
    assert guests.services.recovery.pictures.notice
    await asyncio.sleep(0)  # it begins
    await guests.services.recovery.pictures.close()


async def test_a_notice_without_a_cure_says_nothing_more(guests: Party) -> None:
    guests.services.storage_monitor.problem = Notice(sentence='It is odd.', cure='')

    page = await guests.request('owner', 'GET', '/gallery', (b'accept-language', b'ru'))
    listed = await guests.request('owner', 'GET', '/generations.json', (b'accept-language', b'ru'))
    guests.services.storage_monitor.problem = None

    assert b'It is odd.' in page.body
    assert b'Project-Id-Version' not in page.body
    assert {'sentence': 'It is odd.', 'cure': None} in json.loads(listed.body)['notices']


async def test_the_owner_closes_what_would_last_until_the_next_start(guests: Party) -> None:
    closable, lasting = (Notice(sentence=f'{name}.', cure='') for name in ('Closable', 'Lasting'))
    monitor, address = guests.services.storage_monitor, '/settings/notices/closing'
    monitor.problem = replace(closable, is_closable=True)

    page = await guests.request('owner', 'GET', '/gallery')
    theirs = await guests.request('maker', 'GET', '/gallery')
    refused = await guests.request('maker', 'POST', address, notice='Closable.')
    done = await guests.request('owner', 'POST', address, notice='Closable.')
    after = await guests.request('owner', 'GET', '/gallery')
    monitor.problem = lasting
    script = (b'x-fragment', b'true')
    in_place = await guests.request('owner', 'POST', address, script, notice='Lasting.')
    still = await guests.request('owner', 'GET', '/gallery')
    monitor.problem = None

    assert [b'value="Closable."' in shown.body for shown in (page, theirs)] == [True, False]
    assert (refused.status, done.status, in_place.status) == (403, 303, 204)
    assert b'Closable.' not in after.body
    assert b'Lasting.' in still.body
    assert b'value="Lasting."' not in still.body

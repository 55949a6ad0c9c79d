"""What is done with a selection, by its form: guests, wrong input, favourites, undo, progress."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode
from zipfile import ZipFile

import httpx
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.database.gallery.filters import Filter
from app.gallery.acts import AT_ONCE
from app.web.context import Services
from tests.support.guests import LAN, Party, draw, party
from tests.support.many_pictures import many, put_files
from tests.support.raw_requests import FORM, HOME, Answered, knock, open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

FRAGMENT = (b'x-fragment', b'true')
JSON = (b'accept', b'application/json')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('selection') / 'data') as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope='module')
async def opened(tmp_path: Path) -> AsyncIterator[tuple[ASGIApp, Services]]:
    async with open_door(tmp_path / 'data') as both:
        put_files(both[1].store.images)
        yield both


async def send(
    app: ASGIApp, path: str, fields: Iterable[tuple[str, object]], *headers: tuple[bytes, bytes]
) -> Answered:
    body = urlencode([*fields]).encode()
    return await knock(app, 'POST', path, HOME, FORM, *headers, body=body)


async def act(app: ASGIApp, name: str, *images: int, **more: object) -> Answered:
    fields = [('act', name), *(('image', one) for one in images), *more.items()]
    return await send(app, '/images/selection', fields)


async def deleted(services: Services, count: int) -> list[bool]:
    images = services.library.images
    return [bool((await images.one(number)).deleted_at) for number in range(1, count + 1)]


async def test_an_act_leads_back_to_its_gallery_with_its_undo(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    await many(services.library, 3)

    answer = await act(app, 'delete', 1, 3, q='cat', top=3)
    page = await knock(app, 'GET', '/gallery?q=cat&act=1', HOME)
    between = await deleted(services, 3)
    undone = await send(app, '/acts/1/undoing', [('query', '?q=cat')])

    assert (answer.status, answer.headers['location']) == (303, '/gallery?q=cat&act=1#act-1')
    assert between == [True, False, True]
    assert b'action="/acts/1/undoing"' in page.body
    assert b'2 pictures moved to the trash' in page.body
    assert (undone.status, undone.headers['location']) == (303, '/gallery?q=cat&act=1#act-1')
    assert await deleted(services, 3) == [False] * 3


async def test_all_that_match_are_those_that_were_shown(opened: tuple[ASGIApp, Services]) -> None:
    app, services = opened
    await many(services.library, 6)
    await services.library.database.run("update images set model = 'zebra' where id % 2 = 0")

    await act(app, 'delete', all=1, model='zebra', top=4)

    assert await deleted(services, 6) == [False, True, False, True, False, False]


async def test_a_selection_is_downloaded_as_a_zip(guests: Party) -> None:
    numbers = guests.made.values()
    fields = {'act': 'zip', 'image': [str(number) for number in numbers]}
    transport = httpx.ASGITransport(guests.app, client=(LAN, 50_000))
    names = []

    async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as client:
        for who in ('looker', 'maker'):
            headers = [*guests.headers[who], (b'origin', b'http://localhost')]
            answer = await client.post('/images/selection', data=fields, headers=headers)
            assert answer.headers['content-type'] == 'application/zip'
            names.append(ZipFile(BytesIO(answer.content)).namelist())

    assert [len(each) for each in names] == [4, 2]
    assert 'by-the-maker' in names[1][0]


async def test_a_script_gets_the_bar_with_its_undo(opened: tuple[ASGIApp, Services]) -> None:
    app, services = opened
    await many(services.library, 2)

    answer = await send(app, '/images/selection', [('act', 'favourite'), ('image', 1)], FRAGMENT)

    assert answer.status == 200
    assert b'action="/acts/1/undoing"' in answer.body
    assert b'<html' not in answer.body


async def test_a_large_act_answers_at_once_and_goes_on(opened: tuple[ASGIApp, Services]) -> None:
    app, services = opened
    count = AT_ONCE + 300
    await many(services.library, count)

    answer = await send(
        app, '/images/selection', [('act', 'delete'), ('all', 1), ('top', count)], FRAGMENT
    )
    told = json.loads((await knock(app, 'GET', '/acts/1', HOME, JSON)).body)
    await services.acts.settled(1)
    after = await services.library.counters.exact_total(Filter())
    await send(app, '/acts/1/undoing', [])
    await services.acts.settled(1)

    assert b'data-follow="/acts/1"' in answer.body
    assert told['total'] == count
    assert told['handled'] < count
    assert after == 0
    assert await services.library.counters.exact_total(Filter()) == count


@pytest.mark.parametrize(
    ('fields', 'status'),
    [
        ([('act', 'explode'), ('image', '1')], 422),
        ([('image', '1')], 422),
        ([('act', 'delete')], 422),
        ([('act', 'delete'), ('image', 'x')], 422),
        ([('act', 'delete'), ('image', '-1')], 422),
        ([('act', 'delete'), ('image', '999')], 404),
        ([('act', 'delete'), ('all', '1')], 422),
        ([('act', 'delete'), ('all', '1'), ('top', 'x')], 422),
        ([('act', 'delete'), ('all', '1'), ('top', '9'), ('q', 'since:never')], 422),
        ([('act', 'zip'), ('all', '1'), ('top', '9'), ('q', 'shape:round')], 422),
        ([('act', 'add'), ('image', '1')], 422),
        ([('act', 'add'), ('image', '1'), ('album', 'x')], 422),
        ([('act', 'add'), ('image', '1'), ('album', '999')], 404),
        ([('act', 'destroy'), ('image', '1'), ('favourites', 'x')], 422),
        ([('act', 'delete'), *(('image', str(n)) for n in range(1, 5_002))], 422),
    ],
)
async def test_wrong_input_is_refused_and_changes_nothing(
    fields: list[tuple[str, object]], status: int, guests: Party
) -> None:
    headers = JSON, (b'origin', b'http://localhost'), *guests.headers['owner']

    answer = await send(guests.app, '/images/selection', fields, *headers)

    assert answer.status == status, answer.body
    assert json.loads(answer.body)['error']['message']
    assert await deleted(guests.services, 3) == [False] * 3


async def test_favourites_are_asked_about_before_they_are_destroyed(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    await many(services.library, 3)
    await services.library.database.run('update images set deleted_at = 5, favourite = id = 2')

    asked = await act(app, 'destroy', 1, 2, 3)
    spared = await act(app, 'destroy', 1, 2, 3, favourites=0)
    left = await services.library.acts.chosen(Filter(deleted=True), 99)
    await act(app, 'destroy', 2, favourites=1)

    assert asked.status == 409
    assert asked.body.count(b'name="image"') == 3
    assert b'name="favourites" value="1"' in asked.body
    assert (spared.status, left) == (303, ('[2]',))
    assert await services.library.acts.chosen(Filter(deleted=True), 99) == ()


async def test_only_what_is_in_the_trash_is_destroyed(opened: tuple[ASGIApp, Services]) -> None:
    app, services = opened
    await many(services.library, 2)
    await services.library.images.set_deleted(2, 5.0)

    one = await knock(app, 'POST', '/images/1/destruction', HOME)  # needs no field, so no form
    more = await act(app, 'destroy', 1, 2)

    assert (one.status, more.status) == (409, 303)
    assert await services.library.acts.chosen(Filter(), 99) == ('[1]',)
    assert await services.library.acts.chosen(Filter(deleted=True), 99) == ()


async def test_emptying_the_trash_leaves_favourites_unless_it_is_said(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    await many(services.library, 3)
    await services.library.database.run('update images set deleted_at = 5, favourite = id = 2')

    await send(app, '/trash/deletion', [])
    left = await services.library.acts.chosen(Filter(deleted=True), 99)
    await send(app, '/trash/deletion', [('favourites', 1)])

    assert left == ('[2]',)
    assert await services.library.acts.chosen(Filter(deleted=True), 99) == ()


async def test_guests_act_on_their_own_alone(guests: Party) -> None:
    images = guests.services.library.images
    numbers = guests.made.values()
    fields = {'act': 'delete', 'all': '1', 'top': '99'}

    looks = await guests.request('looker', 'POST', '/images/selection', **fields)
    other = await guests.request(
        'both', 'POST', '/images/selection', act='delete', image=str(guests.made['owner'])
    )
    zipped = {'act': 'zip', 'image': str(guests.made['owner'])}
    unseen = await guests.request('maker', 'POST', '/images/selection', **zipped)
    answer = await guests.request('both', 'POST', '/images/selection', **fields)
    gone = [bool((await images.one(number)).deleted_at) for number in numbers]
    place = answer.headers['location'].partition('#act-')[2]
    foreign = await guests.request('maker', 'POST', f'/acts/{place}/undoing')
    trash = await guests.request('both', 'POST', f'/acts/{place}/undoing', query='?deleted=1')
    assert (trash.status, (await images.one(guests.made['both'])).deleted_at is None) == (
        403,
        False,
    )
    await guests.request('both', 'POST', f'/acts/{place}/undoing')

    assert (looks.status, other.status, unseen.status) == (403, 404, 404)
    assert (answer.status, foreign.status) == (303, 404)
    assert gone == [False, False, True]
    assert not any([(await images.one(number)).deleted_at for number in numbers])


@pytest.mark.parametrize('name', ['destroy', 'add', 'remove'])
async def test_some_acts_are_the_owners(name: str, guests: Party) -> None:
    answer = await guests.request(
        'both', 'POST', '/images/selection', act=name, image='3', album='1'
    )

    assert answer.status == 403


async def test_destroying_leaves_no_file_and_what_another_picture_shares(guests: Party) -> None:
    services = guests.services
    first = await draw(services, 'the same', None)
    second = await draw(services, 'the same', None)
    third = await draw(services, 'another', None)
    images = [await services.library.images.one(number) for number in (first, second, third)]
    assert images[0].digest == images[1].digest != images[2].digest
    for image in images[::2]:
        await services.library.images.set_deleted(image.id, 5.0)

    await guests.request('owner', 'POST', '/trash/deletion')

    store = services.store
    assert [store.original(image.file).exists() for image in images] == [False, True, False]
    assert [store.thumb(image.digest, 480).exists() for image in images] == [True, True, False]
    assert await services.library.removals.after('') == ()


async def test_a_generation_keeps_a_word_that_its_picture_was_deleted(guests: Party) -> None:
    number = await draw(guests.services, 'soon forgotten', None)
    await guests.services.library.images.set_deleted(number, 5.0)

    await guests.request('owner', 'POST', f'/images/{number}/destruction')

    paths = ('/generations', f'/generations/{number}', '/prompts', '/', f'/images/{number}')
    answers = [await guests.request('owner', 'GET', path) for path in paths]
    told = [b'1 picture deleted for good' in answer.body for answer in answers]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 404]
    assert told == [True, True, False, False, False]
    assert b'soon forgotten' in answers[2].body
    assert b'soon forgotten' not in answers[3].body.partition(b'class="wall"')[2]


async def test_a_picture_of_the_trash_offers_to_be_deleted_for_good(guests: Party) -> None:
    number = await draw(guests.services, 'to be gone', None)
    await guests.services.library.images.set_favourite(number, favourite=True)
    await guests.services.library.images.set_deleted(number, 5.0)
    address = f'/images/{number}/destruction'

    page = await guests.request('owner', 'GET', f'/images/{number}')
    asked = await guests.request('owner', 'POST', address)
    done = await guests.request('owner', 'POST', address, favourites='1')

    assert f'action="{address}"'.encode() in page.body
    assert b'name="favourites" value="1"' in page.body
    assert (asked.status, done.status) == (409, 303)
    assert done.headers['location'].startswith('/gallery?deleted=1&act=')

"""What a page tells whom: guests, owners and those behind a proxy, asked without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import Message

from app.access.sharing import SharingSettings
from app.config import config_from
from app.errors import ErrorKind, Failure
from app.models import Generation, Outcome, Status
from app.models.request import GenerationRequest
from tests.support.fakes import received_in
from tests.support.guests import Party, party
from tests.support.labelled_pictures import label_of, saved
from tests.support.raw_requests import HOME, knock, open_door

PROXY = '10.0.0.2'
VISITOR = (b'x-forwarded-for', b'192.168.1.30')


@pytest_asyncio.fixture
async def guests(tmp_path: Path) -> AsyncIterator[Party]:
    async with party(tmp_path / 'data') as opened:
        yield opened


async def ended(
    guests: Party,
    status: Status,
    *,
    guest: int | None = None,
    lost: tuple[Failure, ...] = (),
    revised: str | None = None,
) -> Generation:
    """Write a generation that failed, or one that is done with one picture."""
    rows = guests.services.library.generations
    request = GenerationRequest(prompt='a grey heron', n=1 + len(lost))
    sent = await rows.submit(request, provider='fake', submission=None, now=1.0, guest=guest)
    claimed = await rows.claim('fake', 2.0, sent.generation.id)
    assert claimed
    store = guests.services.store
    received = replace(received_in(store, saved('PNG', 'L')), revised_prompt=revised)
    kept = await store.keep(received, label_of('a grey heron', 1.0))
    outcome = Outcome(status=Status.FAILED, provider='fake', model='flux', error=FAULT)
    if status is Status.DONE:
        outcome = Outcome(
            status=status, provider='fake', model='flux', kept=(kept,), item_errors=lost
        )
    await rows.finish(claimed, outcome, 3.0)
    return await rows.one(claimed.id)


FAULT = Failure(kind=ErrorKind.UPSTREAM_ERROR, reason='HTTP 500')


async def test_a_connection_behind_a_proxy_is_given_back_when_it_ends(tmp_path: Path) -> None:
    async with open_door(tmp_path / 'data', EASEL_TRUSTED_PROXIES=PROXY) as (app, _):
        statuses = {
            (await knock(app, 'GET', '/health', HOME, VISITOR, peer=PROXY)).status
            for _ in range(70)
        }

    assert statuses == {200}


async def test_a_prompt_whose_pictures_are_gone_is_its_owners_again(guests: Party) -> None:
    number = guests.made['owner']
    before = await guests.request('both', 'GET', f'/?from={number}')
    await guests.request('owner', 'POST', f'/images/{number}/deletion')

    after = await guests.request('both', 'GET', f'/?from={number}')

    assert (before.status, after.status) == (200, 404)


@pytest.mark.parametrize(('who', 'models'), [('maker', False), ('looker', True), ('owner', True)])
async def test_only_who_sees_everything_is_offered_every_model(
    guests: Party, who: str, *, models: bool
) -> None:
    await guests.services.library.generations.submit(
        GenerationRequest(prompt='x'), provider='fake', submission=None, now=1.0
    )

    gallery = await guests.request(who, 'GET', '/gallery')

    assert (b'name="model"' in gallery.body) is models


async def test_an_empty_gallery_of_a_guest_is_no_search_without_matches(guests: Party) -> None:
    await guests.request('maker', 'POST', f'/images/{guests.made["maker"]}/deletion')

    gallery = await guests.request('maker', 'GET', '/gallery')
    searched = await guests.request('maker', 'GET', '/gallery?q=heron')

    assert b'No pictures yet' in gallery.body
    assert b'Show all' not in gallery.body
    assert b'No matches' in searched.body


async def test_a_stream_of_a_guest_ends_at_the_next_change_after_the_link(guests: Party) -> None:
    began, ended_at_last = asyncio.Event(), asyncio.Event()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        began.set()
        if message['type'] == 'http.response.body' and not message.get('more_body'):
            ended_at_last.set()

    stream = asyncio.ensure_future(guests.app(stream_scope(guests, 'maker'), receive, send))
    async with asyncio.timeout(10):
        await began.wait()
        await guests.services.guests.revoke(guests.ids['maker'])
        while not ended_at_last.is_set():
            guests.services.changes.announce(guests.made['maker'])
            await asyncio.sleep(0)
        await stream

    assert ended_at_last.is_set()


def stream_scope(guests: Party, who: str) -> dict[str, object]:
    return {
        'type': 'http',
        'asgi': {'version': '3.0', 'spec_version': '2.3'},
        'http_version': '1.1',
        'method': 'GET',
        'scheme': 'http',
        'path': '/events',
        'raw_path': b'/events',
        'query_string': b'',
        'root_path': '',
        'headers': [HOME, *guests.headers[who]],
        'server': ('localhost', 8484),
        'client': ('192.168.1.20', 50_000),
        'state': {},
    }


@pytest.mark.parametrize(('who', 'offered'), [('owner', True), ('maker', False)])
async def test_what_was_sent_is_offered_to_the_owner_alone(
    guests: Party, who: str, *, offered: bool
) -> None:
    failed = await ended(guests, Status.FAILED, guest=guests.ids['maker'])

    page = await guests.request(who, 'GET', f'/generations/{failed.id}')

    assert page.status == 200
    assert (f'/generations/{failed.id}/attempts'.encode() in page.body) is offered


async def test_pictures_that_were_lost_are_told_beside_those_that_came(guests: Party) -> None:
    whole = await ended(guests, Status.DONE)
    short = await ended(
        guests, Status.DONE, lost=(Failure(kind=ErrorKind.BAD_IMAGE, reason='cut'),)
    )

    pages = [
        await guests.request('owner', 'GET', f'/generations/{one.id}') for one in (whole, short)
    ]

    assert [b'data-status="lost"' in page.body for page in pages] == [False, True]


@pytest.mark.parametrize(
    ('revised', 'shown'), [('a grey heron', False), ('a heron in the reeds', True), (None, False)]
)
async def test_the_prompt_that_was_drawn_is_shown_where_it_differs(
    guests: Party, revised: str | None, *, shown: bool
) -> None:
    done = await ended(guests, Status.DONE, revised=revised)

    page = await guests.request('owner', 'GET', f'/images/{done.images[0].id}')

    assert page.status == 200
    assert (b'<dt>Revised prompt</dt>' in page.body) is shown


async def test_share_from_the_command_line_ends_when_it_is_withdrawn(tmp_path: Path) -> None:
    (tmp_path / 'data').mkdir()
    sharing = SharingSettings(config_from({}, data=str(tmp_path / 'data'), share=True))
    sharing.load()
    before = sharing.is_shared

    await sharing.withdraw()

    assert before
    assert not sharing.is_shared


async def test_no_page_of_settings_tells_the_values_of_an_addresss_query(tmp_path: Path) -> None:
    url = 'http://localhost:1/v1?api-version=1&sig=canary-plumage'
    async with open_door(tmp_path / 'data', EASEL_API_URL=url) as (app, _):
        pages = [
            (await knock(app, 'GET', path, HOME)).body.decode()
            for path in ('/settings.json', '/settings', '/settings/providers/environment')
        ]

    assert 'canary' not in ''.join(pages)

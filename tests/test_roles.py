"""Every address, asked by every kind of visitor: who may come in, and to whose things."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.access.visitors import Visitor
from app.database.links import GuestRow
from app.web.security.routes import ROUTES, Role, RouteRule
from tests.support.guests import JSON, Party, party

pytestmark = pytest.mark.asyncio(loop_scope='module')

WHO = ('stranger', 'looker', 'maker', 'both', 'owner')
ADMITTED = {
    Role.ANYBODY: WHO,
    Role.GUEST: ('looker', 'maker', 'both', 'owner'),
    Role.MAKER: ('maker', 'both', 'owner'),
    Role.OWNER: ('owner',),
}
REFUSED = {'stranger': 401, 'looker': 403, 'maker': 403, 'both': 403}
OWNERS_ALONE = (
    *('/share', '/share.json', '/settings/password', '/settings/providers', '/images/{}/link'),
    *('/generations/{}/attempts', '/settings/providers.json', '/share/guests'),
)
KEEPING = [rule for rule in ROUTES if rule.handler != 'sign_in.sign_out']  # it ends all sessions
ACTS = ('favourite', 'deletion', 'restoration')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('roles') / 'data') as opened:
        yield opened


@pytest.mark.parametrize('who', WHO)
@pytest.mark.parametrize('rule', KEEPING, ids=lambda rule: f'{rule.method} {rule.pattern}')
async def test_row_79_each_address_opens_to_its_role_alone(
    guests: Party, rule: RouteRule, who: str
) -> None:
    path = rule.pattern.replace('{}', '999').replace('{rest}', 'x')

    answer = await guests.request(who, rule.method, path)

    if who in ADMITTED[rule.role]:
        asks = rule.pattern == '/session' and (who == 'stranger' or rule.method == 'POST')
        assert answer.status not in (401, 403) or asks
    else:
        assert answer.status == REFUSED[who]
        assert b'by the' not in answer.body


@pytest.mark.parametrize('path', OWNERS_ALONE)
async def test_what_settles_the_house_is_the_owners_alone(path: str) -> None:
    roles = {rule.role for rule in ROUTES if rule.pattern == path}

    assert roles == {Role.OWNER}


@pytest.mark.parametrize(
    ('who', 'prompts'),
    [
        ('owner', {'by the owner', 'by the maker', 'by the both'}),
        ('looker', {'by the owner', 'by the maker', 'by the both'}),
        ('both', {'by the owner', 'by the maker', 'by the both'}),
        ('maker', {'by the maker'}),
    ],
)
async def test_a_gallery_shows_what_the_link_says(
    guests: Party, who: str, prompts: set[str]
) -> None:
    answer = await guests.request(who, 'GET', '/gallery.json')
    page = await guests.request(who, 'GET', '/gallery')

    shown = {image['prompt'] for image in json.loads(answer.body)['images']}
    assert shown == prompts
    assert all((prompt.encode() in page.body) is (prompt in prompts) for prompt in
               ('by the owner', 'by the maker', 'by the both'))  # fmt: skip


@pytest.mark.parametrize(
    ('who', 'prompts'),
    [
        ('owner', {'by the owner', 'by the maker', 'by the both'}),
        ('both', {'by the both'}),
        ('maker', {'by the maker'}),
    ],
)
async def test_a_guests_generations_are_their_own(
    guests: Party, who: str, prompts: set[str]
) -> None:
    answer = await guests.request(who, 'GET', '/generations.json')

    shown = {one['prompt'] for one in json.loads(answer.body)['generations']}
    assert shown == prompts


@pytest.mark.parametrize('whose', ['owner', 'both'])
async def test_idor_somebody_elses_things_are_not_there(guests: Party, whose: str) -> None:
    number = guests.made[whose]
    image = await guests.services.library.images.one(number)
    paths = [
        f'/images/{number}',
        f'/images/{number}.json',
        f'/files/{image.digest}.{image.extension}',
        f'/thumbs/{image.digest}-480.webp',
        f'/generations/{number}',
        f'/generations/{number}.json',
        f'/previews/{number}-0-1.webp',
    ]

    answers = [await guests.request('maker', 'GET', path, JSON) for path in paths]
    unknown = await guests.request('maker', 'GET', '/images/999.json')

    assert {answer.status for answer in answers} == {404}
    assert answers[1].body.replace(str(number).encode(), b'999') == unknown.body


@pytest.mark.parametrize('who', ['maker', 'both'])
@pytest.mark.parametrize('act', [*ACTS, 'laying-back'])
async def test_idor_somebody_elses_picture_can_not_be_changed(
    guests: Party, act: str, who: str
) -> None:
    number = guests.made['owner']

    answer = await guests.request(who, 'POST', f'/images/{number}/{act}')

    image = await guests.services.library.images.one(number)
    assert answer.status == 404
    assert (image.favourite, image.deleted_at) == (False, None)


@pytest.mark.parametrize('act', ['cancellation', 'retry'])
async def test_idor_somebody_elses_generation_can_not_be_acted_on(guests: Party, act: str) -> None:
    waiting = await guests.request('owner', 'POST', '/generations', prompt='waits', size='16x16')
    number = waiting.headers['location'].rpartition('-')[2]

    answer = await guests.request('both', 'POST', f'/generations/{number}/{act}')

    generation = await guests.services.library.generations.one(int(number))
    assert answer.status == 404
    assert generation.status == 'queued'
    await guests.request('owner', 'POST', f'/generations/{number}/cancellation')


async def test_a_guest_may_mark_delete_and_put_back_their_own(guests: Party) -> None:
    number = guests.made['maker']

    answers = [await guests.request('maker', 'POST', f'/images/{number}/{act}') for act in ACTS]
    trash = await guests.request('maker', 'GET', '/gallery?deleted=1')
    image = await guests.services.library.images.one(number)

    assert [answer.status for answer in answers] == [303, 303, 303]
    assert (image.favourite, image.deleted_at) == (True, None)
    assert trash.status == 403


async def test_only_who_may_put_a_picture_back_is_offered_to_undo(guests: Party) -> None:
    number = guests.made['both']
    await guests.request('both', 'POST', f'/images/{number}/deletion')

    offered = {
        who: b'data-act="restoration"'
        in (await guests.request(who, 'GET', f'/gallery?undo={number}')).body
        for who in ('looker', 'maker', 'both', 'owner')
    }
    await guests.request('both', 'POST', f'/images/{number}/restoration')

    assert offered == {'looker': False, 'maker': False, 'both': True, 'owner': True}


async def test_a_deleted_picture_is_gone_for_other_guests(guests: Party) -> None:
    number = guests.made['both']
    await guests.request('both', 'POST', f'/images/{number}/deletion')

    statuses = [
        (await guests.request(who, 'GET', f'/images/{number}')).status
        for who in ('looker', 'maker', 'both', 'owner')
    ]
    await guests.request('both', 'POST', f'/images/{number}/restoration')

    assert statuses == [404, 404, 200, 200]


async def test_a_thumbnail_in_the_trash_is_in_sight_for_the_owner_alone(guests: Party) -> None:
    number = guests.made['both']
    image = await guests.services.library.images.one(number)
    addresses = (f'/thumbs/{image.digest}-480.webp', f'/files/{image.digest}.png')
    await guests.request('both', 'POST', f'/images/{number}/deletion')

    statuses = {
        who: [(await guests.request(who, 'GET', address)).status for address in addresses]
        for who in ('looker', 'maker', 'both', 'owner')
    }
    await guests.request('both', 'POST', f'/images/{number}/restoration')

    assert statuses.pop('owner') == [200, 404]
    assert set(map(tuple, statuses.values())) == {(404, 404)}


async def test_what_a_guest_asks_for_is_theirs_and_the_owner_sees_whose(guests: Party) -> None:
    sent = await guests.request('maker', 'POST', '/generations', prompt='a fox', size='16x16')
    number = int(sent.headers['location'].rpartition('-')[2])

    generation = await guests.services.library.generations.one(number)
    owners = await guests.request('owner', 'GET', '/generations')
    own = await guests.request('maker', 'GET', '/generations')

    assert generation.guest == guests.ids['maker']
    assert b'<bdi>maker</bdi>' in owners.body
    assert b'<bdi>maker</bdi>' not in own.body


async def test_the_mark_of_somebody_elses_form_gives_nothing_away(guests: Party) -> None:
    fields = {'prompt': 'a secret', 'size': '16x16', 'submission': 'the-same-mark'}
    await guests.request('owner', 'POST', '/generations', **fields)

    again = await guests.request('maker', 'POST', '/generations', **fields)

    assert again.status == 409


async def test_what_the_owner_typed_last_is_not_in_a_guests_form(guests: Party) -> None:
    await guests.request(
        'owner', 'POST', '/generations', prompt='x', negative_prompt='private words'
    )

    page = await guests.request('maker', 'GET', '/')

    assert page.status == 200
    assert b'private words' not in page.body


async def test_more_like_this_brings_no_prompt_that_may_not_be_seen(guests: Party) -> None:
    number = guests.made['owner']

    hidden = await guests.request('maker', 'GET', f'/?from={number}')

    assert hidden.status == 404


async def test_who_only_looks_is_led_to_the_gallery(guests: Party) -> None:
    answer = await guests.request('looker', 'GET', '/')

    assert (answer.status, answer.headers['location']) == (303, '/gallery')


async def test_a_guests_settings_tell_nothing_of_the_house(guests: Party) -> None:
    page = await guests.request('both', 'GET', '/settings')
    told = await guests.request('both', 'GET', '/settings.json')

    assert str(guests.services.config.data).encode() not in page.body
    assert set(json.loads(told.body)) == {'language', 'theme', 'downloads_with_settings'}


async def test_a_stranger_is_nobody_and_the_owner_is_everybody() -> None:
    guest = GuestRow(
        id=7, name='x', token_hash='', makes=True, sees_all=False, created_at=0, expires_at=None
    )

    stranger, owner = Visitor('', 'http'), Visitor('', 'http', owner=True)
    maker = Visitor('', 'http', guest=guest)

    assert not any(stranger.may_change(one) for one in (None, 7))
    assert all(owner.may_change(one) for one in (None, 7))
    assert [maker.may_change(one) for one in (None, 7, 8)] == [False, True, False]

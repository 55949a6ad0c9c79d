"""Pictures beside each other: what differs is said, and nobody sees what is not theirs."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import apsw
import pytest
import pytest_asyncio

from app.gallery.word_diff import MOST_DIFFERING_WORDS, marked
from tests.support.guests import JSON, Party, draw, party

pytestmark = pytest.mark.asyncio(loop_scope='module')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('compare') / 'data') as opened:
        yield opened


def address(*ids: int, ending: str = '') -> str:
    return f'/compare{ending}?' + '&'.join(f'image={one}' for one in ids)


async def drawn(guests: Party, *prompts: str, guest: int | None = None) -> list[int]:
    return [await draw(guests.services, prompt, guest) for prompt in prompts]


def differing(*texts: str) -> list[str]:
    """Give each text with brackets around what differs."""
    return [
        ''.join(f'[{part.text}]' if part.differs else part.text for part in parts)
        for parts in marked(texts)
    ]


@pytest.mark.parametrize(
    'expected',
    [
        ['a [red] fox', 'a [grey] fox'],
        ['a fox [in the snow]', 'a fox'],
        ['dusk, [full moon behind it, lamp lit]', 'dusk, [low moon in a cloud, long]'],
        ['雪の中の[赤]い狐', '雪の中の[青]い狐'],
        ['a [red] fox', 'a fox', 'a [blue] fox'],
        ['a fox,  asleep', 'a fox, asleep'],
        ['', '[fog]'],
    ],
)
async def test_words_that_differ_are_marked_in_whole_sequences(expected: list[str]) -> None:
    texts = [text.replace('[', '').replace(']', '') for text in expected]

    assert differing(*texts) == expected


async def test_texts_that_differ_in_very_many_words_are_marked_as_one() -> None:
    many = ' '.join(['x', 'y'] * MOST_DIFFERING_WORDS)

    assert differing(f'a {many} end', f'a y {many[:-2]}z end') == [
        f'a [{many}] end',
        f'a [y {many[:-2]}z] end',
    ]


async def test_a_row_is_there_for_what_differs_and_one_for_the_same(guests: Party) -> None:
    ids = await drawn(guests, 'a red fox', 'a grey fox')

    page = (await guests.request('owner', 'GET', address(*ids))).body.decode()
    told = json.loads((await guests.request('owner', 'GET', address(*ids, ending='.json'))).body)

    rows = re.findall(r'<tr role="row".*?</tr>', page, re.DOTALL)
    assert len(rows) == 3
    assert '<ins>red</ins>' in rows[1]
    assert '<ins>grey</ins>' in rows[1]
    assert 'flux' in rows[2]
    assert 'no negative prompt' in rows[2]
    assert [image['id'] for image in told['images']] == ids
    assert told['differing'] == {'prompt': ['a red fox', 'a grey fox']}
    assert told['same']['model'] == 'flux'


async def test_what_pictures_started_from_is_compared(guests: Party) -> None:
    first, edited = await drawn(guests, 'a fox', 'a fox')

    def change(db: apsw.Connection) -> None:
        values = {'id': edited, 'sources': f'[{first}]'}
        db.execute(
            "update generations set sources = :sources, strength = '0.6' where id = :id", values
        )
        db.execute('update images set changed_outside_mask = 0.5 where id = :id', {'id': edited})

    await guests.services.library.database.write(change)
    page = (await guests.request('both', 'GET', address(first, edited))).body.decode()
    told = (await guests.request('owner', 'GET', address(first, edited, ending='.json'))).body

    [sources] = re.findall(r'<ul class="started-from">.*?</ul>', page, re.DOTALL)
    assert f'href="/images/{first}"' in sources
    assert '<bdi>50 %</bdi>' in page
    assert json.loads(told)['differing'] == {
        'sources': [None, [first]],
        'strength': [None, '0.6'],
        'changed_outside_mask': [None, 0.5],
    }


@pytest.mark.parametrize('count', [0, 1, 5])
async def test_two_to_four_pictures_are_compared(guests: Party, count: int) -> None:
    ids = await drawn(guests, *('a fox',) * count)

    answer = await guests.request('owner', 'GET', address(*ids), JSON)

    assert answer.status == 422
    assert 'from 2 to 4 pictures' in answer.body.decode()


async def test_a_picture_is_not_compared_with_itself(guests: Party) -> None:
    answer = await guests.request('owner', 'GET', address(1, 1), JSON)

    assert answer.status == 422
    assert 'chosen twice' in answer.body.decode()


@pytest.mark.parametrize(
    ('who', 'other', 'status'),
    [
        ('owner', 'maker', 200),
        ('looker', 'maker', 200),
        ('maker', 'owner', 404),
        ('', 'owner', 401),
        ('owner', '', 404),
    ],
)
async def test_only_what_one_may_see_is_compared(
    guests: Party, who: str, other: str, status: int
) -> None:
    [own] = await drawn(guests, 'a fox', guest=guests.ids['maker'])
    there = guests.made[other] if other else 999_999

    answer = await guests.request(who, 'GET', address(own, there))

    assert answer.status == status


async def test_a_picture_in_the_trash_is_nothing_to_those_who_may_not_change_it(
    guests: Party,
) -> None:
    ids = await drawn(guests, 'a fox', 'a cat')
    await guests.request('owner', 'POST', f'/images/{ids[0]}/deletion')

    by_owner = await guests.request('owner', 'GET', address(*ids))
    by_guest = await guests.request('looker', 'GET', address(*ids))

    assert 'in the trash' in by_owner.body.decode()
    assert by_guest.status == 404


async def test_what_was_deleted_leaves_the_comparison_and_undo_brings_it_back(
    guests: Party,
) -> None:
    ids = await drawn(guests, 'a fox', 'a cat', 'a heron')
    query = address(*ids).partition('?')[2]

    deleted = await guests.request(
        'owner', 'POST', f'/images/{ids[0]}/deletion?then=compare&{query}'
    )
    page = (await guests.request('owner', 'GET', deleted.headers['location'])).body.decode()
    undo = re.findall(r'action="([^"]*restoration[^"]*)"', page)[0].replace('&amp;', '&')
    restored = await guests.request('owner', 'POST', undo)

    assert deleted.headers['location'] == f'{address(*ids[1:])}&undo={ids[0]}'
    assert restored.headers['location'] == address(*ids[1:], ids[0])


async def test_the_last_of_a_comparison_is_shown_alone(guests: Party) -> None:
    ids = await drawn(guests, 'a fox', 'a cat')
    query = address(*ids).partition('?')[2]

    deleted = await guests.request(
        'owner', 'POST', f'/images/{ids[0]}/deletion?then=compare&{query}&q=fox'
    )

    assert deleted.headers['location'] == f'/images/{ids[1]}?q=fox&undo={ids[0]}'


async def test_links_lead_to_the_other_order_and_to_a_picture_less(guests: Party) -> None:
    one, two, three = await drawn(guests, 'a fox', 'a cat', 'a heron')

    page = (await guests.request('owner', 'GET', address(one, two, three))).body.decode()

    links = set(re.findall(r'href="([^"]*/compare[^"]*)"', page.replace('&amp;', '&')))
    assert {address(two, one, three), address(one, three, two)} < links
    assert {address(two, three), address(one, three), address(one, two)} < links


async def test_a_picture_whose_model_was_not_named_says_that_the_server_chose(
    guests: Party,
) -> None:
    unnamed = await draw(guests.services, 'a fox', None, model=None)
    named = await draw(guests.services, 'a fox', None)

    alone = await guests.request('owner', 'GET', f'/images/{unnamed}')
    beside = await guests.request('owner', 'GET', address(unnamed, named))

    assert b'chosen by the server' in alone.body
    assert b'chosen by the server' in beside.body


async def test_who_may_not_change_a_picture_is_offered_no_act(guests: Party) -> None:
    ids = await drawn(guests, 'a fox', 'a cat')

    page = (await guests.request('looker', 'GET', address(*ids))).body.decode()

    assert 'then=compare' not in page


async def test_a_pictures_page_offers_its_neighbours_to_compare(guests: Party) -> None:
    one, two = await drawn(guests, 'a fox', 'a cat')

    page = (await guests.request('owner', 'GET', f'/images/{one}')).body.decode()

    assert f'/compare?image={one}&amp;image={two}"' in page

"""The language of the search field: what a typed text means, and that none is an error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.database import Library
from app.database.gallery.filters import Filter
from app.database.search.query import KEYS, Key, parse, proposal_for, refusals_in, replaced, written
from app.database.search.words import index_words
from tests.support.searched import searched_library

DAY = 86_400
TYPED = st.lists(
    st.sampled_from(
        [*(f'{key}:' for key in KEYS), *'-"“ «aж狐:.7*()', 'not', ' OR ', '\x00', 'fox']
    )
).map(''.join)
SEARCHES = [
    ('-fox', '3 2'),  # whole: another form of it is not excluded
    ('fox -red', '2'),
    ('fox -re', '2 1'),
    ('-"red fox"', '3 2'),
    ('"red fox"', '1'),
    ('"red fo', ''),
    ('"fox in sno" fox', ''),
    ('“red fox”', '1'),
    ('"a castle blurry"', ''),  # of two fields
    ('"fox in snow', '1'),
    ('blurry', '3'),
    ('keep sea', '3'),
    ('flux', '1'),
    ('model:flux', '1'),
    ('MODEL:FLUX', '1'),
    ('model:flu', ''),
    ('-model:zebra', '1'),
    ('-model:Flux -model:zebra', ''),
    ('-model:unknown', '3 2 1'),
    ('server:"my SERVER"', '2'),
    ('-server:"my server"', '3 1'),
    ('seed:7', '3'),
    ('-seed:7', '2 1'),
    ('size:8x6', '3 2 1'),
    ('size:8×6', '3 2 1'),
    ('size:6x8', ''),
    ('shape:landscape', '3 2 1'),
    ('-shape:landscape', ''),
    ('shape:Portrait', ''),
    ('album:"my cats"', '3'),
    ('album:none', '2 1'),
    ('-album:none', '3'),
    ('-album:"My Cats"', '2 1'),
    ('album:foxes', '2 1'),
    ('-album:foxes', '3'),
    ('album:nothing', ''),
    ('is:favourite', '1'),
    ('is:favorite', '1'),
    ('-is:favourite', '3 2'),
    ('is:edited', ''),
    ('-is:edited', '3 2 1'),
    ('by:mia', '3'),
    ('-by:Mia', '2 1'),
    ('by:nobody', ''),
    ('since:1970-01-21', '3 2'),
    ('since:1970-01-22', '3'),
    ('until:1970-01-20', '1'),
    ('until:1970-01-21', '2 1'),
    ('-since:1970-01-21', '1'),
    ('-until:1970-01-20', '3 2'),
    ('since:1970-01-12 until:1970-01-21 fox', '2'),
    ('lora:fox', ''),
    ('colour:red fox', ''),
    ('in:snow', '1'),
    ('fox \x00', '2 1'),
]


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def library(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    library = await searched_library(tmp_path_factory.mktemp('query'))
    yield library
    await library.close()


async def found(library: Library, typed: str, *, deleted: bool = False) -> str:
    chosen = Filter(words=typed, zone='Europe/Moscow', deleted=deleted)
    images = await library.images.page(chosen, None, 9)
    assert await library.counters.total(chosen) == len(images)
    return ' '.join(str(image.id) for image in images)


@pytest.mark.parametrize(('typed', 'ids'), SEARCHES)
@pytest.mark.asyncio(loop_scope='module')
async def test_a_search_finds(typed: str, ids: str, library: Library) -> None:
    assert await found(library, typed) == ids


async def test_the_trash_is_searched_alike(tmp_path: Path) -> None:
    library = await searched_library(tmp_path)
    for number in (1, 2, 3):
        await library.images.set_deleted(number, 100.0 + number)

    in_trash = [(typed, await found(library, typed, deleted=True)) for typed, _ in SEARCHES]
    shown = [await found(library, typed) for typed, _ in SEARCHES]
    await library.images.set_deleted(2, None)
    restored = await found(library, 'fox'), await found(library, 'fox', deleted=True)
    await library.close()

    assert in_trash == SEARCHES
    assert not any(shown)
    assert restored == ('2', '1')


@pytest.mark.asyncio(loop_scope='module')
async def test_what_is_chosen_beside_the_field_combines_with_the_search(library: Library) -> None:
    asked = [
        Filter(words='fox', model='zebra'),
        Filter(words='-fox', guest=1),
        Filter(words='fox', favourite=True),
        Filter(words='castle', album=1),
        Filter(filled_by='fox', album=2, words='-red'),
        Filter(model='zebra', provider='g4f'),
        Filter(words='by:mia', knows_names=False),
        Filter(words='fox', deleted=True),
    ]

    pages = [await library.images.page(chosen, None, 9) for chosen in asked]

    assert [[image.id for image in page] for page in pages] == [
        [2],
        [3],
        [1],
        [3],
        [2],
        [3],
        [],
        [],
    ]


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TYPED)
@example('"' * 500)
@example('a ' * 250)
@example('-a ' * 160)
@pytest.mark.asyncio(loop_scope='module')
async def test_any_text_is_searched_without_fault(library: Library, typed: str) -> None:
    chosen = Filter(words=typed.strip())

    page = await library.images.page(chosen, None, 9)

    assert page == () or not refusals_in(typed)


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=40) | TYPED)
def test_nothing_of_a_text_is_lost(typed: str) -> None:
    terms = parse(typed)

    edges = [0, *(place for term in terms for place in (term.start, term.end)), len(typed)]
    gaps = [typed[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    searched = index_words(' '.join(f'{term.key} {term.text}' for term in terms))
    assert edges == sorted(edges)
    assert ''.join(gaps).strip() == ''
    assert searched.split() == index_words(typed).split()


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(KEYS), st.text(st.characters(exclude_characters='"”“»„«'), min_size=1))
def test_a_written_term_is_read_as_it_was_meant(key: Key, value: str) -> None:
    [term] = parse(written(key, value))

    assert (term.key, term.text, term.is_excluded) == (key, value, False)


@pytest.mark.parametrize(
    ('typed', 'instead'),
    [
        ('size:big', 'size:1024x1024'),
        ('-shape:round', '-shape:landscape'),
        ('is:good', 'is:favourite'),
        ('seed:x', 'seed:7'),
        ('seed:18446744073709551616', 'seed:7'),
        ('since:yesterday', 'since:2026-11-28'),
        ('since:friday', 'since:2026-11-27'),
        ('until:2026-11', 'until:2026-11-01'),
        ('until:24.12.2025', 'until:2025-12-24'),
        ('until:2026-13-45', 'until:2026-11-22'),
        ('since:soon', 'since:2026-11-22'),
        ('model:', ''),
        ('-', ''),
        ('… -"!"', ''),
    ],
)
def test_what_is_not_understood_is_named_with_what_may_be_meant(typed: str, instead: str) -> None:
    [refusal] = refusals_in(typed)

    assert typed[refusal.term.start : refusal.term.end] == typed
    assert proposal_for(refusal.term, date(2026, 11, 29)) == instead


@pytest.mark.parametrize(
    'typed', ['', 'fox', '-fox', 'fox …', 'model:x', 'since:2026-11-01', 'a:b']
)
def test_the_rest_is_understood(typed: str) -> None:
    assert refusals_in(typed) == ()


def test_a_term_is_replaced_where_it_stands() -> None:
    terms = parse('a  "b c" -d')

    assert [replaced('a  "b c" -d', term, 'x') for term in terms] == [
        'x "b c" -d',
        'a x -d',
        'a "b c" x',
    ]
    assert replaced('a  "b c" -d', terms[1], '') == 'a -d'


@pytest.mark.asyncio(loop_scope='module')
async def test_an_album_is_found_however_its_name_is_spelled(library: Library) -> None:
    album = await library.albums.add('Café', None, 1.0)
    await library.albums.put(album.id, [2], 1.0)

    found = [
        await library.images.page(Filter(words=f'album:{name}'), None, 9)
        for name in ('CAFÉ', 'cafe\u0301')
    ]
    await library.albums.mark_deleted(album.id, 2.0)

    assert [[image.id for image in some] for some in found] == [[2], [2]]
    assert not await library.images.page(Filter(words='album:café'), None, 9)

"""What the search field suggests, what it says where nothing is found, and how it counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from app.database import Library
from app.database.gallery.filters import Filter
from app.database.search.index import MOST_SEGMENTS
from app.gallery.index_upkeep import merge_all
from app.models.request import GenerationRequest
from tests.support.rows import drawn, kept, pictured
from tests.support.searched import searched_library


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def library(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    library = await searched_library(tmp_path_factory.mktemp('suggestions'))
    yield library
    await library.close()


@pytest.mark.parametrize(
    ('typed', 'suggested'),
    [
        ('mod', ['model:']),
        ('-s', ['-server:', '-seed:', '-size:', '-shape:', '-since:', '-sea 2', '-snow 2']),
        ('fox', ['fox 2', 'foxes 2']),
        ('fox model:', ['fox model:zebra 1', 'fox model:Flux 1']),
        ('model:EBR', ['model:zebra 2']),
        ('-model:z', ['-model:zebra 1']),
        ('server:m', ['server:"My server" 1']),
        ('shape:', ['shape:landscape 3']),
        ('size:8', ['size:8x6 3']),
        ('is:', ['is:favourite 1']),
        ('album:', ['album:Foxes 2', 'album:"My cats" 1', 'album:none 2']),
        ('by:', ['by:Mia 1']),
        ('since:19', ['since:1970-01-31 1', 'since:1970-01-25 1', 'since:1970-01-02 3']),
        ('castle since:1970-01-2', ['castle since:1970-01-25 1']),
        ('fox ', []),
        ('"red', []),
        ('', []),
        ('…', []),
    ],
)
@pytest.mark.asyncio(loop_scope='module')
async def test_what_is_typed_goes_on_as_pictures_have_it(
    typed: str, suggested: list[str], library: Library
) -> None:
    found = await library.suggestions.going_on(Filter(words=typed), date(1970, 2, 1))

    assert [f'{one.words} {one.images or ""}'.strip() for one in found] == suggested


@pytest.mark.asyncio(loop_scope='module')
async def test_a_guest_is_told_only_of_what_they_may_see(library: Library) -> None:
    chosen = Filter(guest=1, knows_names=False)

    found = [
        await library.suggestions.going_on(replace(chosen, words=typed), date(1970, 2, 1))
        for typed in ('model:', 'server:', 'by:', 'album:', 'f', 'cas')
    ]

    suggested = [[one.words for one in some] for some in found]
    album = ['album:none'] if suggested[3] else []
    assert suggested == [['model:zebra'], ['server:g4f'], [], album, ['fog'], ['castle']]


@pytest.mark.parametrize(
    ('typed', 'meant', 'without'),
    [
        ('snwo', ['snow 1'], []),
        ('fxo model:zebra', ['fox model:zebra 1'], []),
        ('castel', ['castle 1'], []),
        ('кастл', [], []),
        ('red castle', [], ['red 1', 'castle 1']),
        ('fox castle -two', [], ['fox 1', 'castle 1']),
        ('model:unknown', [], []),
    ],
)
@pytest.mark.asyncio(loop_scope='module')
async def test_where_nothing_is_found_a_way_out_is_named(
    typed: str, meant: list[str], without: list[str], library: Library
) -> None:
    way_out = await library.suggestions.way_out(Filter(words=typed))

    assert [f'{one.words} {one.images}' for one in way_out.meant] == meant
    assert [f'{one.value} {one.images}' for one in way_out.without] == without


async def test_a_cyrillic_word_is_corrected_by_one_letter(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    for prompt in ('гавань на рассвете', 'гавань', 'ёлка'):
        await pictured(library, prompt)

    found = [await library.suggestions.way_out(Filter(words=typed)) for typed in ('гаванб', 'олка')]
    await library.close()

    assert [[(one.words, one.images) for one in some.meant] for some in found] == [
        [('гавань', 2)],
        [('елка', 1)],
    ]


async def test_a_search_is_counted_up_to_a_thousand_and_exactly_where_that_is_asked(
    tmp_path: Path,
) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    sent = await library.generations.submit(
        GenerationRequest(prompt='a fox'), provider='g4f', submission=None, now=1.0
    )
    claimed = await library.generations.claim('g4f', 2.0, sent.generation.id)
    assert claimed
    await library.generations.finish(claimed, drawn(*(kept(str(n)) for n in range(1001))), 3.0)

    totals = [
        await library.counters.total(Filter()),
        await library.counters.total(Filter(words='fox')),
        await library.counters.exact_total(Filter(words='fox')),
    ]
    first = (await library.images.page(Filter(words='fox'), None, 1))[0]
    await library.images.set_deleted(first.id, 5.0)
    totals.append(await library.counters.total(Filter(words='fox')))
    totals.append(await library.counters.total(Filter(words='fox', deleted=True)))
    await library.close()

    assert totals == [1001, None, 1001, 1000, 1]


async def test_the_index_is_merged_without_what_is_gone(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    images = [await pictured(library, f'a fox {number}') for number in range(12)]
    for image in images[:6]:
        await library.images.set_deleted(image.id, 5.0)
    before = await segments_of(library)

    await merge_all(library, lambda: True)
    meanwhile = await segments_of(library)
    await merge_all(library)

    found = await library.images.page(Filter(words='fox'), None, 9)
    assert meanwhile == before
    assert await segments_of(library) < min(before, 4)
    assert [image.id for image in found] == [image.id for image in images[:5:-1]]
    assert not await library.index.merge()
    await library.close()


async def test_an_index_of_many_parts_becomes_one(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    for setting in ('automerge', 'usermerge'):  # as where the parts are too unlike to be merged
        await library.database.run(
            'insert into image_words (image_words, rank) values (:setting, :most)',
            setting=setting,
            most=0 if setting == 'automerge' else 16,
        )
    images = [await pictured(library, f'a fox {number}') for number in range(MOST_SEGMENTS + 1)]
    before = await segments_of(library)

    await merge_all(library)

    found = await library.images.page(Filter(words='fox'), None, 20)
    assert before > MOST_SEGMENTS
    assert await segments_of(library) == 1
    assert [image.id for image in found] == [image.id for image in images[::-1]]
    await library.close()


async def segments_of(library: Library) -> int:
    rows = await library.database.all(dict, 'select distinct segid from image_words_idx')
    return len(rows)


async def test_what_was_counted_is_remembered_until_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, asked = await Library.open(tmp_path / 'easel.db'), Filter(words='fox')
    await pictured(library, 'a fox')
    total = await library.counters.total(asked)
    with monkeypatch.context() as patched:
        patched.setattr(library.database, 'read', None)
        again = await library.counters.total(asked)

    await pictured(library, 'another fox')

    assert (total, again, await library.counters.total(asked)) == (1, 1, 2)
    await library.close()

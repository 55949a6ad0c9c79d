"""The gallery's questions: pages, filters, counts, and what a typed word finds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.database import Library
from app.database.gallery.counters import Facet
from app.database.gallery.filters import Filter
from app.models.request import GenerationRequest
from tests.support.rows import drawn, kept, pictured

PROMPTS = [
    'A red fox in the snow',
    'Crème brûlée, naïve café',
    'Straße bei Nacht',
    'Рыжая лиса на снегу, ёлка',
    '夜の狐と雪',
    '한국의 고양이',
    'ΑΘΗΝΑ by night',
    'robot_arm v2.0 <lora:add_detail:0.8>',
    'one-eyed cat',
]


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def searched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    """Keep a picture of each prompt, to be searched and not changed."""
    library = await Library.open(tmp_path_factory.mktemp('searched') / 'easel.db')
    for text in PROMPTS:
        await pictured(library, text)
    yield library
    await library.close()


async def found(library: Library, words: str) -> list[str]:
    return [image.prompt for image in await library.images.page(Filter(words=words), None, 50)]


@pytest.mark.parametrize(
    ('words', 'prompt'),
    [
        ('fox', 0),
        ('FOX', 0),
        ('snow fox', 0),
        ('fo', 0),
        ('red fo', 0),
        ('creme', 1),
        ('BRÛLÉE', 1),
        ('cafe naive', 1),
        ('strasse', 2),
        ('лиса', 3),
        ('ЛИСА', 3),
        ('елка', 3),
        ('ёлка', 3),
        ('狐', 4),
        ('夜の', 4),
        ('狐と雪', 4),
        ('고양이', 5),
        ('αθηνα', 6),
        ('add_detail', 7),
        ('v2.0', 7),
        ('eyed', 8),
        ('one-eyed', 8),
    ],
)
@pytest.mark.asyncio(loop_scope='module')
async def test_a_word_finds_its_picture(words: str, prompt: int, searched: Library) -> None:
    assert await found(searched, words) == [PROMPTS[prompt]]


@pytest.mark.parametrize('words', ['dog', 'fox dog', 'ox', '雪狐', '狐夜', '!!!', '"', '*', '  - '])
@pytest.mark.asyncio(loop_scope='module')
async def test_what_no_prompt_holds_finds_nothing(words: str, searched: Library) -> None:
    assert await found(searched, words) == []


@pytest.mark.parametrize(
    'words',
    [
        '"fox',
        'fox"',
        '"fox" "snow"',
        'fox*',
        'fox^',
        '(fox',
        'fox)',
        '+fox',
        "fox'; --",
        'fox ; snow',
        '{fox} [snow]',
        'fox\x00',
        'fox \\',
    ],
)
@pytest.mark.asyncio(loop_scope='module')
async def test_signs_of_the_search_language_mean_nothing(words: str, searched: Library) -> None:
    assert await found(searched, words) == [PROMPTS[0]]


@pytest.mark.parametrize(
    'words', ['NEAR(fox snow)', 'fox AND snow', 'fox OR dog', 'fox NOT dog', 'words:fox']
)
async def test_words_of_the_search_language_are_words(words: str, library: Library) -> None:
    await pictured(library, PROMPTS[0])
    await pictured(library, f'{words} written out')

    assert await found(library, words) == [f'{words} written out']


@pytest.mark.parametrize('text', ['word ' * 500, '狐' * 5_000, 'x' * 32_000, 'İ' * 500])
async def test_a_very_long_question_is_asked_without_fault(text: str, library: Library) -> None:
    await pictured(library, text)

    assert await found(library, text) == [text]


async def test_pages_follow_each_other_without_gap_or_repeat(library: Library) -> None:
    images = [await pictured(library) for _ in range(7)]
    pages, before = [], None

    while page := await library.images.page(Filter(), before, 3):
        pages.append([image.id for image in page])
        before = page[-1].id

    newest_first = [image.id for image in reversed(images)]
    assert pages == [newest_first[:3], newest_first[3:6], newest_first[6:]]


async def test_a_page_stays_the_same_while_new_pictures_come(library: Library) -> None:
    old = [await pictured(library) for _ in range(3)]
    first = await library.images.page(Filter(), None, 2)
    await pictured(library)

    second = await library.images.page(Filter(), first[-1].id, 2)

    assert [image.id for image in second] == [old[0].id]


@pytest.mark.parametrize('words', ['', 'cat'])
async def test_the_neighbours_of_a_picture_are_among_the_chosen(
    words: str, library: Library
) -> None:
    images = [await pictured(library, model=model) for model in ('a', 'b', 'a', 'b', 'a')]

    chosen = Filter(words=words, model='a')

    newer = [await library.images.newer(chosen, image.id, 9) for image in images[::2]]
    older = [await library.images.page(chosen, image.id, 9) for image in images[::2]]

    ids = [image.id for image in images[::2]]
    assert [[image.id for image in some] for some in newer] == [ids[1:], ids[2:], []]
    assert [[image.id for image in some] for some in older] == [[], ids[:1], ids[1::-1]]


async def test_filters_combine_by_and(library: Library) -> None:
    await pictured(library, 'a cat', model='a')
    await pictured(library, 'a dog', model='a')
    right = await pictured(library, 'a cat', model='a', provider='demo')
    await library.images.set_favourite(right.id, favourite=True)
    chosen = Filter(words='cat', model='a', provider='demo', favourite=True)

    page = await library.images.page(chosen, None, 9)

    assert [image.id for image in page] == [right.id]


async def test_a_favourite_is_one_until_it_is_unmarked(library: Library) -> None:
    image = await pictured(library)
    marked = await library.images.set_favourite(image.id, favourite=True)

    unmarked = await library.images.set_favourite(image.id, favourite=False)

    assert (marked.favourite, unmarked.favourite) == (True, False)


async def test_a_deleted_picture_is_nowhere_until_it_is_restored(library: Library) -> None:
    image = await pictured(library)

    gone = await library.images.set_deleted(image.id, 5.0)

    assert gone.deleted_at == 5.0
    assert await library.images.page(Filter(), None, 9) == ()
    assert await found(library, 'cat') == []
    assert await library.files.of(image.digest) == ()
    assert (await library.generations.one(image.generation_id)).images == ()
    assert await library.generations.page(None, 9) == ()
    assert await library.images.set_deleted(image.id, None) == image
    assert await found(library, 'cat') == ['a cat']


async def test_counts_follow_what_is_deleted_and_restored(library: Library) -> None:
    first = await pictured(library, model='a')
    await pictured(library, model='b', provider='demo')
    second = await pictured(library, model='b')

    for deleted in (first, first, second):
        await library.images.set_deleted(deleted.id, 5.0)
    await library.images.set_deleted(second.id, None)
    await library.images.set_deleted(second.id, None)

    assert await library.counters.total(Filter()) == 2
    assert await library.counters.total(Filter(deleted=True)) == 1
    assert await library.counters.models(Filter()) == (Facet('b', 2),)
    assert await library.counters.total(Filter(provider='demo')) == 1


async def test_deleting_again_keeps_the_first_time(library: Library) -> None:
    image = await pictured(library)
    await library.images.set_deleted(image.id, 5.0)

    again = await library.images.set_deleted(image.id, 9.0)

    assert again.deleted_at == 5.0


async def test_two_pictures_of_one_digest_are_one_file_to_serve(library: Library) -> None:
    sent = await library.generations.submit(
        GenerationRequest(prompt='a', n=2), provider='g4f', submission=None, now=1.0
    )
    claimed = await library.generations.claim('g4f', 2.0, sent.generation.id)
    assert claimed
    await library.generations.finish(claimed, drawn(kept('same'), kept('same')), 3.0)
    first, second = (await library.generations.one(sent.generation.id)).images

    await library.images.set_deleted(first.id, 5.0)

    [found] = await library.files.of('same')
    assert found
    assert found.file == second.file

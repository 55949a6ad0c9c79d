"""Where pictures stand in the gallery and its albums, and how many there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.database import Library
from app.database.gallery import near_trash, shuffle
from app.database.gallery.counters import Facet
from app.database.gallery.filters import Filter, Order
from app.database.gallery.shuffle import Shuffle
from tests.support.rows import pictured


async def test_a_picture_stands_where_it_was_made_whatever_its_id(library: Library) -> None:
    today = await pictured(library, 'today', made_at=3_000.0)
    long_ago = await pictured(library, 'long ago', made_at=1_000.0)
    at_once = [await pictured(library, 'at once', made_at=2_000.0) for _ in range(3)]

    found = await library.images.page(Filter(), None, 9)
    from_one = await library.images.page(Filter(), at_once[1].id, 9, with_edge=True)
    above = await library.images.newer(Filter(), long_ago.id, 9)
    searched = await library.images.page(Filter(words='at once'), None, 9)

    order = [today.id, *(image.id for image in reversed(at_once)), long_ago.id]
    assert [image.id for image in found] == order
    assert [image.id for image in from_one] == order[2:]
    assert [image.id for image in above] == order[-2::-1]
    assert [image.id for image in searched] == order[1:4]
    assert await library.images.page(Filter(), 1_000, 1) == found[:1]


async def test_the_trash_begins_with_what_was_deleted_last(library: Library) -> None:
    older, newer, first, last = [await pictured(library) for _ in range(4)]
    for image, deleted_at in ((older, 6.0), (newer, 6.0), (first, 9.0), (last, 5.0)):
        await library.images.set_deleted(image.id, deleted_at)
    trash, images = Filter(deleted=True), library.images

    found = [image.id for image in await images.page(trash, None, 9)]
    searched = await images.page(Filter(deleted=True, words='cat'), None, 9)
    after = {image: await images.page(trash, image, 1) for image in found[:-1]}
    above = await images.newer(trash, last.id, 9)

    assert found == [first.id, newer.id, older.id, last.id]
    assert [image.id for image in searched] == found
    assert [one.id for image in found[:-1] for one in after[image]] == found[1:]
    assert [image.id for image in above] == found[-2::-1]
    await images.set_deleted(older.id, None)
    assert [image.id for image in await images.page(trash, older.id, 1)] == [first.id]


@pytest.mark.parametrize('near', [3, 5, 600])
async def test_what_is_found_in_the_trash_is_whole_however_little_of_it_is_near(
    library: Library, monkeypatch: pytest.MonkeyPatch, near: int
) -> None:
    monkeypatch.setattr(near_trash, 'NEAR', near)
    deleted: dict[int, float] = {}
    for number in range(16):
        image = await pictured(library, 'a cat' if number % 3 else 'a dog')
        deleted[image.id] = float(number * 5 % 16 // 2)
        await library.images.set_deleted(image.id, deleted[image.id])
    dogs, images = [*deleted][::3], library.images

    for sort in (Order.NEWEST, Order.OLDEST):
        chosen = Filter(deleted=True, words='cat', sort=sort)
        down: list[int] = []
        while page := await images.page(chosen, down[-1] if down else None, 2):
            down += [image.id for image in page]
        up = [image.id for image in await images.newer(chosen, down[-1], 30)]

        order = sorted(deleted, key=lambda one: (deleted[one], one), reverse=sort is Order.NEWEST)
        assert down == [one for one in order if one not in dogs]
        assert up == down[-2::-1]


async def test_an_album_has_counts_of_its_own(library: Library) -> None:
    images = [await pictured(library, model=model) for model in ('a', 'b', 'b')]
    await library.database.insert('albums', {'name': 'cats', 'created_at': 1.0})
    for image in images[1:]:
        await library.database.run(
            """
            insert into album_images
            select 1, sort_key, id, 1.0
            from images
            where id = :id
            """,
            id=image.id,
        )

    await library.images.set_favourite(images[1].id, favourite=True)
    await library.images.set_deleted(images[2].id, 5.0)

    counters, album = library.counters, Filter(album=1)
    assert await counters.total(album) == 1
    assert await counters.total(Filter(album=1, favourite=True)) == 1
    assert await counters.total(Filter(album=1, deleted=True)) == 1
    assert await counters.months(album) == (Facet('1970-01', 1),)
    assert [image.id for image in await library.images.page(album, None, 9)] == [images[1].id]
    await library.database.run('delete from album_images where image = :id', id=images[1].id)
    assert await counters.total(album) == 0
    assert await counters.total(Filter()) == 2


async def test_the_oldest_can_stand_first(library: Library) -> None:
    images = [await pictured(library, made_at=made_at) for made_at in (3.0, 1.0, 2.0)]
    oldest_first = [images[1].id, images[2].id, images[0].id]
    chosen = Filter(sort=Order.OLDEST)

    found = await library.images.page(chosen, None, 9)
    behind = await library.images.page(chosen, oldest_first[1], 9)
    before = await library.images.newer(chosen, oldest_first[2], 9)

    assert [image.id for image in found] == oldest_first
    assert [image.id for image in behind] == oldest_first[2:]
    assert [image.id for image in before] == oldest_first[1::-1]


@pytest.mark.parametrize(
    ('chosen', 'most_tried'),
    [
        (Filter(model='a'), 0),
        (Filter(model='a'), 10_000),
        (Filter(words='model:a'), 0),
        (Filter(words='model:a'), 10_000),
    ],
    ids=['sorted', 'tried', 'words sorted', 'words tried'],
)
async def test_a_random_order_is_whole_both_ways_and_another_for_each_seed(
    library: Library, monkeypatch: pytest.MonkeyPatch, chosen: Filter, most_tried: int
) -> None:
    monkeypatch.setattr(shuffle, 'MOST_TRIED', most_tried)
    monkeypatch.setattr(shuffle, 'MOST_TRIED_BY_WORDS', most_tried)
    monkeypatch.setattr(shuffle, 'FEW_BY_WORDS', 0)
    images = [await pictured(library, model='ab'[number % 2]) for number in range(20)]
    chosen = replace(chosen, sort=Order.RANDOM, shuffle=7)

    down: list[int] = []
    while page := await library.images.page(chosen, down[-1] if down else None, 3):
        down += [image.id for image in page]
    up = [image.id for image in await library.images.newer(chosen, down[-1], 30)]
    again = await library.images.page(chosen, down[4], 3, with_edge=True)
    other = await library.images.page(replace(chosen, shuffle=8), None, 30)

    assert sorted(down) == [image.id for image in images if image.model == 'a']
    assert up == down[-2::-1]
    assert [image.id for image in again] == down[4:7]
    assert [image.id for image in other] not in (down, sorted(down), sorted(down)[::-1])


def test_a_random_order_is_a_permutation() -> None:
    order = Shuffle.of(3, 4_000)

    places = {order.place_of(number) for number in range(order.size)}

    assert places == set(range(order.size))
    assert all(order.id_at(order.place_of(number)) == number for number in range(order.size))

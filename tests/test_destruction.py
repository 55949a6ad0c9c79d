"""What a kill in the middle leaves: acts go on, and every picture is whole or wholly gone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from app.cli.rebuild import rebuild
from app.database.acts.kinds import PIECE, ActKind, ActState, NewAct
from app.database.gallery.filters import Filter
from app.errors import StorageFailed
from app.gallery.trash import DAY_S, KEPT_DAYS, Trash
from app.maintenance.verification import find_faults
from app.models import Image
from app.storage.metadata.container import sidecar_of
from app.web.context import Services
from tests.support.guests import draw
from tests.support.many_pictures import many, put_files
from tests.support.raw_requests import open_door


async def half_destroyed(services: Services) -> Image:
    """Keep two pictures, delete one for good, and end before its files are removed."""
    await draw(services, 'stays', None)
    number = await draw(services, 'goes', None)
    image = await services.library.images.set_deleted(number, 5.0)
    sidecar_of(services.store.original(image.file)).write_text('a label')
    new = NewAct(kind=ActKind.DESTROY)
    act = await services.library.acts.begin(new, 1, 9.0)
    await services.library.acts.choose(act.id, new, f'[{number}]', last=True)
    await services.library.acts.step(act.id, 9.0)
    return image


def files_of(services: Services, image: Image) -> list[bool]:
    original = services.store.original(image.file)
    thumbs = [services.store.thumb(image.digest, width) for width in (480, 960)]
    return [path.exists() for path in (original, sidecar_of(original), *thumbs)]


async def test_the_next_start_removes_the_files_of_pictures_that_are_gone(tmp_path: Path) -> None:
    async with open_door(tmp_path) as (_, services):
        image = await half_destroyed(services)
        between = files_of(services, image)
    faults = list(find_faults(tmp_path))

    async with open_door(tmp_path) as (_, services):
        after, notices = files_of(services, image), services.recovery.notices
        left = await services.library.removals.after('')

    assert (between, after) == ([True] * 4, [False] * 4)
    assert (faults, notices, left) == ([], (), ())


async def test_a_mask_goes_with_the_last_picture_that_was_made_with_it(tmp_path: Path) -> None:
    async with open_door(tmp_path) as (_, services):
        library, mask = services.library, services.store.mask('a' * 64)
        mask.parent.mkdir(parents=True)
        mask.touch()
        numbers = [await draw(services, 'a fox', None) for _ in range(2)]
        await library.database.write(
            lambda db: db.execute('update generations set mask = :mask', {'mask': 'a' * 64})
        )
        found = []
        for number in numbers:
            await library.images.set_deleted(number, 5.0)
            act = await services.acts.begin(NewAct(kind=ActKind.DESTROY), [f'[{number}]'])
            await services.acts.settled(act.id)
            found.append((mask.exists(), (await library.generations.one(number)).request.mask))

    assert found == [(True, 'a' * 64), (False, None)]


async def test_a_rebuild_brings_nothing_back_that_was_deleted_for_good(tmp_path: Path) -> None:
    async with open_door(tmp_path) as (_, services):
        image = await half_destroyed(services)
        config = services.config

    status = await asyncio.to_thread(rebuild, config)

    async with open_door(tmp_path) as (_, services):
        assert files_of(services, image) == [False] * 4
        shown = await services.library.images.page(Filter(), None, 9)
    assert (status, [one.prompt for one in shown]) == (0, ['stays'])


async def test_an_act_goes_on_after_a_restart(tmp_path: Path) -> None:
    count, new = 2 * PIECE + 1, NewAct(kind=ActKind.DELETE)
    async with open_door(tmp_path) as (_, services):
        await many(services.library, count)
        rows = services.library.acts
        [part] = await rows.chosen(Filter(), count)
        long = await rows.begin(new, count, 9.0)
        await rows.choose(long.id, new, part, last=True)
        first = await rows.step(long.id, 9.0)
        cut = await rows.begin(NewAct(kind=ActKind.FAVOURITE), count, 9.0)
        await rows.choose(cut.id, NewAct(kind=ActKind.FAVOURITE), part, last=False)

    async with open_door(tmp_path) as (_, services):
        await services.acts.resume()
        for act in (long, cut):
            await services.acts.settled(act.id)
        ended = [await services.library.acts.one(act.id) for act in (long, cut)]
        left = await services.library.counters.exact_total(Filter())
        marked = await services.library.counters.exact_total(Filter(deleted=True, favourite=True))

    assert first.act.changed == PIECE
    assert [act.state for act in ended] == [ActState.DONE, ActState.UNDONE]
    assert (ended[0].changed, left, marked) == (count, 0, 0)


async def test_the_trash_empties_itself_after_30_days_if_that_is_wanted(tmp_path: Path) -> None:
    now = 100 * DAY_S
    async with open_door(tmp_path) as (_, services):
        await many(services.library, 4)
        put_files(services.store.images)
        for number, days in ((1, 31), (2, 29), (3, 31)):
            await services.library.images.set_deleted(number, now - days * DAY_S)
        await services.library.images.set_favourite(3, favourite=True)
        trash = Trash(services.library, services.acts, clock=lambda: now)

        await trash.look()
        before = await services.library.acts.chosen(Filter(deleted=True), 99)
        await trash.switch(on=True)
        await trash.look()

        after = await services.library.acts.chosen(Filter(deleted=True), 99)
    assert KEPT_DAYS == 30
    assert sorted(json.loads(before[0])) == [1, 2, 3]
    assert sorted(json.loads(after[0])) == [2, 3]


async def test_nothing_is_destroyed_while_the_pictures_are_not_mounted(tmp_path: Path) -> None:
    async with open_door(tmp_path) as (_, services):
        number = await draw(services, 'elsewhere', None)
        await services.library.images.set_deleted(number, 5.0)
        services.store.images.rename(tmp_path / 'unmounted')
        services.store.images.mkdir()

        with pytest.raises(StorageFailed):
            await services.acts.begin(NewAct(kind=ActKind.DESTROY), [f'[{number}]'])

        assert (await services.library.images.one(number)).deleted_at == 5.0

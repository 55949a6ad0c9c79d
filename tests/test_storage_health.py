"""Whether pictures can be kept: tried out before each call, once for all that begin together."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from app.storage.files import refused
from app.storage.health import NO_ROOM, UNWRITABLE, find_problem
from tests.support.fakes import FakeProvider, arriving_in, storing
from tests.support.worker_setup import Shop, shop_in

MB = 1_000_000
Usage = type(shutil.disk_usage('/'))


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop_in(tmp_path, FakeProvider()) as shop:
        yield shop


@pytest.mark.parametrize(
    ('total_mb', 'free_mb', 'least_mb'),
    [(500_000, 199, 200), (500_000, 200, None), (12, 1, 2), (12, 2, None), (0, 0, None)],
)
async def test_less_than_the_reserve_is_no_room(
    total_mb: int,
    free_mb: int,
    least_mb: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usage = Usage(total_mb * MB, (total_mb - free_mb) * MB, free_mb * MB)
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage)
    async with storing(tmp_path) as store:
        problem = find_problem(store)

    assert (problem and problem.sentence) == (NO_ROOM if least_mb else None)
    assert (problem and problem.places['reserve_mb']) == least_mb


async def test_the_try_leaves_nothing_behind_and_makes_what_was_removed(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        shutil.rmtree(store.images)
        shutil.rmtree(store.arriving)

        assert find_problem(store) is None

        assert arriving_in(tmp_path) == []
        assert not [path for path in store.images.rglob('*') if path.is_file()]


async def test_a_database_that_another_program_locks_is_named(shop: Shop, tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / 'easel.db'))
    other.execute('begin immediate')

    locked = await shop.monitor.check()
    problem = shop.monitor.problem
    other.execute('rollback')

    assert (locked, await shop.monitor.check()) == (False, True)
    assert problem
    assert (problem.sentence, problem.places['what']) == (UNWRITABLE, 'easel.db')


async def test_calls_that_begin_together_are_one_try(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[None] = []
    check = shop.library.database.check_writable

    async def counted() -> None:
        tries.append(None)
        await check()

    monkeypatch.setattr(shop.library.database, 'check_writable', counted)

    assert all([await shop.monitor.check() for _ in range(10)])
    assert len(tries) == 1

    shop.monitor.report(1, refused('Read-only file system'))
    assert shop.monitor.problem
    assert await asyncio.gather(*[shop.monitor.check() for _ in range(10)]) == [True] * 10
    assert len(tries) == 2

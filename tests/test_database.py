"""The database file: ids, newer and damaged files, and changes that are all or nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import apsw
import pytest

from app.database import Library
from app.database.sqlite.connection import select
from app.database.sqlite.readers import read_beside
from app.errors import AppError, Conflict, StorageFailed
from tests.support.rows import locked, submitted


async def test_an_id_is_never_used_again(tmp_path: Path) -> None:
    path = tmp_path / 'easel.db'
    library = await Library.open(path)
    last = await submitted(library)
    await library.close()
    with sqlite3.connect(path) as connection:
        connection.execute('delete from generations')
    connection.close()

    library = await Library.open(path)
    following = await submitted(library)
    await library.close()

    assert following.id > last.id


async def test_a_newer_database_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / 'easel.db'
    connection = sqlite3.connect(path)
    connection.execute('pragma user_version = 999')
    connection.execute('create table newer (x)')
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StorageFailed, match='newer'):
        await Library.open(path)

    assert path.read_bytes() == before
    assert not path.with_name('easel.db-wal').exists()


async def test_a_refused_change_keeps_nothing_of_it(library: Library) -> None:
    def change(db: apsw.Connection) -> None:
        db.execute("update generations set status = 'done'")
        raise Conflict('no')

    before = await submitted(library)
    with pytest.raises(AppError):
        await library.database.write(change)

    assert await library.generations.one(before.id) == before


@pytest.mark.parametrize('version', [None, 999], ids=['damaged', 'newer'])
async def test_a_database_that_can_not_be_opened_leaves_no_thread(
    version: int | None, tmp_path: Path
) -> None:
    path = database_of(version, tmp_path)
    before = set(threading.enumerate())

    with pytest.raises(StorageFailed) as caught:
        await Library.open(path)

    new = [one for one in threading.enumerate() if one not in before and 'database' in one.name]
    for thread in new:
        thread.join(5)
    assert not any(thread.is_alive() for thread in new)
    assert str(path) in str(caught.value)


async def test_a_database_is_read_beside_the_program_that_has_it_open(
    library: Library, tmp_path: Path
) -> None:
    await submitted(library, 'a heron')

    found = read_beside(
        tmp_path / 'easel.db', lambda db: select(db, 'select prompt from generations')
    )

    assert found == [{'prompt': 'a heron'}]


@pytest.mark.parametrize('version', [1, 999])
def test_a_database_of_another_version_is_not_read_beside(version: int, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match=r'another version|a newer Easel'):
        read_beside(database_of(version, tmp_path), lambda db: select(db, 'select 1'))


def database_of(version: int | None, folder: Path) -> Path:
    """Write an empty database of a version, or what is none."""
    path = folder / 'easel.db'
    if version is None:
        path.write_bytes(b'no database at all' * 100)
        return path
    connection = apsw.Connection(str(path))
    connection.pragma('user_version', version)
    connection.close()
    return path


async def test_a_database_that_was_closed_is_one_file(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    await submitted(library)
    before = {path.name for path in folder_of(tmp_path)}

    await library.close()
    await library.close()

    assert 'easel.db-wal' in before
    assert [path.name for path in folder_of(tmp_path)] == ['easel.db']


async def test_reads_go_on_while_another_program_holds_the_write_lock(
    library: Library, tmp_path: Path
) -> None:
    before = await submitted(library, 'before')
    with locked(tmp_path):
        writing = asyncio.create_task(submitted(library, 'meanwhile'))
        await asyncio.sleep(0)  # so that the write is before the read

        found = await library.generations.one(before.id)
        waits = not writing.done()
    written = await writing

    assert (found, waits) == (before, True)
    assert (await library.generations.one(written.id)).request.prompt == 'meanwhile'


async def test_writes_wait_for_a_lock_together_and_not_one_after_the_other(
    library: Library, tmp_path: Path
) -> None:
    with locked(tmp_path):
        async with asyncio.timeout(2):
            failed = await asyncio.gather(
                *[submitted(library) for _ in range(4)], return_exceptions=True
            )

    assert {type(one) for one in failed} == {StorageFailed}
    assert (await submitted(library)).id == 1


async def test_a_read_can_change_nothing(library: Library) -> None:
    with pytest.raises(StorageFailed):
        await library.database.read(lambda db: db.execute('delete from generations'))


def folder_of(path: Path) -> list[Path]:
    return list(path.iterdir())


async def test_reads_share_a_connection_where_no_second_can_be_opened(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    await library.database.read(lambda _: None)
    first_is_at_work, second_is_there = threading.Event(), threading.Event()

    def refuse(*_: object, **__: object) -> None:
        second_is_there.set()
        raise apsw.CantOpenError

    def wait(_: apsw.Connection) -> bool:
        first_is_at_work.set()
        return second_is_there.wait(10)

    monkeypatch.setattr('apsw.Connection', refuse)
    first = asyncio.create_task(library.database.read(wait))
    await asyncio.to_thread(first_is_at_work.wait, 10)
    second = await library.database.read(lambda _: 'read')

    assert (await first, second) == (True, 'read')

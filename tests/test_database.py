"""The database file: ids, newer and damaged files, and changes that are all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from app.database import Library
from app.errors import AppError, Conflict, StorageFailed
from tests.support.rows import submitted


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    library = await Library.open(tmp_path / 'easel.db')
    yield library
    await library.close()


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


@pytest.mark.parametrize(
    'content', [b'no database at all' * 100, b'SQLite format 3\0' + b'x' * 500]
)
async def test_a_damaged_database_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / 'easel.db'
    path.write_bytes(content)

    with pytest.raises(StorageFailed):
        await Library.open(path)

    assert path.read_bytes() == content


async def test_a_refused_change_keeps_nothing_of_it(library: Library) -> None:
    def change(db: apsw.Connection) -> None:
        db.execute("update generations set status = 'done'")
        raise Conflict('no')

    before = await submitted(library)
    with pytest.raises(AppError):
        await library.database.write(change)

    assert await library.generations.one(before.id) == before

"""The database file: one connection that writes, used by one thread alone, beside its readers.

apsw carries its own SQLite: releases before 3.51.3 can lose commits when a WAL is reset.
Source: https://sqlite.org/wal.html#walresetbug
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

import apsw

from app.database.sqlite.opening import DAMAGE, Functions, connect
from app.database.sqlite.readers import Readers
from app.errors import N_, StorageFailed, Unkeepable

T = TypeVar('T')
Value: TypeAlias = str | int | float | None
Row: TypeAlias = dict[str, Value]

LOCK_TIMEOUT_MS = 600  # somebody waits for each write, or it is tried again
LOOK_EVERY_MS = 20
CAN_NOT_KEEP = N_("The database couldn't save this: {reason}.")
IS_DAMAGED = N_(
    'The database is damaged ({reason}). Stop Easel, then run `easel restore '
    'FILE.tar` to restore a backup, or `easel rebuild` to rebuild the database from '
    'the pictures.'
)
# A new picture changes nothing of those before it. The triggers are gone with the connection.
WATCH = ''.join(
    f'create temp trigger note_{act}_{table} after {act} on main.{table} '
    'begin select note_change(); end;'
    for table, acts in {
        'images': ('update', 'delete'),
        'album_images': ('insert', 'update', 'delete'),
        'albums': ('update', 'delete'),
    }.items()
    for act in acts
)
# What is refused for itself; all else (busy, full, broken) may pass.
REFUSALS = (
    *(apsw.ConstraintError, apsw.MismatchError, apsw.RangeError),
    *(apsw.SQLError, apsw.TooBigError),
)


class Database:
    """Runs every transaction on one thread, one at a time, and reads beside it.

    Each raises `StorageFailed` where SQLite refuses, and then has changed nothing; `Unkeepable`
    where it would refuse the same again.
    """

    def __init__(
        self, connection: apsw.Connection, thread: ThreadPoolExecutor, readers: Readers
    ) -> None:
        self._connection = connection
        self._thread = thread
        self._readers = readers
        self._closed = False
        self._asked_at = 0.0  # for the transaction that the thread is at
        self._is_noted = False  # that the transaction changes what `pictures_version` counts
        self.version = 0  # goes on with each change
        self.pictures_version = 0  # goes on with each change of who may see which kept picture
        connection.set_busy_handler(self._wait_for_lock)
        connection.create_scalar_function('note_change', self._note_change, 0)
        connection.execute(WATCH)

    @classmethod
    async def open(cls, path: Path, functions: Functions) -> Database:
        """Open the file, making or upgrading it by statements that may call `functions`.

        Raises `StorageFailed`: it cannot be opened, is damaged, or a newer Easel wrote it.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix='database')
        loop = asyncio.get_running_loop()
        try:
            connection = await loop.run_in_executor(thread, connect, path, functions)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(connection, thread, Readers(path))

    async def read(self, query: Callable[[apsw.Connection], T]) -> T:
        """Run a query, which sees one state of the database and can change nothing."""
        return await _result_of(self._readers.submit(query))

    async def write(self, change: Callable[[apsw.Connection], T]) -> T:
        """Run a change as one durable transaction."""
        asked_at = time.monotonic()

        def transaction() -> T:
            connection, self._asked_at = self._connection, asked_at
            connection.execute('begin immediate')
            self._is_noted = False
            try:
                changed = change(connection)
                connection.execute('commit')
                self.version += 1
                self.pictures_version += self._is_noted
            except BaseException:
                if connection.in_transaction:  # SQLite ends it itself when the disk is full
                    connection.execute('rollback')
                raise
            return changed

        return await _result_of(self._thread.submit(transaction))

    async def all(self, build: Callable[[Row], T], sql: str, **values: Value) -> tuple[T, ...]:
        """Read every row of a statement, as what `build` makes of it."""
        return await self.read(lambda db: tuple(build(row) for row in select(db, sql, **values)))

    async def one(self, build: Callable[[Row], T], sql: str, **values: Value) -> T | None:
        """Read the first row of a statement, None where there is none."""
        found = await self.all(build, sql, **values)
        return found[0] if found else None

    async def run(self, sql: str, **values: Value) -> list[Row]:
        """Run one statement as a transaction; returns the rows of its `returning` clause."""
        return await self.write(lambda db: select(db, sql, **values))

    async def insert(self, table: str, columns: Mapping[str, Value]) -> Row:
        """Insert a row and return it with its id; an `id` of None is chosen by SQLite."""
        [row] = await self.write(lambda db: insert(db, table, columns))
        return row

    async def check_writable(self) -> None:
        """Commit a page as it is; raise `StorageFailed` where nothing can be written now."""
        await self.write(lambda db: db.pragma('user_version', int(db.pragma('user_version'))))

    def _note_change(self, *_: object) -> None:
        self._is_noted = True

    def _wait_for_lock(self, _tries: int) -> bool:
        """Wait a moment for a lock; those behind wait as long as it, not one after the other."""
        if time.monotonic() - self._asked_at > LOCK_TIMEOUT_MS / 1000:
            return False
        time.sleep(LOOK_EVERY_MS / 1000)
        return True

    async def close(self) -> None:
        """Write the journal back and close the file; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        # the last to close writes the journal back, which no reader can
        await loop.run_in_executor(self._thread, self._readers.close)
        await loop.run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()


class Table:
    """Statements about one part of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database


async def _result_of(work: Future[T]) -> T:
    """Wait for a thread's work; raises what `Database` does."""
    try:
        return await asyncio.wrap_future(work)
    except apsw.Error as error:
        refused = Unkeepable if isinstance(error, REFUSALS) else StorageFailed
        sentence = IS_DAMAGED if isinstance(error, DAMAGE) else CAN_NOT_KEEP
        raise refused(sentence, reason=error) from error


def builder(model: Callable[..., T], *switches: str) -> Callable[[Mapping[str, object]], T]:
    """Return what builds a model of a row, whose 0 and 1 are bools in these columns."""
    return lambda row: model(**{**row, **{name: bool(row[name]) for name in switches}})


def select(db: apsw.Connection, sql: str, **values: Value) -> list[Row]:
    """Run a statement within a transaction and return its rows."""
    return cast('list[Row]', db.execute(sql, values).fetchall())


def insert(
    db: apsw.Connection, table: str, columns: Mapping[str, Value], ending: str = 'returning *'
) -> list[Row]:
    """Insert one row within a transaction; `ending` follows its values in the statement."""
    names, places = ', '.join(columns), ', '.join(f':{name}' for name in columns)
    sql = f'insert into {table} ({names}) values ({places}) {ending}'  # noqa: S608 (names are ours)
    return select(db, sql, **columns)

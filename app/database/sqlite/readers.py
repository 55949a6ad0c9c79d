"""Read-only connections: of the server, so that no reader waits, and from beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import Empty, LifoQueue
from typing import TypeVar

import apsw

from app.database.sqlite.opening import (
    journal_of,
    migrations,
    named,
    open_file,
    refusal,
    refuse_newer,
)
from app.errors import N_, StorageFailed
from app.log import logger

log = logger(__name__)

T = TypeVar('T')

MOST_READERS = 2
READER_CACHE_KB = 2_048  # else what leads to sixty pictures of many years is read for each page
READER_TIMEOUT_MS = 1_000  # for a lock that only whoever mends the file holds
PAGES_A_STEP = 256  # of a copy: a megabyte
STEPS_A_REST = 10_000  # of a check: some milliseconds of SQLite's machine


class Readers:
    """Connections that cannot write; the second is opened when needed, and where that is possible.

    A query sees one state of the database from its first statement to its last.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(MOST_READERS, thread_name_prefix='database-reader')
        self._idle = LifoQueue[apsw.Connection]()  # the last one used has the warmest cache
        self._opened: list[apsw.Connection] = []

    def submit(self, query: Callable[[apsw.Connection], T]) -> Future[T]:
        """Run a query; its future raises what apsw does."""
        return self._threads.submit(self._run, query)

    def close(self) -> None:
        """Wait for what runs, then close every connection."""
        self._threads.shutdown()
        for connection in self._opened:
            connection.close()

    def _run(self, query: Callable[[apsw.Connection], T]) -> T:
        connection = self._take()
        try:
            connection.execute('begin')
            try:
                return query(connection)
            finally:
                if connection.in_transaction:  # SQLite ends it itself on some faults
                    connection.execute('rollback')
        finally:
            self._idle.put(connection)

    def _take(self) -> apsw.Connection:
        with contextlib.suppress(Empty):
            return self._idle.get_nowait()
        try:
            return self._open()
        except apsw.Error:  # like one that says that too many files are open
            if not self._opened:
                raise
        return self._idle.get()

    def _open(self) -> apsw.Connection:
        connection = open_file(self._path, apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(READER_TIMEOUT_MS)
        connection.execute(f'pragma cache_size = -{READER_CACHE_KB}')
        connection.row_trace = named
        self._opened.append(connection)
        return connection


@contextlib.contextmanager
def beside(path: Path) -> Iterator[apsw.Connection]:
    """Open a database that another process may hold, without writing even a lock beside it.

    Raises `StorageFailed`: it cannot be read now, or a newer Easel wrote it.
    """
    # with no journal beside it nobody has it open, and only then may the file count as still
    still = '' if journal_of(path).exists() else '&immutable=1'
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        address = f'{path.absolute().as_uri()}?mode=ro{still}'
        with contextlib.closing(apsw.Connection(address, flags=flags)) as connection:
            connection.set_busy_timeout(READER_TIMEOUT_MS)
            connection.row_trace = named
            refuse_newer(connection, path)
            yield connection
    except apsw.Error as error:
        raise refusal(path, error) from error


def write_beside(path: Path, statement: str, **values: int) -> None:
    """Run one statement on a database that another process may hold; a refusal is only logged."""
    try:
        with contextlib.closing(open_file(path, apsw.SQLITE_OPEN_READWRITE)) as connection:
            connection.set_busy_timeout(READER_TIMEOUT_MS)
            connection.execute(statement, values)
    except apsw.Error as error:
        log.warning('%s takes no writing: %s', path, error)


def read_beside(path: Path, query: Callable[[apsw.Connection], T]) -> T:
    """Query a database as `beside` opens it. Raises `StorageFailed` also at another version."""
    with beside(path) as connection:
        if int(connection.pragma('user_version')) != len(migrations()):
            raise StorageFailed(N_('{path} is from another version of Easel.'), path=path)
        return query(connection)


def copy_database(path: Path, target: Path, rest: Callable[[], None]) -> None:
    """Copy a database as it is at one moment, whatever is written to it meanwhile.

    `rest` is called after each megabyte. Raises `StorageFailed` also at a damaged one.
    """
    with beside(path) as source:
        # one read transaction for all steps: a change by others would start the copy over
        source.execute('begin')
        source.execute('select 1 from sqlite_schema').fetchall()
        with contextlib.closing(
            open_file(target, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        ) as copy:
            copy.execute('pragma journal_mode = off')
            copy.execute('pragma synchronous = off')
            with copy.backup('main', source, 'main') as backup:
                while not backup.done:
                    backup.step(PAGES_A_STEP)
                    rest()
            copy.execute('pragma journal_mode = delete')  # alone, without a file beside it
            _check(copy)


def check_database(path: Path, rest: Callable[[], None] | None = None) -> None:
    """Raise `StorageFailed` where SQLite finds a database damaged; `rest` is called meanwhile."""
    with beside(path) as connection:
        if rest:
            connection.set_progress_handler(lambda: bool(rest()), STEPS_A_REST)
        _check(connection)


def _check(connection: apsw.Connection) -> None:
    found = str(connection.pragma('quick_check', 1))
    if found != 'ok':
        raise apsw.CorruptError(found.partition('\n')[0])

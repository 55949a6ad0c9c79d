"""Read-only connections, so that no reader waits for whoever writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from app.database.sqlite.opening import named

T = TypeVar('T')

MOST_READERS = 2
READER_CACHE_KB = 512
READER_TIMEOUT_MS = 1_000  # for a lock that only whoever mends the file holds


class Readers:
    """Connections that cannot write, each of one thread alone; the second is opened when needed.

    A query sees one state of the database from its first statement to its last.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(MOST_READERS, thread_name_prefix='database-reader')
        self._own = threading.local()
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
        connection: apsw.Connection | None = getattr(self._own, 'connection', None)
        if connection is None:
            connection = self._own.connection = self._open()
        connection.execute('begin')
        try:
            return query(connection)
        finally:
            connection.execute('rollback')

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        self._opened.append(connection)
        connection.set_busy_timeout(READER_TIMEOUT_MS)
        connection.execute(f'pragma cache_size = -{READER_CACHE_KB}')
        connection.row_trace = named
        return connection

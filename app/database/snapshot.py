"""A database seen from beside: a copy of it, and the files that its rows name.

All of it blocks, reads older versions too, and raises `StorageFailed` as `beside` does.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import apsw

from app.database.sqlite.connection import beside, builder, select
from app.models import KeptFile

PAGES_A_STEP = 256  # a megabyte
ROWS_A_PAGE = 500


def copy_database(path: Path, target: Path, rest: Callable[[], None]) -> None:
    """Copy a database as it is at one moment, whatever is written to it meanwhile.

    `rest` is called after each megabyte. Raises `StorageFailed` also at a damaged one.
    """
    with beside(path) as source:
        # one read transaction for all steps: a change by others would start the copy over
        source.execute('begin')
        select(source, 'select 1 from sqlite_schema')
        with contextlib.closing(apsw.Connection(str(target))) as copy:
            copy.execute('pragma journal_mode = off')
            copy.execute('pragma synchronous = off')
            with copy.backup('main', source, 'main') as backup:
                while not backup.done:
                    backup.step(PAGES_A_STEP)
                    rest()
            copy.execute('pragma journal_mode = delete')  # alone, without a file beside it
            _check(copy)


def check_database(path: Path) -> None:
    """Raise `StorageFailed` where SQLite finds a database damaged."""
    with beside(path) as connection:
        _check(connection)


def _check(connection: apsw.Connection) -> None:
    found = str(connection.pragma('quick_check', 1))
    if found != 'ok':
        raise apsw.CorruptError(found.partition('\n')[0])


def kept_files(path: Path) -> Iterator[KeptFile]:
    """Read what every picture's row says of its file, also of those in the trash."""
    last = 0
    while files := _files_after(path, last):
        yield from files
        last = files[-1].id


def _files_after(path: Path, image_id: int) -> list[KeptFile]:
    sql = """
        select id, file, size_bytes, digest
        from images
        where id > :id
        order by id
        limit :limit
    """
    with beside(path) as connection:
        rows = select(connection, sql, id=image_id, limit=ROWS_A_PAGE)
    return [builder(KeptFile)(row) for row in rows]


def total_of(path: Path) -> tuple[int, int]:
    """Count the pictures, and the bytes of their files."""
    sql = 'select count(*) as images, coalesce(sum(size_bytes), 0) as size_bytes from images'
    with beside(path) as connection:
        [row] = select(connection, sql)
    return cast('int', row['images']), cast('int', row['size_bytes'])


def named_files(path: Path, files: Sequence[str]) -> set[str]:
    """Return those of some files that a row names."""
    sql = 'select file from images where file in (select value from json_each(:files))'
    with beside(path) as connection:
        return {str(row['file']) for row in select(connection, sql, files=json.dumps(files))}


def running_since(path: Path) -> float | None:
    """Return when the first of the generations began that run now, in seconds since 1970."""
    sql = "select min(started_at) as began_at from generations where status = 'running'"
    with beside(path) as connection:
        [row] = select(connection, sql)
    return cast('float | None', row['began_at'])

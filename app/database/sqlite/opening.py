"""Opens the database's file: checks it, makes it or upgrades it, and changes nothing it refuses."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import apsw

from app.errors import N_, StorageFailed
from app.log import logger

log = logger(__name__)
Functions: TypeAlias = Mapping[str, Callable[..., str | None]]  # by their names in SQL

MIGRATIONS = Path(__file__).parents[1] / 'migrations'
OLDEST_SAFE_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 5_000
DAMAGE = (apsw.CorruptError, apsw.NotADBError)
NO_SHARED_MEMORY = (
    *(apsw.SQLITE_IOERR_SHMOPEN, apsw.SQLITE_IOERR_SHMSIZE),
    *(apsw.SQLITE_IOERR_SHMLOCK, apsw.SQLITE_IOERR_SHMMAP),
)
NO_JOURNAL = N_(
    "The database {path} can't be on this disk: it has no shared memory, like some "
    'network disks. Move the data folder to a local disk.'
)
CAN_NOT_OPEN = N_("The database {path} can't be opened: {reason}.")
IS_DAMAGED = N_(
    'The database {path} is damaged ({reason}) and was left unchanged. Run `easel '
    'restore FILE.tar` to restore a backup, or `easel rebuild` to rebuild the '
    'database from the pictures.'
)
IS_GONE = N_(
    'The database {path} is missing, but its journal is still there. Put the database '
    'back, run `easel restore FILE.tar` to restore a backup, or run `easel rebuild` '
    'to rebuild the database from the pictures. Nothing was changed.'
)


def connect(path: Path, functions: Functions) -> apsw.Connection:
    """Open the database for the one connection that writes. Raises `StorageFailed`.

    Statements, upgrades and triggers may call `functions`.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split('.'))
    if version < OLDEST_SAFE_SQLITE:
        raise StorageFailed(
            N_('SQLite {version} can lose pictures; Easel needs 3.51.3 or newer.'),
            version=apsw.sqlite_lib_version(),
        )
    if not size_of(path) and size_of(journal_of(path)):  # which SQLite would delete
        raise StorageFailed(IS_GONE, path=path)
    try:
        connection = open_file(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        try:
            _prepare(connection, path, functions)
        except BaseException:
            connection.close()
            raise
    except apsw.Error as error:
        raise refusal(path, error) from error
    return connection


def open_file(path: Path, flags: int) -> apsw.Connection:
    return apsw.Connection(address_of(path), flags=flags | apsw.SQLITE_OPEN_URI)


def address_of(path: Path) -> str:
    """Return a path as SQLite takes it, also where the locale has no letters for its bytes."""
    return str(path) if os.name == 'nt' else path.absolute().as_uri()


def settle(path: Path) -> None:
    """Write a database's journal back into its file; a damaged one stays as it is.

    Raises `StorageFailed` where another program has it open.
    """
    if not size_of(path):
        return
    try:
        connection = open_file(path, apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.execute('select count(*) from sqlite_schema').fetchall()
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            connection.close()
    except DAMAGE:
        return
    except apsw.Error as error:
        raise refusal(path, error) from error


def journal_of(path: Path) -> Path:
    return path.with_name(f'{path.name}-wal')


def size_of(path: Path) -> int:
    """Return a file's bytes, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def refusal(path: Path, error: apsw.Error) -> StorageFailed:
    """Say why a database cannot be opened, and what to do about it."""
    if isinstance(error, DAMAGE):
        return StorageFailed(IS_DAMAGED, path=path, reason=error)
    if getattr(error, 'extendedresult', 0) in NO_SHARED_MEMORY:
        return StorageFailed(NO_JOURNAL, path=path)
    return StorageFailed(CAN_NOT_OPEN, path=path, reason=error)


def refuse_newer(connection: apsw.Connection, path: Path) -> int:
    """Return the version of a database; raise `StorageFailed` for one that a newer Easel wrote."""
    have, known = int(connection.pragma('user_version')), len(migrations())
    if have > known:
        raise StorageFailed(
            N_(
                '{path} was written by a newer Easel (version {have}; this one supports up to '
                '{known}). Nothing was changed: use the newer Easel.'
            ),
            path=path,
            have=have,
            known=known,
        )
    return have


def migrations() -> list[Path]:
    return sorted(MIGRATIONS.glob('[0-9]*.sql'))


def named(cursor: apsw.Cursor, row: apsw.SQLiteValues) -> dict[str, apsw.SQLiteValue]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def _prepare(connection: apsw.Connection, path: Path, functions: Functions) -> None:
    # Until it is known to be whole and ours, closing it leaves the file and its journal alone.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    have, known = refuse_newer(connection, path), len(migrations())
    connection.execute('select count(*) from sqlite_schema').fetchall()  # reads the schema
    if connection.execute('pragma journal_mode = wal').get != 'wal':
        raise StorageFailed(NO_JOURNAL, path=path)
    connection.execute('pragma synchronous = full')
    connection.execute('pragma foreign_keys = on')
    connection.row_trace = named
    for name, function in functions.items():
        connection.create_scalar_function(name, function, deterministic=True)
    if have < known:
        _migrate(connection, path, have)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)


def _migrate(connection: apsw.Connection, path: Path, have: int) -> None:
    """Upgrade by all steps in one transaction: whatever ends it leaves the old version."""
    steps = migrations()
    if have:
        _keep_copy(connection, path, len(steps))
    with connection:
        for step in steps[have:]:
            connection.execute(step.read_text(encoding='utf-8'))
        connection.pragma('user_version', len(steps))


def _keep_copy(connection: apsw.Connection, path: Path, version: int) -> None:
    """Keep the database as it is before an upgrade; no copy is ever replaced by another."""
    import filecmp  # few starts upgrade

    stem = f'{path.stem}-before-{version}'
    part = path.with_name(f'{stem}.part')
    part.unlink(missing_ok=True)
    connection.execute('vacuum into ?', (address_of(part),))
    for ending in itertools.chain([''], (f'-{number}' for number in itertools.count(2))):
        copy = path.with_name(f'{stem}{ending}{path.suffix}')
        if not copy.exists():
            part.replace(copy)
            log.info('kept a copy of the database as %s before upgrading it', copy)
            return
        if filecmp.cmp(part, copy, shallow=False):  # an upgrade that was broken off wrote it
            part.unlink()
            return

"""Makes a data folder of a backup: whole, or not at all.

The archive may come from anywhere, so nothing of it is believed before it was read: it is unpacked
into a new folder, by paths that a backup has, and compared with its own list.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from app.config import DATABASE
from app.database.sqlite.readers import check_database
from app.errors import N_, StorageFailed
from app.maintenance.archive import BLOCK_BYTES, SUMS, line_of, may_hold
from app.maintenance.faults import Fault
from app.maintenance.verification import find_faults
from app.storage.files import sync_folder

UNPACKED = '.restoring-'
OF_A_VOLUME = ('lost+found',)  # what an empty one has
NOT_EMPTY = N_("{path} isn't empty. Restore into a folder that doesn't exist yet.")
NO_BACKUP = N_("This isn't a complete Easel backup ({reason}). Nothing was restored.")


class _Stream(tarfile.TarFile):
    """A tar that is read once, from its beginning."""

    members: list[tarfile.TarInfo]


def restore(archive: BinaryIO, data: Path) -> list[Fault]:
    """Unpack and check a backup, then put it in place; return the faults that it was made with.

    Raises `StorageFailed`: there is something in the folder, the archive is damaged or no backup,
    or the disk fails; the folder is then as it was.
    """
    try:
        _refuse_filled(data)
        data.parent.mkdir(parents=True, exist_ok=True)
        with _new_folder(data) as folder:
            _unpack(archive, folder)
            if not (folder / DATABASE).exists():
                raise _no_backup('it has no database')
            check_database(folder / DATABASE)
            faults = list(find_faults(folder))
            if hasattr(os, 'sync'):
                os.sync()
            _put_in_place(folder, data)
    except OSError as error:
        raise StorageFailed(
            N_("The backup can't be restored to {path}: {reason}."),
            path=data,
            reason=error.strerror or error,
        ) from error
    return faults


def _refuse_filled(data: Path) -> None:
    """Refuse a folder with something in it, and remove what a killed restoring left there."""
    if not data.exists():
        return
    found = [entry for entry in data.iterdir() if entry.name not in OF_A_VOLUME]
    if not all(entry.name.startswith(UNPACKED) for entry in found):
        raise StorageFailed(NOT_EMPTY, path=data)
    for entry in found:
        shutil.rmtree(entry)


@contextlib.contextmanager
def _new_folder(data: Path) -> Iterator[Path]:
    """Make a folder beside the data folder; inside where that is a mount, which is not renamed."""
    beside = data.parent if not os.path.ismount(data) and os.access(data.parent, os.W_OK) else data
    folder = Path(tempfile.mkdtemp(prefix=UNPACKED, dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, data: Path) -> None:
    if folder.parent != data:
        with contextlib.suppress(FileNotFoundError):
            data.rmdir()
        folder.replace(data)
        sync_folder(data.parent)
        return
    # the database last: without it no start takes the folder for a whole one
    for path in sorted(folder.iterdir(), key=lambda path: path.name == DATABASE):
        path.replace(data / path.name)
    sync_folder(data)


def _unpack(archive: BinaryIO, folder: Path) -> None:
    """Write every file of an archive, and compare what was read with the list at its end."""
    with tempfile.TemporaryFile(dir=folder) as sums:
        try:
            with _Stream.open(fileobj=archive, mode='r|') as tar:
                while member := tar.next():
                    tar.members.clear()  # else memory grows with the number of files
                    content = tar.extractfile(member) if _is_plain(member) else None
                    if content is None:
                        raise _no_backup(f"{member.name} isn't a regular file")
                    if member.name == SUMS:
                        _compare(content, sums)
                        return
                    sums.write(line_of(member.name, _write(content, folder, member)))
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise _no_backup(str(error)) from error
    raise _no_backup("it's cut short")


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()


def _write(content: IO[bytes], folder: Path, member: tarfile.TarInfo) -> str:
    """Write one file, new and for this user alone; return its sha256 in hex."""
    if not may_hold(member.name):
        raise _no_backup(f"{member.name} doesn't belong in one")
    path, sha256 = folder / member.name, hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, 'O_BINARY', 0), 0o600)
    with os.fdopen(handle, 'wb') as output:
        while block := content.read(BLOCK_BYTES):
            sha256.update(block)
            output.write(block)
    os.utime(path, (member.mtime, member.mtime))
    return sha256.hexdigest()


def _compare(listed: IO[bytes], read: IO[bytes]) -> None:
    read.seek(0)
    while True:
        block = listed.read(BLOCK_BYTES)
        if block != read.read(BLOCK_BYTES):
            raise _no_backup('it was changed or is damaged')
        if not block:
            return


def _no_backup(reason: str) -> StorageFailed:
    return StorageFailed(NO_BACKUP, reason=reason)

"""Writes a backup while everything goes on: a copy of the database first, then what it names."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from app.config import DATABASE, PRIVATE
from app.database.files import kept_files, named_files, total_of
from app.database.masks import named_masks
from app.database.sqlite.readers import copy_database
from app.errors import N_, StorageFailed
from app.maintenance.archive import BLOCK_BYTES, FOLDERS, ArchiveWriter
from app.maintenance.verification import strangers
from app.storage.files import PART, open_beneath, sync_folder
from app.storage.health import LARGEST_RESERVE_BYTES, MB, RESERVED_PART
from app.storage.inventory import files_below
from app.storage.metadata.container import sidecar_of
from app.storage.store import ARRIVING, IMAGES, RESCUED, mask_file

SYNC_EVERY_BYTES = 16 * MB  # in one go at the end, whoever else writes would wait for it


@dataclass(slots=True)
class Backup:
    """One backup of a data folder, as the blocks of its archive.

    `rest` is called between pieces of work: it may wait, or end the backup by an exception.
    """

    data: Path
    rest: Callable[[], None]
    not_whole: list[str] = field(default_factory=list)  # pictures that are in it as they were found

    def blocks(self, copy: Path) -> Generator[bytes, None, None]:
        """Yield the archive; a copy of the database is at `copy` meanwhile.

        Raises `StorageFailed`; what was yielded before is no backup then.
        """
        with contextlib.ExitStack() as stack, writing_to(copy.parent):
            os.close(os.open(copy, os.O_CREAT | os.O_EXCL, 0o600))
            stack.callback(copy.unlink)
            sums = stack.enter_context(tempfile.TemporaryFile(dir=copy.parent))
            began_at = time.time()
            copy_database(self.data / DATABASE, copy, self.rest)
            waiting = bytearray()
            for block in self._pieces(ArchiveWriter(sums), copy, began_at):
                waiting += block
                if len(waiting) >= BLOCK_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
                    self.rest()
            yield bytes(waiting)

    def _pieces(self, archive: ArchiveWriter, copy: Path, began_at: float) -> Iterator[bytes]:
        with copy.open('rb') as opened:
            yield from archive.add(DATABASE, opened)
        for name in PRIVATE:
            yield from self._private(archive, name)
        images = self.data / IMAGES
        for kept in kept_files(copy):
            digest = yield from self._with_sidecar(archive, images / kept.file)
            # a picture may be deleted for good while this runs
            if digest != kept.digest and named_files(self.data / DATABASE, [kept.file]):
                self.not_whole.append(f'{IMAGES}/{kept.file}')
        for mask in named_masks(copy):
            yield from self._file(archive, self.data / mask_file(mask.digest))
        rescued = files_below(self.data / RESCUED, _ignore)
        for path in chain(strangers(copy, images, began_at, self.rest), rescued):
            yield from self._with_sidecar(archive, path)
        yield from archive.end()

    def _private(self, archive: ArchiveWriter, name: str) -> Iterator[bytes]:
        path = self.data / name
        try:
            opened = path.open('rb')
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageFailed(
                N_("{file} can't be read: {reason}."), file=path, reason=error.strerror
            ) from error
        with opened:
            yield from archive.add(name, opened)

    def _with_sidecar(self, archive: ArchiveWriter, path: Path) -> Generator[bytes, None, str]:
        """Yield a file and the label beside it; return its sha256, empty where it is missing."""
        yield from self._file(archive, sidecar_of(path))
        return (yield from self._file(archive, path))

    def _file(self, archive: ArchiveWriter, path: Path) -> Generator[bytes, None, str]:
        try:
            handle = open_beneath(self.data, path)
        except OSError:
            return ''
        with os.fdopen(handle, 'rb') as opened:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return ''
            return (yield from archive.add(path.relative_to(self.data).as_posix(), opened))


def back_up(data: Path, target: Path, rest: Callable[[], None]) -> Backup:
    """Write a backup to a file, whole or not at all; one that was there before is replaced.

    Raises `StorageFailed`.
    """
    folder = target.absolute().parent
    with writing_to(folder):
        _refuse_places(data, target)
        _refuse_without_room(data, folder)
        handle, name = tempfile.mkstemp(suffix=PART, prefix=f'.{target.name}-', dir=folder)
        part, backup = Path(name), Backup(data, rest)
        try:
            with os.fdopen(handle, 'wb') as output:
                unsynced = 0
                for block in backup.blocks(part.with_suffix(f'.db{PART}')):
                    output.write(block)
                    unsynced += len(block)
                    if unsynced >= SYNC_EVERY_BYTES:
                        os.fsync(handle)
                        unsynced = 0
                output.flush()
                os.fsync(handle)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(folder)
    return backup


def copy_in(data: Path) -> Path:
    """Return where the copy of the database goes for a backup that goes to no file."""
    arriving = data / ARRIVING
    folder = arriving if os.access(arriving, os.W_OK) else Path(tempfile.gettempdir())
    return folder / f'{uuid.uuid4().hex}{PART}'  # the next start removes what a kill leaves


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            N_("The backup can't be written to {folder}: {reason}."),
            folder=folder,
            reason=error.strerror or error,
        ) from error


def _refuse_places(data: Path, target: Path) -> None:
    place = target.resolve()
    if place.is_dir():
        raise StorageFailed(
            N_('{path} is a folder. Enter a file name for the backup.'), path=target
        )
    if any(place.is_relative_to((data / folder).resolve()) for folder in FOLDERS):
        raise StorageFailed(
            N_('{path} is inside the pictures folder. Choose another place.'), path=target
        )


def _refuse_without_room(data: Path, folder: Path) -> None:
    """Refuse where the disk would be full before the end; its last room is for pictures."""
    needed = size_of_backup(data)
    usage = shutil.disk_usage(folder)
    free = usage.free - min(LARGEST_RESERVE_BYTES, usage.total // RESERVED_PART)
    if needed > free:
        raise StorageFailed(
            N_('The backup needs about {needed_mb} MB, but {folder} has only {free_mb} MB free.'),
            needed_mb=-(-needed // MB),
            folder=folder,
            free_mb=max(0, free // MB),
        )


def size_of_backup(data: Path) -> int:
    """Estimate the bytes that a backup takes, and a copy of the database meanwhile."""
    _, pictures_bytes = total_of(data / DATABASE)
    return pictures_bytes + 2 * (data / DATABASE).stat().st_size


def _ignore(_: OSError) -> None:
    """Pass over a folder that is not there."""

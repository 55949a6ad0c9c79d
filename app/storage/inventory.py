"""What the folder of pictures holds, and whether a file is still what its row says."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BufferedReader
from pathlib import Path

from app.models import KeptFile
from app.storage.files import open_beneath
from app.storage.metadata.mime import MIME_EXTENSIONS

PICTURE_SUFFIXES = {f'.{extension}' for extension in MIME_EXTENSIONS.values()} | {'.jpeg'}
NOT_PICTURES = ('.xmp', '.part')  # the label beside one, and what is still being written
OF_THE_SYSTEM = ('.', '@')
SYSTEM_BUSY = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # it says nothing of the file


class Condition(StrEnum):
    """What became of a kept file."""

    WHOLE = 'whole'
    MISSING = 'missing'
    CUT = 'cut'
    ROTTEN = 'rotten'


class DamagedFile(Exception):
    """The file is there, and its bytes are not those that were kept."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a kept file is now, and when it was last changed on the disk."""

    condition: Condition
    changed_ns: int = 0  # since 1970; 0 for one that is missing


def files_below(folder: Path, refuse: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield every file and every link below a folder, the last in the alphabet first.

    Days are folders, so the newest pictures come first, and a reader may stop there. Labels beside
    pictures, temporary files and what a system keeps for itself (`.DS_Store`, `@eaDir`) are left
    out; `refuse` gets what cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        refuse(error)
        return
    for entry in found:
        if entry.name.startswith(OF_THE_SYSTEM) or entry.name.endswith(NOT_PICTURES):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(Path(entry), refuse)
        else:
            yield Path(entry)


def has_picture_name(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def is_picture(path: Path) -> bool:
    """Check whether a path is named as a picture, and is there, a file and no link."""
    try:
        return has_picture_name(path) and stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def open_kept(data: Path, path: Path, kept: KeptFile | None = None) -> int:
    """Open a file of ours; a picture only as it was kept, as far as size and earlier checks tell.

    Raises FileNotFoundError where there is none that may be opened, `DamagedFile`, or OSError where
    the system has no more files or memory.
    """
    try:
        handle = open_beneath(data, path)
    except OSError as error:
        if error.errno in SYSTEM_BUSY:
            raise
        raise FileNotFoundError(errno.ENOENT, error.strerror, str(path)) from error
    status = os.fstat(handle)
    is_file = stat.S_ISREG(status.st_mode)
    is_damaged = kept and (
        status.st_size != kept.size_bytes or status.st_ctime_ns == kept.damaged_ns
    )
    if is_file and not is_damaged:
        return handle
    os.close(handle)
    if is_file:
        raise DamagedFile(path)
    raise FileNotFoundError(errno.ENOENT, 'it is no file', str(path))


def examine(data: Path, path: Path, kept: KeptFile) -> Examined:
    """Read the file at `path` whole and compare it with its row.

    What cannot be read to its end is rotten. Raises OSError where the system has no more files or
    memory.
    """
    try:
        handle = open_kept(data, path)
    except FileNotFoundError:
        return Examined(Condition.MISSING)
    with os.fdopen(handle, 'rb') as file:
        status = os.fstat(handle)
        if status.st_size < kept.size_bytes:
            return Examined(Condition.CUT, status.st_ctime_ns)
        return Examined(_condition(file, kept.digest), status.st_ctime_ns)


def examine_named(data: Path, path: Path, digest: str) -> Condition:
    """Read a file whole that is named by its digest, as `examine`."""
    try:
        handle = open_kept(data, path)
    except FileNotFoundError:
        return Condition.MISSING
    with os.fdopen(handle, 'rb') as file:
        return _condition(file, digest)


def _condition(file: BufferedReader, digest: str) -> Condition:
    try:
        same = hashlib.file_digest(file, 'sha256').hexdigest() == digest
    except OSError:
        same = False
    return Condition.WHOLE if same else Condition.ROTTEN

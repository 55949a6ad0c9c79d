"""Files of ours: temporary ones, private ones, and opening without following links."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from weakref import WeakSet

from app.errors import N_, ErrorKind, Failure, ProviderError, StorageFailed
from app.log import logger
from app.models import MOST_IMAGE_BYTES, Received, Unwritten

log = logger(__name__)

PART = '.part'
MOST_UNWRITTEN_BYTES = 128 * 1024 * 1024
IS_LINK = N_(
    "In the data folder, {name} is a link, which Easel doesn't follow. Mount the "
    'other folder in its place, or move the whole data folder and set EASEL_DATA to '
    'it.'
)
_UNWRITTEN: WeakSet[Unwritten] = WeakSet()
HEAD_BYTES = 64
_FOLDER = getattr(os, 'O_DIRECTORY', 0) | getattr(os, 'O_NOFOLLOW', 0)
_FILE = getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)


class TempFile:
    """A temporary file that never holds more than 64 MiB; what the disk refuses stays in memory.

    `can_come_again`: none of it does, since whoever sent it has it still.
    """

    def __init__(self, folder: Path, owner: str = '', *, can_come_again: bool = False) -> None:
        self.path = folder / f'{owner}{uuid.uuid4().hex}{PART}'
        self.size_bytes = 0
        self._can_come_again = can_come_again
        self._head = b''
        self._unwritten: Unwritten | None = None
        self._file: FileIO | None = None
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._file = self.path.open('x+b', buffering=0)
        except OSError as error:
            self._hold(b'', error)

    def write(self, block: bytes) -> None:
        """Add bytes; raise ProviderError with `too_large` past the cap of 64 MiB, StorageFailed."""
        self.size_bytes += len(block)
        if self.size_bytes > MOST_IMAGE_BYTES:
            raise ProviderError(Failure(kind=ErrorKind.TOO_LARGE, reason='over 64 MiB'))
        if len(self._head) < HEAD_BYTES:
            self._head += block[:HEAD_BYTES]
        if self._file is None or self._unwritten:
            self._hold(block)
            return
        try:
            taken = self._file.write(block) or 0
        except OSError as error:
            self._hold(block, error)
            return
        if taken < len(block):
            self._hold(block[taken:], OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def received(self) -> Received:
        """Close the file and describe what came, unchecked."""
        if self._file and not self.path.exists():  # its folder was removed; the file is open still
            self._file.seek(0)
            content = self._file.read() + bytes(self._unwritten.content if self._unwritten else b'')
            self._unwritten = None
            self._hold(content, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
        self._close()
        return Received(
            path=self.path,
            size_bytes=self.size_bytes,
            head=self._head[:HEAD_BYTES],
            unwritten=self._unwritten,
        )

    def discard(self) -> None:
        """Close and delete the file; safe at any time."""
        self._close()
        self._unwritten = None
        remove(self.path)

    def _close(self) -> None:
        if self._file:
            with suppress(OSError):
                self._file.close()

    def _hold(self, block: bytes, refused: OSError | None = None) -> None:
        """Keep bytes in memory; raise StorageFailed where that is of no use, or holds too many."""
        if refused and self._can_come_again:
            with writing():
                raise refused
        if refused:
            log.warning('a picture arrives in memory: %s', refused.strerror)
        self._unwritten = self._unwritten or Unwritten()
        _UNWRITTEN.add(self._unwritten)
        with writing():
            if sum(len(one.content) for one in _UNWRITTEN) + len(block) > MOST_UNWRITTEN_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._unwritten.content += block


def complete(received: Received) -> None:
    """Write what the disk refused before; raise StorageFailed where it still does."""
    if received.unwritten is None:
        return
    content = received.unwritten.content
    with writing():
        received.path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(
            received.path, os.O_WRONLY | os.O_CREAT | getattr(os, 'O_BINARY', 0), 0o600
        )
        with os.fdopen(handle, 'wb', buffering=0) as file:
            file.seek(received.size_bytes - len(content))
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def remove(*paths: Path) -> None:
    """Delete files that nobody needs, as far as the disk lets them go."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning('%s stays, since the disk does not let it go: %s', path.name, error)


@contextmanager
def writing() -> Iterator[None]:
    """Raise what the disk refuses as StorageFailed, without a path."""
    try:
        yield
    except OSError as error:
        raise refused(error.strerror or error) from error


def refused(reason: object) -> StorageFailed:
    """Make the error of a disk that does not take something."""
    return StorageFailed(N_("Easel couldn't write to the data folder: {reason}."), reason=reason)


def check_links(*folders: Path) -> None:
    """Raise `StorageFailed` at one that is a link: none is followed below the data folder."""
    for folder in folders:
        if folder.is_symlink():
            raise StorageFailed(IS_LINK, name=folder.name)


def open_beneath(root: Path, path: Path) -> int:
    """Open a file by one handle a folder; raise OSError at a link, ValueError outside the root."""
    parts = path.relative_to(root).parts
    if os.open not in os.supports_dir_fd:  # Windows: with a gap between check and use
        path = root
        for part in parts:
            path = path / part
            if path.is_symlink():
                raise OSError(f'{part} is a link')
        return os.open(path, os.O_RDONLY | _FILE)
    folder = os.open(root, os.O_RDONLY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], os.O_RDONLY | _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def write_private(path: Path, text: str) -> None:
    """Replace a file by a whole new one, mode 0600; a failure leaves the old one as it was."""
    handle, name = tempfile.mkstemp(prefix=f'.{path.stem}-', dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_synced(path: Path, content: bytes) -> Path:
    with path.open('wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def move(source: Path, target: Path) -> None:
    """Put a synced file in its place; on another volume as a copy that is whole before it shows."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy = target.with_name(f'.{target.name}.part')
        try:
            shutil.copyfile(source, copy)
            sync(copy)
            copy.replace(target)
        except BaseException:
            remove(copy)
            raise
        remove(source)


def sync(path: Path, flags: int = os.O_RDWR) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    if os.name != 'nt':  # folders cannot be opened there
        sync(folder, os.O_RDONLY)

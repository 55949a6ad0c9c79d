"""Who holds a data folder: one process at a time, by a lock that a crash releases."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

if sys.platform == 'win32':
    import msvcrt
else:
    import fcntl

LOCK = 'easel.lock'
HOLDER = 'server.json'


@dataclass(frozen=True, slots=True)
class Holder:
    """The server that holds a data folder; port 0 while it has not said where it listens."""

    pid: int
    url: str
    port: int


class Held(Exception):
    """Another process holds the data folder.

    Attributes:
        holder: Which, as far as it has said.
    """

    def __init__(self, holder: Holder) -> None:
        super().__init__(f'process {holder.pid} holds the data folder')
        self.holder = holder


@contextmanager
def holding(data: Path) -> Iterator[None]:
    """Hold a data folder for as long as the block lasts.

    Raises:
        Held: Another process does.
        OSError: The folder can't be made or written.
    """
    mask = os.umask(0o077)  # prompts, pictures and secrets are for this user alone
    try:
        with _held(data):
            yield
    finally:
        os.umask(mask)


@contextmanager
def _held(data: Path) -> Iterator[None]:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / LOCK).open('ab') as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise Held(holder_of(data)) from error
        (data / HOLDER).unlink(missing_ok=True)  # what a crash left behind names nobody
        try:
            yield
        finally:
            (data / HOLDER).unlink(missing_ok=True)


def _lock(handle: int) -> None:
    """Take the system's own lock on a file; it ends with the file's closing, or with the process.

    The `filelock` package does the same and costs 10 ms of the start.

    Raises:
        OSError: Another process has it.
    """
    if sys.platform == 'win32':
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def announce(data: Path, url: str, port: int) -> None:
    """Write down where the holder's server listens."""
    file = data / HOLDER
    file.touch(mode=0o600)
    file.write_text(json.dumps({'pid': os.getpid(), 'url': url, 'port': port}), encoding='ascii')


def holder_of(data: Path) -> Holder:
    """Read who holds the folder; what is not known is 0 and empty."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads((data / HOLDER).read_text(encoding='ascii'))
        return Holder(int(said['pid']), str(said['url']), int(said['port']))
    return Holder(0, '', 0)


def why_unusable(data: Path, error: OSError) -> str:
    """Say why a data folder can't be used, with the cure where it is somebody else's."""
    owner = _owner_of(Path(error.filename or data), data)
    user = os.geteuid() if sys.platform != 'win32' else owner
    if not isinstance(error, PermissionError) or owner in (None, user):
        return f'The data folder {data} can not be used: {error.strerror}.'
    return (
        f'The data folder {data} can not be used: Easel runs as user {user}, and what is there '
        f'belongs to user {owner}. Either `chown -R {user}` that folder (with Docker, the one that '
        f'is mounted there), or run Easel as user {owner} (with Docker, `--user {owner}`).'
    )


def _owner_of(*paths: Path) -> int | None:
    """Give the owner of the first path that can be looked at, None where none can."""
    for path in paths:
        with contextlib.suppress(OSError):
            return path.stat().st_uid
    return None

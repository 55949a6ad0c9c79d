"""The lock of a data folder, for one process at a time, that a crash releases."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if sys.platform == 'win32':
    import msvcrt
else:
    import fcntl

LOCK = 'easel.lock'
HOLDER = 'server.json'
LOCKED = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@dataclass(frozen=True, slots=True)
class Holder:
    """The server that holds a data folder; port 0 while it does not listen yet."""

    pid: int
    url: str
    port: int


class Held(Exception):
    """Another process holds the data folder: `holder`, as far as it is known."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(f'process {holder.pid} uses the data folder')
        self.holder = holder


@contextlib.contextmanager
def holding(data: Path) -> Iterator[None]:
    """Hold a data folder, or raise Held or OSError; `filelock` would cost 10 ms of the start."""
    with contextlib.ExitStack() as stack:
        # Prompts, pictures and secrets are for this user alone.
        stack.callback(os.umask, os.umask(0o077))
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = stack.enter_context((data / LOCK).open('ab')).fileno()
        try:
            if sys.platform == 'win32':
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in LOCKED:  # a disk that has no locks, like some of a network
                raise
            raise Held(holder_of(data)) from error
        (data / HOLDER).unlink(missing_ok=True)  # what a crash left behind names nobody
        stack.callback((data / HOLDER).unlink, missing_ok=True)
        yield


def announce(data: Path, url: str, port: int) -> None:
    """Write down where this process listens, for others that find the folder locked."""
    file = data / HOLDER
    file.touch(mode=0o600)
    file.write_text(json.dumps({'pid': os.getpid(), 'url': url, 'port': port}), encoding='ascii')


def holder_of(data: Path) -> Holder:
    """Read who holds the folder; unknown fields are 0 and empty."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads((data / HOLDER).read_text(encoding='ascii'))
        return Holder(int(found['pid']), str(found['url']), int(found['port']))
    return Holder(0, '', 0)


def why_unusable(data: Path, error: OSError) -> str:
    """Explain why a data folder cannot be used, and what to do where another user owns it."""
    owner: int | None = None
    for path in (data, Path(error.filename or data)):  # the last one that can be looked at
        with contextlib.suppress(OSError):
            owner = path.stat().st_uid
    user = os.geteuid() if sys.platform != 'win32' else owner
    if not isinstance(error, PermissionError) or owner in (None, user):
        return f"The data folder {data} can't be used: {error.strerror}."
    return (
        f"The data folder {data} can't be used: Easel runs as user {user}, but the folder "
        f'belongs to user {owner}. Either `chown -R {user}` that folder (with Docker, the '
        f'one that is mounted there), or run Easel as user {owner} (with Docker, `--user '
        f'{owner}`).'
    )

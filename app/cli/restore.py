"""`easel restore FILE.tar`: makes a data folder of a backup, where there is none yet."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.cli.verify import line_of
from app.config import Config
from app.errors import N_, StorageFailed
from app.log import escape
from app.maintenance.faults import FaultKind
from app.maintenance.restore import restore as unpack

STANDARD_INPUT = '-'


def restore(config: Config, source: str) -> int:
    """Restore, then print what `easel verify` would; return the exit status as it would."""
    os.umask(0o077)  # prompts, pictures and secrets are for this user alone
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is half written is removed
    try:
        with _opened(source) as archive:
            faults = unpack(archive, config.data.resolve())
    except StorageFailed as error:
        sys.stderr.write(f'{escape(str(error))}\n')
        return 1
    sys.stderr.write(
        f'Restored to {config.data}. Start Easel there and set up nightly backups again.\n'
    )
    for fault in faults:
        sys.stdout.write(line_of(fault))
    return 1 if any(fault.kind is not FaultKind.STRANGER for fault in faults) else 0


@contextlib.contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        archive = Path(source).open('rb')  # noqa: SIM115 (closed below)
    except OSError as error:
        raise StorageFailed(
            N_("{file} can't be read: {reason}."), file=source, reason=error.strerror
        ) from error
    with archive:
        yield archive

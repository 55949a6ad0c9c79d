"""`easel backup FILE.tar`: one file with everything that is kept, also while a server runs."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from app.config import Config
from app.errors import N_, StorageFailed
from app.log import escape
from app.maintenance.backup import Backup, back_up, copy_in

STANDARD_OUTPUT = '-'
NICENESS = 10


def backup(config: Config, target: str) -> int:
    """Write a backup; return the exit status: 1 also where a picture in it is not whole."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is half written is removed
    if hasattr(os, 'nice'):
        os.nice(NICENESS)  # pages come first
    try:
        if target == STANDARD_OUTPUT:
            written = _to_standard_output(config.data)
        else:
            written = back_up(config.data, Path(target), _go_on)
    except StorageFailed as error:
        sys.stderr.write(f'{escape(str(error))}\n')
        return 1
    for path in written.not_whole:
        sys.stderr.write(f'{escape(path)} is damaged or missing; the backup has what was there.\n')
    return 1 if written.not_whole else 0


def _to_standard_output(data: Path) -> Backup:
    written = Backup(data, _go_on)
    output = sys.stdout.buffer
    try:
        for block in written.blocks(copy_in(data)):
            output.write(block)
        output.flush()
    except OSError as error:
        raise StorageFailed(
            N_("The backup wasn't written: {reason}."), reason=error.strerror
        ) from error
    return written


def _go_on() -> None:
    """Rest not at all: this process has a low priority."""

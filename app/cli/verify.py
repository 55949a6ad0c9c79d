"""`easel verify`: compares every picture's file with its row, also while a server runs."""

from __future__ import annotations

import os
import sys

from app.config import Config
from app.errors import StorageFailed
from app.log import escape
from app.maintenance.faults import Fault, FaultKind
from app.maintenance.verification import find_faults

NICENESS = 10


def verify(config: Config) -> int:
    """Print a line for each file that is not as it should be; return the exit status."""
    if hasattr(os, 'nice'):
        os.nice(NICENESS)  # pages come first
    status = 0
    try:
        for fault in find_faults(config.data):
            sys.stdout.write(line_of(fault))
            status = status if fault.kind is FaultKind.STRANGER else 1
    except (StorageFailed, OSError) as error:
        sys.stderr.write(f'{escape(str(error))}\n')
        return 1
    return status


def line_of(fault: Fault) -> str:
    path = escape(fault.path).replace('\n', '\\n').replace('\t', '\\t')
    return f'{fault.kind}\t{path}\n'

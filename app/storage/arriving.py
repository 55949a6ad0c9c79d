"""The folder of what arrives: the names in it, what of it is swept, and what waits in it whole."""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from app.log import logger
from app.models import Received
from app.storage.files import HEAD_BYTES, PART, complete, remove, writing

log = logger(__name__)

WHOLE = '.whole'  # of a picture that came whole: GENERATION-POSITION-….whole
_HELD = re.compile(rf'(\d{{1,15}})-(\d{{1,4}})-[0-9a-f]{{32}}\{WHOLE}')
# The names that we give, but those of whole pictures; all else is not ours.
_LEFTOVER = re.compile(rf'(\d+-)*[0-9a-f]{{32}}(-labelled|-small|-\d+)?(\{PART}|\.webp)(\.xmp)?')


def sweep(folder: Path) -> None:
    """Delete the temporary files of an earlier run, and only those."""
    remove(*(path for path in folder.iterdir() if _LEFTOVER.fullmatch(path.name)))


def new_work_file(folder: Path, generation_id: int) -> Path:
    """Name a file that the decoder's child writes, and that the next start sweeps."""
    with writing():
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f'{generation_id}-{uuid.uuid4().hex}{PART}'


def received_at(path: Path) -> Received:
    """Describe a whole file, unchecked; raise OSError."""
    with path.open('rb') as file:
        size_bytes = os.fstat(file.fileno()).st_size
        return Received(path=path, size_bytes=size_bytes, head=file.read(HEAD_BYTES))


def hold(folder: Path, received: Received, generation_id: int, position: int) -> Received:
    """Complete a picture that came whole, under a name that no start sweeps.

    Raises `StorageFailed`; what came stays, and can be held later.
    """
    if received.path.suffix == WHOLE:
        return received
    complete(received)
    name = f'{generation_id}-{position}-{uuid.uuid4().hex}{WHOLE}'
    with writing():
        path = received.path.rename(folder / name)
    return replace(received, path=path, unwritten=None)


def is_lost(folder: Path, received: Received) -> bool:
    """Whether somebody removed the file of a picture that waits to be kept."""
    with suppress(OSError):
        return not received.unwritten and folder.is_dir() and not received.path.exists()
    return False


def held_in(folder: Path) -> dict[tuple[int, int], Received]:
    """Find the pictures that came whole and were not kept, by generation and position."""
    found = {}
    for path in sorted(folder.glob(f'*{WHOLE}')):
        if named := _HELD.fullmatch(path.name):
            try:
                received = received_at(path)
            except OSError as error:
                log.warning('%s waits for a start that can read it: %s', path, error.strerror)
            else:
                found[int(named[1]), int(named[2])] = received
    return found

"""Finds out whether pictures can be kept now, by doing what keeping one does."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from app.errors import N_, Notice
from app.storage.files import move, sync_folder, write_synced
from app.storage.store import Store

LARGEST_RESERVE_BYTES = 200_000_000
RESERVED_PART = 10  # of a smaller volume
MB = 1_000_000
PROBE = '.probe'
NO_ROOM = N_('The disk is nearly full: {free_mb} MB free. New pictures are on hold.')
MAKE_ROOM = N_(
    'Free up space until at least {reserve_mb} MB is free. Easel then continues by itself.'
)
UNWRITABLE = N_("Easel can't write to {what} ({reason}). New pictures are on hold.")
UNWRITABLE_DATA = N_("Easel can't write to its data folder ({reason}). New pictures are on hold.")
MAKE_WRITABLE = N_(
    'Check the data folder: its disk, owner and permissions. Easel then continues by itself.'
)
DECODER_FAILS = Notice(
    sentence=N_("Easel can't check incoming pictures. They are kept, and new ones are on hold."),
    cure=N_('Free up memory, or check the log for the reason. Easel then continues by itself.'),
)


def find_problem(store: Store) -> Notice | None:
    """Return what would keep a picture from being kept, None if nothing would; it blocks."""
    day = store.images / time.strftime('%Y/%m/%d')
    folder = store.arriving
    try:
        store.arriving.mkdir(mode=0o700, exist_ok=True)
        if shortage := _shortage(store.arriving):
            return shortage
        probe = write_synced(store.arriving / PROBE, PROBE.encode())
        folder = store.images
        day.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shortage := _shortage(day):
            return shortage
        move(probe, day / PROBE)
        sync_folder(day)
        (day / PROBE).unlink()
    except OSError as error:
        return unwritable(folder.name, error.strerror or type(error).__name__)
    return None


def unwritable(what: str, reason: object) -> Notice:
    """Say that a part of the data folder, '' for any, cannot be written."""
    sentence = UNWRITABLE if what else UNWRITABLE_DATA
    return Notice(
        sentence=sentence, cure=MAKE_WRITABLE, places={'what': what, 'reason': str(reason)}
    )


def _shortage(folder: Path) -> Notice | None:
    usage = shutil.disk_usage(folder)
    reserve_bytes = min(LARGEST_RESERVE_BYTES, usage.total // RESERVED_PART)
    if usage.free >= reserve_bytes:
        return None
    places = {'free_mb': usage.free // MB, 'reserve_mb': -(-reserve_bytes // MB)}
    return Notice(sentence=NO_ROOM, cure=MAKE_ROOM, places=places)

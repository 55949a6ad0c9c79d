"""Compares every picture's file with its row, and finds pictures that no row names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from app.config import DATABASE
from app.database.acts.destruction import removals_beside
from app.database.files import kept_files, mark_damaged, named_files, running_since, total_of
from app.database.masks import named_masks
from app.maintenance.faults import Fault, FaultKind
from app.storage.inventory import Condition, examine, examine_named, files_below, is_picture
from app.storage.store import IMAGES, mask_file

AT_ONCE = 500  # files that the rows are asked about
Progress = Callable[[int, int], None]


def ignore_progress(checked: int, total: int) -> None:
    """Take how many pictures were checked, of how many, and do nothing."""


def find_faults(data: Path, progress: Progress = ignore_progress) -> Iterator[Fault]:
    """Read every picture and mask and yield what is not whole, strangers last; it blocks.

    Raises `StorageFailed` where the database cannot be read, and OSError.
    """
    database, images = data / DATABASE, data / IMAGES
    total, _ = total_of(database)
    for checked, kept in enumerate(kept_files(database), start=1):
        found = examine(data, images / kept.file, kept)
        # a picture may be deleted for good while this runs, row first
        if found.condition is not Condition.WHOLE and named_files(database, [kept.file]):
            if found.condition is not Condition.MISSING:
                mark_damaged(database, kept.id, found.changed_ns)  # so that no page shows it
            yield Fault(FaultKind(found.condition), f'{IMAGES}/{kept.file}')
        progress(checked, max(checked, total))
    for mask in named_masks(database):
        file = mask_file(mask.digest)
        condition = examine_named(data, data / file, mask.digest)
        never_came = condition is Condition.MISSING and not mask.asked_here
        if condition is not Condition.WHOLE and not never_came:
            yield Fault(FaultKind(condition), file)
    running = running_since(database)  # what that made may still get its row
    before = time.time() if running is None else running
    for path in strangers(database, images, before, lambda: progress(total, total)):
        yield Fault(FaultKind.STRANGER, path.relative_to(data).as_posix())


def strangers(
    database: Path, images: Path, before: float, rest: Callable[[], None]
) -> Iterator[Path]:
    """Yield the pictures that no row names and that were written before a moment.

    What is about to be removed is none of them. `rest` is called now and then. Raises as
    `find_faults`.
    """
    unlisted = list[OSError]()

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unlisted.append(error)

    found = files_below(images, refuse)
    while files := {path.relative_to(images).as_posix(): path for path in islice(found, AT_ONCE)}:
        named = named_files(database, list(files))
        named |= {one.file for one in removals_beside(database)}
        unnamed = (path for file, path in files.items() if file not in named)
        yield from (path for path in unnamed if _is_older(path, before))
        rest()
    if unlisted:
        raise unlisted[0]


def _is_older(path: Path, before: float) -> bool:
    try:
        return is_picture(path) and path.lstat().st_mtime < before
    except FileNotFoundError:  # it was deleted meanwhile
        return False

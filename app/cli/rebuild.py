"""`easel rebuild`: makes the database again from the pictures, which carry their settings and ids.

Favourites, albums, the trash, failures and what waited come back from a backup only. A file that
cannot be read is named, on standard error, and costs no other. The new database is written beside
the old one, which it replaces in one step when it is whole.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from pathlib import Path

from app.config import DATABASE, Config, child_environment
from app.database import Library
from app.database.acts.destruction import removals_beside
from app.database.recovery import Attached, Fate, highest_ids_in
from app.database.sqlite.opening import settle
from app.errors import AppError, ProviderError
from app.log import escape
from app.main import open_store
from app.models import PictureIds
from app.recovery.labelled import LabelledImage, read_labelled
from app.recovery.removals import remove_files
from app.storage.decoding.decoder import Decoder
from app.storage.files import sync, sync_folder
from app.storage.inventory import files_below
from app.storage.lock import Held, holding
from app.storage.metadata.label import Label
from app.storage.store import IMAGES, Store

SET_ASIDE = 'before-rebuild'
REBUILT = 'easel-rebuilt.db'
SUFFIXES = ('-wal', '-shm', '')
WRITTEN_AT_ONCE = TOLD_EVERY = 100  # pictures


@dataclass(slots=True)
class Reading:
    """What the folder holds: Easel's own pictures, by path and none twice, and counts of others."""

    found: list[LabelledImage] = field(default_factory=list)
    others: int = 0  # without a label
    unreadable: int = 0
    known: PictureIds = field(
        default_factory=PictureIds
    )  # the highest ids that the old database gave

    @property
    def failed(self) -> bool:
        """Whether nothing came of what must have been there."""
        return not self.found and bool(self.unreadable or self.known.image)

    def refuse(self, file: str, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, ProviderError):
            reason = error.failure.reason
        self.refuse_for(file, reason or str(error))

    def refuse_for(self, file: str, reason: str) -> None:
        self.unreadable += 1
        describe(f"{file} can't be read: {reason}")


def rebuild(config: Config) -> int:
    """Read every picture, write a new database, set the old one aside; return the exit status."""
    try:
        with holding(config.data):
            reading = asyncio.run(_rebuild(config))
    except (Held, AppError, OSError) as error:
        what_to_do = '; stop that Easel first.' if isinstance(error, Held) else ''
        sys.stderr.write(f'{error}{what_to_do}\n')
        return 1
    if reading.failed:
        sys.stderr.write(
            f'No picture could be read in {config.data / IMAGES}, so the database was left '
            'unchanged. If that folder is on a separate disk, mount it first.\n'
        )
        return 1
    sys.stdout.write(f'{len(reading.found)} pictures are in the new database.\n')
    if reading.others:
        left_alone = 'files have no Easel settings and were left alone.'
        sys.stdout.write(f'{reading.others} {left_alone}\n')
    sys.stdout.write(
        'Favourites, albums, the trash and failed generations come back only from a '
        'backup (easel restore).\n'
    )
    return 1 if reading.unreadable else 0


async def _rebuild(config: Config) -> Reading:
    store, database = open_store(config), config.data / DATABASE
    remove_files(store, [*removals_beside(database)])
    stores = [store, *(_beside(store) for _ in range(1, os.cpu_count() or 1))]
    try:
        reading = await read_all(*stores)
    finally:
        await asyncio.gather(*(one.decoder.close() for one in stores))
    rebuilt = config.data / REBUILT
    reading.known = highest_ids_in(database)
    if reading.failed:
        return reading
    _remove(rebuilt)
    try:
        await _write(rebuilt, reading)
        _replace(database, rebuilt)
    finally:
        _remove(rebuilt)
    return reading


def _beside(store: Store) -> Store:
    """Return the same store with a decoder of its own, for another processor."""
    return replace(store, decoder=Decoder(child_environment()))


async def read_all(*stores: Store) -> Reading:
    """Read every picture, one at a time by each store.

    One that cannot be read is named, and costs no other; so is a copy of another.
    """
    reading, images = Reading(), stores[0].images
    paths = list(files_below(images, lambda error: reading.refuse(str(error.filename), error)))
    found = dict[str, LabelledImage]()
    waiting = enumerate(sorted(paths))

    async def read(store: Store) -> None:
        for number, path in waiting:
            _show_progress(number, len(paths))
            file = path.relative_to(images).as_posix()
            try:
                one = await read_labelled(store, path)
            except (ProviderError, OSError, ValueError) as error:
                await store.decoder.close()  # the next picture gets a new child
                reading.refuse(file, error)
                continue
            if one is None:
                reading.others += 1
            else:
                found[file] = one

    await asyncio.gather(*(read(store) for store in stores))
    reading.found = list(_without_copies(found))
    return reading


def _without_copies(found: dict[str, LabelledImage]) -> Iterator[LabelledImage]:
    """Yield each picture once, in the order of generations, positions and paths."""
    first = dict[tuple[str, Label], str]()
    for file, one in sorted(found.items()):
        original = first.setdefault((one.kept.digest, one.label), file)
        if original != file:
            describe(f'{file} is a copy of {original} and was left alone.')
    own = [found[file] for file in first.values()]
    own.sort(key=lambda one: (one.label.generation_id, one.label.position))
    yield from _sources_first(own)


def _sources_first(own: list[LabelledImage]) -> Iterator[LabelledImage]:
    """Yield pictures in their order, but before each what it came from: that keeps its id."""
    by_digest, done = {one.kept.digest: one for one in own}, set[int]()
    waiting = own[::-1]
    while waiting:
        one = waiting[-1]
        traced = [one.label.traced_answer, *one.label.traced_sources]
        # each is looked at once, so that what names each other ends
        before = [
            by_digest.pop(that.digest) for that in traced if that and that.digest in by_digest
        ]
        if before:
            waiting += before
            continue
        waiting.pop()
        if id(one) not in done:
            done.add(id(one))
            yield one


def _show_progress(number: int, total: int) -> None:
    """Say how many files were read, now and then, to somebody who watches."""
    if number % TOLD_EVERY == 0 and sys.stderr.isatty():
        sys.stderr.write(f'\r{number} of {total} files\r')


def describe(sentence: str) -> None:
    line = escape(sentence).replace('\n', '\\n')
    sys.stderr.write(f'{line}\n')


async def _write(rebuilt: Path, reading: Reading) -> None:
    """Write the new database, whose next ids are above every one that was ever given."""
    highest = reduce(or_, (one.ids for one in reading.found), reading.known)
    library = await Library.open(rebuilt)
    try:
        await library.recovery.raise_ids(highest)
        waiting = iter(reading.found)
        reading.found = []
        while some := list(itertools.islice(waiting, WRITTEN_AT_ONCE)):
            written = await library.recovery.attach([one.told() for one in some])
            for one, attached in zip(some, written, strict=True):
                _tell(reading, one, attached)
    finally:
        await library.close()


def _tell(reading: Reading, one: LabelledImage, attached: Attached) -> None:
    file = one.kept.file
    if attached.fate is not Fate.ATTACHED:
        reading.refuse_for(file, attached.reason or str(attached.fate))
        return
    reading.found.append(one)
    if one.kept.id not in (None, attached.image_id):
        describe(f'{file} now has the id {attached.image_id}: another picture has {one.kept.id}.')


def _replace(database: Path, rebuilt: Path) -> None:
    """Put the new database in the old one's place in one step; the old one is kept beside.

    Whatever ends this before that step leaves the old one in use, and nothing is deleted.
    """
    settle(database)  # into one file, where it is whole
    old = [path for path in _files_of(database) if path.exists()]
    if old:
        aside = _aside(database)
        aside.mkdir(mode=0o700, exist_ok=True)
        for path in old:
            _keep(path, aside / path.name)
        for path in old:
            if path != database:  # the journal of a damaged one would go into the new one
                path.unlink()
    rebuilt.replace(database)
    sync_folder(database.parent)


def _aside(database: Path) -> Path:
    """Return a folder for the old database: a new one, or one that a kill left with links to it."""
    for number in itertools.count(1):
        folder = database.with_name(f'{SET_ASIDE}-{number}')
        if not folder.exists() or all(map(_is_link, folder.iterdir())):
            break
    return folder


def _is_link(kept: Path) -> bool:
    """Check whether a file is still the same as the one in use."""
    used = kept.parent.with_name(kept.name)
    return used.exists() and used.samefile(kept)


def _keep(path: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the system knows no second names."""
    if target.exists():
        return
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copy2(path, target)
        sync(target)


def _files_of(database: Path) -> list[Path]:
    return [database.with_name(f'{database.name}{suffix}') for suffix in SUFFIXES]


def _remove(database: Path) -> None:
    for path in _files_of(database):
        path.unlink(missing_ok=True)

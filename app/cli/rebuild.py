"""`easel rebuild`: makes the database again from the pictures, which carry their settings and ids.

Favourites, the trash, failures and what waited come back from a backup only. A file that cannot be
read is named, on standard error, and costs no other. The new database is written beside the old
one, which it replaces when it is whole.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.config import DATABASE, Config
from app.database import Library
from app.errors import AppError, ErrorKind, ProviderError
from app.log import escape
from app.main import open_store
from app.models import (
    REQUEST_FIELDS,
    Generation,
    GenerationRequest,
    Outcome,
    Size,
    Status,
    StoredImage,
)
from app.storage.lock import Held, holding
from app.storage.metadata.label import Label, carries_label, checked_label
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.store import Store

SET_ASIDE = 'before-rebuild'
REBUILT = 'easel-rebuilt.db'
SUFFIXES = ('-wal', '-shm', '')  # the database last: a journal without it would go into the next
LABEL_FIELDS = ('created_at', 'revised_prompt', 'source_url', 'seed')
PICTURE_SUFFIXES = {f'.{extension}' for extension in MIME_EXTENSIONS.values()} | {'.jpeg'}


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One picture of the folder, with what is believed of its label."""

    kept: StoredImage
    label: Label


@dataclass(slots=True)
class Reading:
    """What the folder holds: Easel's own pictures, by path and none twice, and counts of others."""

    found: list[LabelledImage] = field(default_factory=list)
    others: int = 0  # without a label
    unreadable: int = 0

    @property
    def failed(self) -> bool:
        return bool(self.unreadable and not self.found)

    def refuse(self, file: str, error: Exception) -> None:
        self.unreadable += 1
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, ProviderError):
            reason = error.failure.reason
        describe(f'{file} can not be read: {reason or error}')


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
        sys.stderr.write('No picture could be read, so the database stays as it is.\n')
        return 1
    sys.stdout.write(f'{len(reading.found)} pictures are in the new database.\n')
    if reading.others:
        left_alone = 'files carry no settings of Easel and were left alone.'
        sys.stdout.write(f'{reading.others} {left_alone}\n')
    sys.stdout.write('Favourites, the trash and failed generations come back from a backup only.\n')
    return 1 if reading.unreadable else 0


async def _rebuild(config: Config) -> Reading:
    store = open_store(config)
    try:
        reading = await read_all(store)
    finally:
        await store.decoder.close()
    if reading.failed:
        return reading
    rebuilt = config.data / REBUILT
    _remove(rebuilt)
    try:
        library = await Library.open(rebuilt)
        try:
            for generation_id, pictures in _by_generation(_with_ids(reading.found)).items():
                await _write(library, generation_id, pictures)
        finally:
            await library.close()
        _set_aside(config.data)
        rebuilt.replace(config.data / DATABASE)
    finally:
        _remove(rebuilt)
    return reading


async def read_all(store: Store) -> Reading:
    """Read every picture; one that cannot be read is named, and costs no other."""
    reading = Reading()
    seen: dict[tuple[str, Label], str] = {}
    for path in _files_below(store.images, reading):
        file = path.relative_to(store.images).as_posix()
        try:
            found = await _read(store, path)
        except (ProviderError, OSError, ValueError) as error:
            await store.decoder.close()  # the next picture gets a new child
            reading.refuse(file, error)
            continue
        if found is None:
            reading.others += 1
            continue
        first = seen.setdefault((found.kept.digest, found.label), file)
        if first == file:
            reading.found.append(found)
        else:
            describe(f'{file} is a copy of {first} and was left alone.')
    return reading


def _files_below(folder: Path, reading: Reading) -> list[Path]:
    found = list[Path]()
    walk = os.walk(folder, onerror=lambda error: reading.refuse(str(error.filename), error))
    for root, folders, names in walk:
        links = [one for one in folders if os.path.islink(Path(root, one))]  # noqa: PTH114 (never raises)
        found += [Path(root, name) for name in (*names, *links) if not name.endswith('.xmp')]
    return sorted(found)


async def _read(store: Store, path: Path) -> LabelledImage | None:
    """Read one picture; None if it is not Easel's. Raises ProviderError, OSError or ValueError."""
    status = await asyncio.to_thread(path.lstat)
    if stat.S_ISLNK(status.st_mode):
        raise ValueError('it is a link, which Easel does not follow')
    if not stat.S_ISREG(status.st_mode):
        return None
    settings = await store.settings_in(path)
    try:
        kept = await store.look_again(path)
    except ProviderError as error:
        if error.failure.kind is ErrorKind.NOT_AN_IMAGE and path.suffix not in PICTURE_SUFFIXES:
            return None
        raise
    if settings.get('generator') != 'Easel':
        if await asyncio.to_thread(carries_label, path):
            raise ValueError('its settings are damaged')
        return None
    if kept.file != os.fsencode(kept.file).decode('utf-8', 'replace'):
        raise ValueError('its name is not UTF-8')
    label = checked_label(settings, status.st_mtime)
    stated = {name: getattr(label, name) for name in LABEL_FIELDS}
    return LabelledImage(replace(kept, id=label.image_id, **stated), label)


def describe(sentence: str) -> None:
    line = escape(sentence).replace('\n', '\\n')
    sys.stderr.write(f'{line}\n')


def _with_ids(found: list[LabelledImage]) -> list[LabelledImage]:
    """Return each picture with its label's id, or a new one where another file has that."""
    pictures = []
    for one, image_id in zip(found, _distinct([one.kept.id or 0 for one in found]), strict=True):
        if one.kept.id not in (None, image_id):
            describe(f'{one.kept.file} has the id {image_id} now: another has {one.kept.id}.')
        pictures.append(replace(one, kept=replace(one.kept, id=image_id)))
    return pictures


def _by_generation(found: list[LabelledImage]) -> dict[int, list[LabelledImage]]:
    """Group pictures by what made them; two data folders may have used one id for two prompts."""
    groups: dict[tuple[int, str, str, str | None], list[LabelledImage]] = {}
    for one in found:
        key = (one.label.generation_id, one.label.prompt, one.label.provider, one.label.model)
        groups.setdefault(key, []).append(one)
    ids = _distinct([generation_id for generation_id, *_ in groups])
    return dict(zip(ids, groups.values(), strict=True))


def _distinct(wanted: Sequence[int]) -> list[int]:
    """Return each number; where it is 0 or was there before, a new one."""
    new, given = itertools.count(max(wanted, default=0) + 1), {0}
    numbers = []
    for number in wanted:
        numbers.append(next(new) if number in given else number)
        given.add(number)
    return numbers


async def _write(library: Library, generation_id: int, pictures: list[LabelledImage]) -> None:
    pictures.sort(key=lambda picture: picture.label.position)
    first = pictures[0].label
    stated = {name: getattr(first, name) for name, one in REQUEST_FIELDS.items() if one.in_pictures}
    known = {
        'model': None,
        'guidance': None if first.guidance is None else str(first.guidance),
        'size': Size.parse(first.asked_size) if first.asked_size else None,
        'n': len(pictures) if len(pictures) > 1 else None,
    }
    generation = Generation(
        id=generation_id,
        status=Status.DONE,
        attempt=1,
        request=GenerationRequest(**stated | known),
        provider=first.provider,
        model=first.model,
        created_at=first.created_at,
    )
    kept = tuple(picture.kept for picture in pictures)
    outcome = Outcome(status=Status.DONE, provider=first.provider, model=first.model, kept=kept)
    places = _distinct([picture.label.position + 1 for picture in pictures])
    await library.generations.add_rebuilt(generation, outcome, [place - 1 for place in places])


def _set_aside(data: Path) -> None:
    """Keep the old database under another name; nothing is deleted."""
    paths = (data / f'{DATABASE}{suffix}' for suffix in SUFFIXES)
    if old := [path for path in paths if path.exists()]:
        folders = (data / f'{SET_ASIDE}-{number}' for number in itertools.count(1))
        aside = next(folder for folder in folders if not folder.exists())
        aside.mkdir(mode=0o700)
        for path in old:
            path.replace(aside / path.name)


def _remove(database: Path) -> None:
    for suffix in SUFFIXES:
        database.with_name(f'{database.name}{suffix}').unlink(missing_ok=True)

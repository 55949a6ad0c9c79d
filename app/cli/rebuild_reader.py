"""Reads the folder of pictures: each with what is believed of its label, whatever the others are.

A file that can not be read is named, on standard error, and costs no other.
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.errors import ErrorKind, ProviderError
from app.log import escape
from app.models import StoredImage
from app.storage.metadata.checked_label import carries_label, checked_label
from app.storage.metadata.label import Label
from app.storage.metadata.mime import MIME_EXTENSIONS
from app.storage.store import Store

PICTURE_SUFFIXES = {f'.{extension}' for extension in MIME_EXTENSIONS.values()} | {'.jpeg'}


@dataclass(frozen=True, slots=True)
class Found:
    """One picture of the folder, with what is believed of its label."""

    kept: StoredImage
    label: Label


@dataclass(slots=True)
class Reading:
    """What was found in the folder.

    Attributes:
        found: Pictures of Easel's, by path, none of them twice.
        others: How many files are not Easel's to place.
        unreadable: How many files could not be read, and were named.
    """

    found: list[Found] = field(default_factory=list)
    others: int = 0
    unreadable: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there were pictures and none could be read."""
        return bool(self.unreadable and not self.found)

    def refuse(self, file: str, error: Exception) -> None:
        self.unreadable += 1
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, ProviderError):
            reason = error.failure.reason
        describe(f'{file} can not be read: {reason or error}')


class Unreadable(Exception):
    """A file that can not come back; the text says why."""


async def read_all(store: Store) -> Reading:
    """Read every picture; what can not be read is named, and costs no other."""
    reading = Reading()
    seen: dict[tuple[str, Label], str] = {}
    for path in _files_below(store.images, reading):
        file = path.relative_to(store.images).as_posix()
        try:
            found = await _read(store, path)
        except (ProviderError, OSError, ValueError, Unreadable) as error:
            await store.decoder.close()  # the next picture gets a child that owes no answer
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
    """List all files and links, by path; a folder that can not be listed is named."""

    def refuse(error: OSError) -> None:
        reading.refuse(str(error.filename), error)

    found = list[Path]()
    for root, folders, names in os.walk(folder, onerror=refuse):
        links = [one for one in folders if os.path.islink(Path(root, one))]  # noqa: PTH114 (never raises)
        found += [Path(root, name) for name in (*names, *links) if not name.endswith('.xmp')]
    return sorted(found)


async def _read(store: Store, path: Path) -> Found | None:
    """Read one picture; None if it is not ours to place.

    Raises:
        ProviderError: It is damaged.
        OSError: The disk refused.
        ValueError: The decoder's answer could not be understood.
        Unreadable: It can not be served, or its label can not be read.
    """
    status = await asyncio.to_thread(path.lstat)
    if stat.S_ISLNK(status.st_mode):
        raise Unreadable('it is a link, which Easel does not follow')
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
            raise Unreadable('its settings are damaged')
        return None
    if kept.file != os.fsencode(kept.file).decode('utf-8', 'replace'):
        raise Unreadable('its name is not UTF-8')
    label = checked_label(settings, status.st_mtime)
    kept = replace(
        kept,
        id=label.image_id,
        created_at=label.created_at,
        revised_prompt=label.revised_prompt,
        source_url=label.source_url,
        seed=label.seed,
    )
    return Found(kept, label)


def describe(sentence: str) -> None:
    """Say something of one file, whose name may hold anything."""
    line = escape(sentence).replace('\n', '\\n')
    sys.stderr.write(f'{line}\n')

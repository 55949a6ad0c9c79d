"""What the page about storage and backups shows."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from app.config import DATABASE
from app.database.files import YearUse
from app.database.sqlite.opening import journal_of, size_of
from app.maintenance.faults import FaultKind
from app.maintenance.nightly import LastBackup, NightlySettings
from app.maintenance.verifier import Verification
from app.web.context import Services
from app.web.error_pages import in_words
from app.web.templates import Language


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What the data folder takes, in bytes."""

    years: tuple[YearUse, ...]
    thumbs: int | None  # not counted yet: None
    masks: int | None
    database: int
    free: int

    @property
    def images(self) -> int:
        return sum(year.images for year in self.years)

    @property
    def trashed(self) -> int:
        return sum(year.trashed for year in self.years)

    @property
    def originals_bytes(self) -> int:
        """The bytes of every picture, also of those in the trash."""
        return sum(year.size_bytes for year in self.years)

    @property
    def trash_bytes(self) -> int:
        return sum(year.trashed_bytes for year in self.years)

    @property
    def backup_bytes(self) -> int:
        return self.originals_bytes + self.database


async def disk_use_of(services: Services) -> DiskUse:
    """Collect counters; what has none is counted in the background, for a later look."""
    data, counted = services.config.data, services.maintenance
    for folder in (counted.thumbs, counted.masks):
        folder.measure_soon()
    years = await services.library.files.years()
    usage = await asyncio.to_thread(shutil.disk_usage, data)
    database_bytes = await asyncio.to_thread(_database_bytes, data)
    return DiskUse(
        years, counted.thumbs.size_bytes, counted.masks.size_bytes, database_bytes, usage.free
    )


def _database_bytes(data: Path) -> int:
    """Return what the database takes with its journal, which can be larger than itself."""
    return size_of(data / DATABASE) + size_of(journal_of(data / DATABASE))


def readable(path: str) -> str:
    """Return a path as UTF-8 has it, `�` for what is none."""
    return os.fsencode(path).decode('utf-8', 'replace')


def disk_use_json(use: DiskUse) -> dict[str, object]:
    return {
        'originals_bytes': use.originals_bytes,
        'trash_bytes': use.trash_bytes,
        'thumbs_bytes': use.thumbs,
        'masks_bytes': use.masks,
        'database_bytes': use.database,
        'free_bytes': use.free,
        'years': [asdict(year) for year in use.years],
    }


def verification_json(
    verification: Verification | None, language: Language
) -> dict[str, object] | None:
    if verification is None:
        return None
    own = ('running', 'stopped', 'checked', 'total', 'began_at', 'ended_at')
    return {
        **{name: getattr(verification, name) for name in own},
        **{kind: verification.counts[kind] for kind in FaultKind},
        'files': [
            {'kind': fault.kind, 'path': readable(fault.path)} for fault in verification.listed
        ],
        'error': in_words(verification.failure, language) if verification.failure else None,
    }


def nightly_json(settings: NightlySettings, language: Language) -> dict[str, object]:
    last = settings.last
    own = ('enabled', 'folder', 'hour', 'keep')
    shown: dict[str, object] = {name: getattr(settings, name) for name in own}
    shown['last'] = last and {
        **{name: getattr(last, name) for name in ('at', 'file', 'size_bytes', 'not_whole')},
        'error': why_failed(last, language) or None,
    }
    return shown


def why_failed(last: LastBackup, language: Language) -> str:
    """Return why the last backup failed, empty where it did not."""
    return language.translate(last.sentence).format(**last.places)

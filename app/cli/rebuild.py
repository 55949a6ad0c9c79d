"""`easel rebuild`: makes the database again from the pictures alone.

Each picture carries its prompt, settings and ids. Favourites, the trash, failures and what waited
are in the database only, so those come back from a backup and not from here.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from app.config import Config
from app.database import Library
from app.errors import AppError, ProviderError
from app.log import logger
from app.main import DATABASE, open_store
from app.models import Ask, Generation, Kept, Outcome, Size, Status
from app.storage.lock import Held, holding
from app.storage.store import Store

log = logger(__name__)

SET_ASIDE = 'before-rebuild'
Settings = dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Found:
    """One picture of the folder, with what it says of itself."""

    kept: Kept
    settings: Settings

    def text(self, name: str) -> str | None:
        """Give a setting as text, None where it is not known."""
        value = self.settings.get(name)
        return None if value is None else str(value)

    def as_kept(self) -> Kept:
        """Give the picture with its id and what only its label knows."""
        return replace(
            self.kept,
            id=self.whole('image_id'),
            created_at=float(self.settings.get('created_at', 0)),
            revised_prompt=self.text('revised_prompt'),
            source_url=self.text('source_url'),
            seed=self.whole('seed'),
        )

    def whole(self, name: str) -> int | None:
        """Give a setting as a whole number, None where it is not one."""
        value = self.settings.get(name)
        return value if isinstance(value, int) and 0 <= value < 1 << 63 else None


def rebuild(config: Config) -> int:
    """Set the old database aside, read every picture, write a new one; returns the exit status."""
    for warning in config.warnings:
        log.warning('%s', warning)
    try:
        with holding(config.data):
            known, unknown = asyncio.run(_rebuild(config))
    except Held as held:
        sys.stderr.write(f'{held}; stop that Easel first.\n')
        return 1
    except (AppError, OSError) as error:
        sys.stderr.write(f'{error}\n')
        return 1
    sys.stdout.write(f'{known} pictures are in the new database.\n')
    if unknown:
        sys.stdout.write(f'{unknown} files carry no settings of Easel and were left alone.\n')
    sys.stdout.write('Favourites, the trash and failed generations come back from a backup only.\n')
    return 0


async def _rebuild(config: Config) -> tuple[int, int]:
    store = open_store(config)
    try:
        found, unknown = await _read_all(store)
    finally:
        await store.decoder.close()
    _set_aside(config.data)
    library = await Library.open(config.data / DATABASE)
    try:
        for generation_id in sorted(found):
            await _write(library, generation_id, found[generation_id])
    finally:
        await library.close()
    return sum(len(pictures) for pictures in found.values()), unknown


async def _read_all(store: Store) -> tuple[dict[int, list[Found]], int]:
    """Read every picture, by generation; count those that are not ours to place."""
    found: dict[int, list[Found]] = {}
    unknown = 0
    for path in sorted(store.images.rglob('*')):
        if not path.is_file() or path.suffix == '.xmp':
            continue
        settings = await store.settings_in(path)
        try:
            picture = Found(await store.look_again(path), settings)
        except ProviderError as error:
            log.warning('%s: %s', path.name, error.failure.reason)
            unknown += 1
            continue
        generation_id = picture.whole('generation_id')
        if settings.get('generator') != 'Easel' or not generation_id:
            unknown += 1
            continue
        found.setdefault(generation_id, []).append(picture)
    return found, unknown


async def _write(library: Library, generation_id: int, pictures: list[Found]) -> None:
    """Write a generation and its pictures under the ids that they had."""
    pictures.sort(key=lambda picture: picture.whole('position') or 0)
    first = pictures[0]
    size = first.text('asked_size')
    ask = Ask(
        prompt=first.text('prompt') or '',
        size=Size.parse(size) if size else None,
        n=len(pictures) if len(pictures) > 1 else None,
        seed=first.whole('seed'),
        negative_prompt=first.text('negative_prompt'),
        quality=first.text('quality'),
        steps=first.whole('steps'),
        guidance=first.text('guidance'),
        sampler=first.text('sampler'),
    )
    created_at = float(first.settings.get('created_at', 0))
    generation = Generation(
        id=generation_id,
        status=Status.DONE,
        attempt=1,
        ask=ask,
        provider=first.text('provider') or '',
        model=first.text('model'),
        created_at=created_at,
    )
    outcome = Outcome(
        status=Status.DONE,
        provider=generation.provider,
        model=generation.model,
        kept=tuple(picture.as_kept() for picture in pictures),
    )
    positions = [picture.whole('position') or 0 for picture in pictures]
    await library.generations.bring_back(generation, outcome, positions)


def _set_aside(data: Path) -> None:
    """Keep the old database under another name; nothing is deleted."""
    number = 1
    while (data / f'{SET_ASIDE}-{number}').exists():
        number += 1
    aside = data / f'{SET_ASIDE}-{number}'
    aside.mkdir(mode=0o700)
    for suffix in ('', '-wal', '-shm'):
        old = data / f'{DATABASE}{suffix}'
        if old.exists():
            old.replace(aside / old.name)

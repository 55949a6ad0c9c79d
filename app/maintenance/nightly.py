"""The nightly backup: its settings, which a file of the data folder keeps, and its turn."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from app.config import NIGHTLY
from app.errors import N_, AppError, InvalidRequest, Notice, StorageFailed
from app.log import logger
from app.maintenance.background import Background, Stopped
from app.storage.files import write_private
from app.tasks import end_tasks

log = logger(__name__)

LOOK_EVERY_S = 60.0  # so that a clock that jumps, or a machine that slept, costs a minute
AGAIN_AFTER_S = 3_600.0  # after a failure
CLOCK_ERROR_S = 24 * 3_600.0  # what is later still was said by a clock that was set back since
LAST_HOUR = 23
MOST_KEPT = 365


@dataclass(frozen=True, slots=True)
class LastBackup:
    """How the last one ended; without a sentence it is there."""

    at: float  # in seconds since 1970
    file: str = ''
    size_bytes: int = 0
    not_whole: int = 0  # pictures that are in it as they were found
    sentence: str = ''  # why there is none, as `AppError.sentence`
    places: dict[str, str] = field(default_factory=dict)


def _new_mark() -> str:
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class NightlySettings:
    """When and where; `since` is when that was said, so that no earlier night is made up for."""

    enabled: bool = False
    folder: str = ''
    hour: int = 3  # by the clock of this machine
    keep: int = 7
    since: float = 0.0
    last: LastBackup | None = None
    mark: str = field(
        default_factory=_new_mark, compare=False
    )  # in the names of this data folder's backups

    def is_due(self, now: float) -> bool:
        """Check whether one is to be made: its hour was, or the last one failed an hour ago."""
        if not self.enabled:
            return False
        tried_at = self.last.at if self.last else 0.0
        if self.last and self.last.sentence and now - tried_at >= AGAIN_AFTER_S:
            return True
        known = (at for at in (self.since, tried_at) if at <= now + CLOCK_ERROR_S)
        return max(known, default=0.0) < _last_time_at(self.hour, now)


class NightlyBackup:
    """Makes a backup a night in the background, and removes the oldest."""

    def __init__(
        self,
        data: Path,
        background: Background,
        on_result: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = NightlySettings()
        self._data = data
        self._background = background
        self._on_result = on_result
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    @property
    def problem(self) -> Notice | None:
        """What the owner is to notice: the last one failed."""
        last = self.settings.last
        if not (last and last.sentence):
            return None
        return Notice(
            sentence=N_('The last nightly backup failed.'),
            cure=last.sentence,
            places=last.places,
            link='/settings/keeping#nightly',
            link_text=N_('Storage and backup'),
            owner_only=True,
        )

    def load(self) -> None:
        """Read the settings; a damaged file is told as a backup that failed."""
        try:
            kept = json.loads((self._data / NIGHTLY).read_text(encoding='utf-8'))
            last = LastBackup(**kept.pop('last')) if kept.get('last') else None
            self.settings = NightlySettings(**kept | {'last': last})
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning('the settings of the nightly backup cannot be read: %s', error)
            sentence = N_('The nightly backup settings were damaged. Set them again.')
            self.settings = NightlySettings(last=LastBackup(self._clock(), sentence=sentence))

    async def change(self, settings: NightlySettings) -> None:
        """Set other settings. Raises `InvalidRequest` with its fields, or `StorageFailed`."""
        now = self._clock()
        if settings.enabled:
            await asyncio.to_thread(_check, settings, self._data)
        last = self.settings.last
        is_settled = last and last.sentence  # a failure under other settings says nothing of these
        last = None if is_settled else last
        await self._keep(replace(settings, since=now, last=last, mark=self.settings.mark))
        self._on_result()

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop(), name='nightly backup')

    async def close(self) -> None:
        await end_tasks(self._task)

    async def look(self) -> None:
        """Make a backup if one is due."""
        if not self.settings.is_due(self._clock()):
            return
        settings = self.settings
        try:
            last = await self._background.run(lambda: self._back_up(settings))
        except Stopped:
            return
        except AppError as error:
            log.warning('the nightly backup failed: %s', error)
            places = {name: str(value) for name, value in error.places.items()}
            last = LastBackup(self._clock(), sentence=error.sentence, places=places)
        with contextlib.suppress(StorageFailed):  # the settings in force have it all the same
            await self._keep(replace(self.settings, last=last))
        self._on_result()

    async def _loop(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception('the nightly backup could not be made')
            await asyncio.sleep(LOOK_EVERY_S)

    def _back_up(self, settings: NightlySettings) -> LastBackup:
        from app.maintenance.backup_folder import back_up_into  # tarfile, which no start needs

        folder, now, rest = Path(settings.folder), self._clock(), self._background.pace().rest
        mark, keep = settings.mark, settings.keep
        target, backup = back_up_into(folder, self._data, mark, keep, now, rest)
        return LastBackup(now, str(target), target.stat().st_size, len(backup.not_whole))

    async def _keep(self, settings: NightlySettings) -> None:
        self.settings = settings
        text = json.dumps(asdict(settings))
        try:
            await asyncio.to_thread(write_private, self._data / NIGHTLY, text)
        except OSError as error:
            raise StorageFailed(
                N_("The settings couldn't be saved: {reason}."), reason=error.strerror
            ) from error


def _last_time_at(hour: int, now: float) -> float:
    """Return when the clock of this machine last showed an hour, in seconds since 1970."""
    day = datetime.fromtimestamp(now).replace(hour=hour, minute=0, second=0, microsecond=0)
    return (day if day.timestamp() <= now else day - timedelta(days=1)).timestamp()


def _check(settings: NightlySettings, data: Path) -> None:
    """Raise `InvalidRequest` for what cannot be done, a sentence a field."""
    from app.maintenance.backup_folder import why_not  # few runs change the settings

    wrong: dict[str, AppError] = {}
    if not 0 <= settings.hour <= LAST_HOUR:
        wrong['hour'] = InvalidRequest(N_('Choose an hour from 0 to {most}.'), most=LAST_HOUR)
    if not 1 <= settings.keep <= MOST_KEPT:
        wrong['keep'] = InvalidRequest(N_('Keep from 1 to {most} backups.'), most=MOST_KEPT)
    if refused := why_not(settings.folder, data):
        wrong['folder'] = refused
    if wrong:
        raise InvalidRequest(N_('Check the marked fields.'), fields=wrong)

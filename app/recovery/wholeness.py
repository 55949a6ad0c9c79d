"""The quiet check after each start: whether every picture's file is still what was kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial

from app.config import DATABASE
from app.database import Library
from app.database.sqlite.readers import check_database
from app.errors import N_, Notice, StorageFailed
from app.log import logger
from app.maintenance.background import Background, Stopped
from app.models import KeptFile
from app.recovery.folder import FolderWatch
from app.storage.inventory import Condition, Examined, examine
from app.storage.store import Store

log = logger(__name__)
Sleep = Callable[[float], Awaitable[None]]

AFTER_START_S = 30.0  # the first pages come first
SHARE = 0.1  # of one processor's time
PAGE = 20
REST_S = 1.0  # for the disk, after each page
LOWEST_PRIORITY = 19
PROGRESS = 'checked'  # the last picture that the check has come to; 0: it begins anew
DAMAGED = N_('Pictures with a damaged file: {damaged}; with a missing file: {missing}.')
NAME_THEM = N_('A backup may have intact copies. `easel verify` lists the files.')


class WholenessCheck:
    """Reads every file once after each start, and goes on where the last one was ended."""

    def __init__(
        self,
        library: Library,
        store: Store,
        background: Background,
        folder: FolderWatch,
        announce: Callable[[], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._library = library
        self._store = store
        self._background = background
        self._folder = folder
        self._announce = announce
        self._sleep = sleep
        self._damaged = self._missing = 0
        self._failure: StorageFailed | None = None

    @property
    def notice(self) -> Notice | None:
        if self._failure:
            sentence, places = self._failure.sentence, self._failure.places
            return Notice(sentence=sentence, cure='', places=places, owner_only=True)
        if not (self._damaged or self._missing):
            return None
        return Notice(
            sentence=DAMAGED,
            cure=NAME_THEM,
            places={'damaged': self._damaged, 'missing': self._missing},
            link='/settings/keeping',
            link_text=N_('Storage and backup'),
            owner_only=True,
            is_closable=True,
        )

    async def begin(self) -> None:
        """Know what earlier checks found. Raises `StorageFailed`."""
        self._damaged = await self._library.files.damaged()

    async def run(self) -> None:
        """Check all files, then the database; what storage does not let be read is left."""
        await self._sleep(AFTER_START_S)
        with contextlib.suppress(Stopped):
            try:
                await self._check_files()
                await self._check_database()
            except (StorageFailed, OSError) as error:
                log.warning('the check of the pictures ends early: %s', error)
        self._announce()

    async def _check_files(self) -> None:
        last = await self._library.files.state(PROGRESS)
        while some := await self._library.files.after(last, PAGE):
            if self._folder.away:
                return
            found = await self._background.run(partial(self._examine, some))
            for kept, one in zip(some, found, strict=True):
                await self._note(kept, one)
            last = some[-1].id
            await self._library.files.set_state(PROGRESS, last)
            await self._sleep(REST_S)
        await self._library.files.set_state(PROGRESS, 0)
        self._damaged = await self._library.files.damaged()

    def _examine(self, some: tuple[KeptFile, ...]) -> list[Examined]:
        _be_idle()
        found, pace = [], self._background.pace(share=SHARE)
        for kept in some:
            found.append(examine(self._store.data, self._store.original(kept.file), kept))
            pace.rest()
        return found

    async def _note(self, kept: KeptFile, found: Examined) -> None:
        if found.condition is Condition.MISSING:
            self._missing += 1
        is_damaged = found.condition in (Condition.CUT, Condition.ROTTEN)
        damaged_ns = found.changed_ns if is_damaged else None
        if damaged_ns != kept.damaged_ns:
            log.warning('%s is %s', kept.file, found.condition)
            await self._library.files.mark(kept.id, damaged_ns)

    async def _check_database(self) -> None:
        pace = self._background.pace(share=SHARE)
        try:
            await self._background.run(
                lambda: check_database(self._store.data / DATABASE, pace.rest)
            )
        except StorageFailed as error:
            log.error('%s', error)
            self._failure = error


def _be_idle() -> None:
    """Let this thread run when nothing else wants to; Linux alone has priorities of threads."""
    if sys.platform == 'linux':
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)

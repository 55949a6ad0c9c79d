"""What is found of an earlier run: at the start, and while this one goes on."""

from __future__ import annotations

import asyncio

from app.database import Library
from app.errors import Notice
from app.generation.changes import Changes
from app.maintenance.background import Background
from app.recovery.folder import FolderWatch
from app.recovery.pictures import PictureRecovery
from app.recovery.wholeness import WholenessCheck
from app.storage.store import Store
from app.tasks import end_tasks, logging_faults


class Recovery:
    """The folder, the pictures without rows, and the rows whose pictures are not whole."""

    def __init__(
        self, library: Library, store: Store, changes: Changes, background: Background
    ) -> None:
        announce = changes.announce_notices
        self._library = library
        self._store = store
        self.folder = FolderWatch(library, store, announce)
        self.pictures = PictureRecovery(library, store, changes)
        self.wholeness = WholenessCheck(library, store, background, self.folder, announce)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def notices(self) -> tuple[Notice, ...]:
        lost = None if self.pictures.are_back else self.folder.lost
        without_rows = self.pictures.notice or lost
        found = (self.folder.away, without_rows, self.wholeness.notice)
        return tuple(notice for notice in found if notice)

    async def begin(self) -> None:
        """Look at what is there, before anything runs or gets an id. Raises `StorageFailed`."""
        await self.folder.begin()
        if not self.folder.away and await self._library.removals.after(''):
            from app.recovery.removals import FileRemoval  # few starts find any

            removal = FileRemoval(self._library, self._store)
            await removal.finish()
            await removal.finish_masks()
        await self.pictures.begin()
        await self.wholeness.begin()

    def start(self) -> None:
        """Go on looking beside the pages."""
        for work in (self.folder.run, self.wholeness.run):
            self._tasks.append(asyncio.create_task(logging_faults(work), name='recovery'))

    async def close(self) -> None:
        await self.pictures.close()
        await end_tasks(*self._tasks)

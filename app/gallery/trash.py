"""The trash: emptied by itself after a while, if its owner wants that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from app.database import Library
from app.database.acts.kinds import ActKind, NewAct
from app.errors import StorageFailed
from app.gallery.acts import Acts
from app.log import logger
from app.tasks import end_tasks, logging_faults

log = logger(__name__)

KEPT_DAYS = 30
DAY_S = 24 * 3600.0
EMPTIES_ITSELF = 'trash_empties_itself'  # 1 where that is switched on
AFTER_START_S = 60.0  # the first pages come first
LOOK_EVERY_S = 3600.0
Sleep = Callable[[float], Awaitable[None]]


class Trash:
    """Looks now and then for what has been in the trash for long enough; favourites stay."""

    def __init__(
        self,
        library: Library,
        acts: Acts,
        clock: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._library = library
        self._acts = acts
        self._clock = clock
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def empties_itself(self) -> bool:
        return bool(await self._library.files.state(EMPTIES_ITSELF))

    async def switch(self, *, on: bool) -> None:
        """Have what is in the trash for 30 days deleted for good, or no more."""
        await self._library.files.set_state(EMPTIES_ITSELF, int(on))

    def start(self) -> None:
        self._task = asyncio.create_task(logging_faults(self._run), name='trash')

    async def close(self) -> None:
        await end_tasks(self._task)

    async def look(self) -> None:
        """Begin to delete what has been in the trash for long enough, if that is wanted."""
        if not await self.empties_itself():
            return
        parts = await self._library.removals.expired(self._clock() - KEPT_DAYS * DAY_S)
        if parts:
            await self._acts.begin(NewAct(kind=ActKind.DESTROY, spares_favourites=True), parts)

    async def _run(self) -> None:
        await self._sleep(AFTER_START_S)
        while True:
            try:
                await self.look()
                await self._acts.forget_old()
            except StorageFailed as error:
                log.warning('the trash is looked through later: %s', error)
            await self._sleep(LOOK_EVERY_S)

"""Whether the data folder is the one that it was, with its database and its pictures."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.database import Library
from app.errors import N_, Notice, StorageFailed
from app.log import logger
from app.storage.store import Store

log = logger(__name__)
Sleep = Callable[[float], Awaitable[None]]

MARKER = '.easel'
TEXT = 'Easel keeps its data in this folder. Where this file is missing, it is another folder.\n'
KNOWN = 'folder'  # 1 once the database knows that the folder is marked
LOOK_EVERY_S = 5.0
SAMPLE = 10
LOST = N_('The database was missing when Easel started, so this gallery is new.')
PUT_BACK = N_(
    'If you had one, stop Easel and put it back, or run `easel restore FILE.tar` to '
    'restore a backup, or `easel rebuild` to rebuild it from the pictures.'
)
AWAY = N_('The data folder has no pictures: `images` is empty or not mounted.')
MOUNT = N_(
    "Mount it to get the pictures back; nothing was removed. If they're lost, "
    'restore a backup with `easel restore FILE.tar`.'
)


class FolderWatch:
    """Marks the data folder, and looks now and then whether the pictures are in it."""

    def __init__(
        self,
        library: Library,
        store: Store,
        announce: Callable[[], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.is_new = False  # nothing was in it before this start
        self._is_lost = False
        self._is_away = False
        self._library = library
        self._store = store
        self._announce = announce
        self._sleep = sleep

    @property
    def away(self) -> Notice | None:
        return Notice(sentence=AWAY, cure=MOUNT) if self._is_away else None

    @property
    def lost(self) -> Notice | None:
        if not self._is_lost:
            return None
        return Notice(sentence=LOST, cure=PUT_BACK, owner_only=True, is_closable=True)

    async def begin(self) -> None:
        """Compare the folder with what the database knows. Raises `StorageFailed`."""
        marker = self._store.data / MARKER
        is_marked = await asyncio.to_thread(marker.exists)
        files = await self._library.files.edges(1)
        is_empty = not (files or await self._library.generations.page(None, 1))
        is_known = await self._library.files.state(KNOWN)
        self.is_new = is_empty and not is_marked
        self._is_lost = is_empty and is_marked and not is_known
        if not (is_marked and is_known) and await asyncio.to_thread(_mark, marker):
            await self._library.files.set_state(KNOWN, 1)
        self._is_away = await self._look()

    async def run(self) -> None:
        while True:
            await self._sleep(LOOK_EVERY_S)
            with contextlib.suppress(StorageFailed):
                await self.look()

    async def look(self) -> None:
        """Look now. Raises `StorageFailed`."""
        is_away = await self._look()
        if is_away != self._is_away:
            self._is_away = is_away
            self._announce()

    async def _look(self) -> bool:
        """Whether none of the oldest and newest pictures is there."""
        files = await self._library.files.edges(SAMPLE)
        paths = [self._store.original(file) for file in files]
        return bool(paths) and not await asyncio.to_thread(_is_any_there, paths)


def _mark(marker: Path) -> bool:
    """Write the marker; False where that cannot be."""
    try:
        marker.touch(mode=0o600)
        marker.write_text(TEXT, encoding='ascii')
    except OSError as error:
        log.warning('the data folder cannot be marked: %s', error.strerror)
        return False
    return True


def _is_any_there(paths: list[Path]) -> bool:
    return any(map(_is_there, paths))


def _is_there(path: Path) -> bool:
    try:
        return bool(path.stat())
    except OSError:  # of any kind: a mount whose server is gone has its own
        return False

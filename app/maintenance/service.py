"""What a running server does for its data folder beside its pages."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import N_, Conflict
from app.maintenance.background import Background, Stopped
from app.maintenance.nightly import NightlyBackup
from app.storage.store import MASKS, THUMBS
from app.tasks import logging_faults

if TYPE_CHECKING:
    from app.maintenance.verifier import Verifier

MEASURE_EVERY_S = 600.0


class Maintenance:
    """Verification, backups and measuring; `on_result` is called after each nightly one."""

    def __init__(self, data: Path, on_result: Callable[[], None]) -> None:
        self.background = Background()
        self.nightly = NightlyBackup(data, self.background, on_result)
        self.thumbs = FolderSize(data / THUMBS, self.background)
        self.masks = FolderSize(data / MASKS, self.background)
        self._data = data
        self._verifier: Verifier | None = None
        self._is_streaming = False

    @classmethod
    def open(cls, data: Path, on_result: Callable[[], None]) -> Maintenance:
        """Read the settings of the nightly backup, and begin nothing yet."""
        maintenance = cls(data, on_result)
        maintenance.nightly.load()
        return maintenance

    @property
    def verifier(self) -> Verifier:
        if self._verifier is None:
            from app.maintenance.verifier import Verifier  # few runs verify

            self._verifier = Verifier(self._data, self.background)
        return self._verifier

    def end(self) -> None:
        self.background.end()

    async def close(self) -> None:
        self.end()
        await self.nightly.close()
        if self._verifier:
            await self._verifier.close()
        await self.thumbs.close()
        await self.masks.close()
        await self.background.close()

    async def backup(self) -> AsyncGenerator[bytes, None]:
        """Begin a backup and return its blocks; who takes them closes them.

        Raises `Conflict` while another one is taken, or `StorageFailed`.
        """
        if self._is_streaming:
            raise Conflict(N_('A backup is already being downloaded. Wait until it finishes.'))
        self._is_streaming = True
        blocks = self._blocks()
        await anext(blocks)  # the empty one: the database is copied, so nothing was refused
        return blocks

    async def _blocks(self) -> AsyncGenerator[bytes, None]:
        from app.maintenance.backup import Backup, copy_in  # tarfile, which no start needs

        try:
            backup = Backup(self._data, self.background.pace().rest)
            blocks = backup.blocks(copy_in(self._data))
            async with aclosing(self.background.stream(blocks)) as stream:
                first = await anext(stream)
                yield b''
                yield first
                async for block in stream:
                    yield block
        finally:
            self._is_streaming = False


class FolderSize:
    """What the files of a folder take: no row says it, so they are counted now and then."""

    def __init__(self, folder: Path, background: Background) -> None:
        self.size_bytes: int | None = None  # not known yet
        self._folder = folder
        self._background = background
        self._measured_at = -MEASURE_EVERY_S
        self._task: asyncio.Task[None] | None = None

    def measure_soon(self) -> None:
        """Begin to count, unless that was done a while ago or is under way."""
        now = time.monotonic()
        if now - self._measured_at >= MEASURE_EVERY_S:
            self._measured_at = now
            work = logging_faults(self._measure)
            self._task = asyncio.create_task(work, name=f'size of {self._folder.name}')

    async def close(self) -> None:
        if self._task:
            await self._task

    async def _measure(self) -> None:
        rest = self._background.pace().rest
        try:
            self.size_bytes = await self._background.run(lambda: _size_below(self._folder, rest))
        except (Stopped, OSError):
            self._measured_at = -MEASURE_EVERY_S


def _size_below(folder: Path, rest: Callable[[], None]) -> int:
    size_bytes = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                size_bytes += os.lstat(f'{root}/{name}').st_size
            except FileNotFoundError:
                continue
        rest()
    return size_bytes

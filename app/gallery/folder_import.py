"""Brings in a folder: copies, examines with every processor, keeps some dozens at a time."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from app.errors import ProviderError
from app.gallery.importing import ExaminedPicture, Importer, Taken, TakenPicture, examine
from app.models import MOST_IMAGE_BYTES, Received
from app.storage.files import remove
from app.storage.metadata.container import MOST_PACKET_BYTES, sidecar_of
from app.storage.store import Store

KEPT_AT_ONCE = 24
BLOCK_BYTES = 256 * 1024
_NO_LINK = getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)


@dataclass(slots=True)
class ImportReport:
    """How far an import is; `refuse` is told each picture that does not come, and why."""

    refuse: Callable[[str, str], None]
    counts: dict[Taken, int] = field(default_factory=lambda: dict.fromkeys(Taken, 0))

    @property
    def done(self) -> int:
        return sum(self.counts.values())

    def add(self, one: TakenPicture) -> None:
        self.counts[one.taken] += 1
        if one.taken is Taken.REFUSED:
            self.refuse(one.name, one.reason)

    def add_refused(self, name: str, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, ProviderError):
            reason = error.failure.reason
        self.add(TakenPicture(name, Taken.REFUSED, reason=f"can't be read: {reason or error}"))


@dataclass(slots=True)
class FolderImport:
    """Works through pictures with several decoders; `add_to_album` is told the ids of all."""

    importer: Importer
    stores: Sequence[Store]  # the same one, with a decoder for each processor
    report: ImportReport
    add_to_album: Callable[[Sequence[int]], Awaitable[None]]
    is_stopped: bool = False  # no further picture is begun
    _waiting: list[ExaminedPicture] = field(default_factory=list)

    async def run(self, pictures: Iterator[Path]) -> None:
        """Bring in each; raise `StorageFailed` where nothing more can be kept."""
        workers = [asyncio.create_task(self._work(store, pictures)) for store in self.stores]
        try:
            await asyncio.gather(*workers)
            await self._keep()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            for one in self._waiting:
                one.discard()

    async def _work(self, store: Store, pictures: Iterator[Path]) -> None:
        for path in pictures:
            if self.is_stopped:
                return
            try:
                examined = await self._examined(store, path)
            except (ProviderError, OSError, ValueError) as error:
                self.report.add_refused(str(path), error)
                continue
            if isinstance(examined, TakenPicture):
                self.report.add(examined)
                await self.add_to_album([examined.image_id])
                continue
            self._waiting.append(examined)
            if len(self._waiting) >= KEPT_AT_ONCE:
                await self._keep()

    async def _examined(self, store: Store, path: Path) -> ExaminedPicture | TakenPicture:
        """Examine a copy of a picture; one that the gallery has is not decoded."""
        digest = await asyncio.to_thread(digest_of, path)
        known = await self.importer.known(digest)
        if known is not None:
            return TakenPicture(str(path), Taken.KNOWN, known)
        received, modified_at = await asyncio.to_thread(copied, store, path)
        return await examine(store, received, str(path), modified_at)

    async def _keep(self) -> None:
        pictures, self._waiting = self._waiting, []
        taken = await self.importer.keep(pictures)
        for one in taken:
            self.report.add(one)
        await self.add_to_album([one.image_id for one in taken if one.image_id])


def digest_of(path: Path) -> str:
    """Return the sha256 of a file in hex; raise OSError at a link, ValueError at no file."""
    with open_source(path) as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def open_source(path: Path) -> BufferedReader:
    """Open a file that is to be brought in; raise OSError at a link, ValueError at no file."""
    file = os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK), 'rb')
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= MOST_IMAGE_BYTES:
        return file
    file.close()
    raise ValueError('over 64 MiB' if stat.S_ISREG(status.st_mode) else 'no file')


def sidecar_in(path: Path) -> bytes:
    """Read the label beside a picture, empty where there is none that can be read."""
    with suppress(OSError, ValueError), open_source(sidecar_of(path)) as file:
        return file.read(MOST_PACKET_BYTES)
    return b''


def copied(store: Store, path: Path) -> tuple[Received, float]:
    """Copy a picture, and the label beside it, into temporary files; say when it was changed."""
    temp_file = store.new_temp_file()
    try:
        with open_source(path) as file:
            while block := file.read(BLOCK_BYTES):
                temp_file.write(block)
            modified_at = os.fstat(file.fileno()).st_mtime
        if packet := sidecar_in(path):
            sidecar_of(temp_file.path).write_bytes(packet)
        return temp_file.received(), modified_at
    except BaseException:
        temp_file.discard()
        remove(sidecar_of(temp_file.path))
        raise

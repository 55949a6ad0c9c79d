"""`easel import DIR`: copies the pictures of a folder into the gallery, with their settings.

Where a server holds the data folder, it is sent what the gallery has not. It may be stopped at any
time and run again: what came is known by its bytes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.cli.generate import Unfulfilled
from app.cli.serve import run
from app.config import DATABASE, Config, child_environment
from app.database import Library
from app.errors import AppError
from app.gallery.albums import Albums, check_album
from app.gallery.folder_import import FolderImport, ImportReport
from app.gallery.importing import Importer, Taken
from app.gallery.sources import Passed, SourceFolder
from app.log import escape
from app.main import open_store
from app.models.request import LONGEST_TEXT
from app.storage.decoding.decoder import Decoder
from app.storage.lock import Held, holding

TOLD_EVERY = 20  # pictures
STOPPED = 130


@dataclass(slots=True)
class Import:
    """One run of the command."""

    config: Config
    folder: Path
    album: str
    unlisted: int = 0
    total: int = 0  # counted for somebody who watches; else 0
    is_stopped: bool = False
    report: ImportReport = field(init=False)
    source: SourceFolder = field(init=False)

    def __post_init__(self) -> None:
        self.report = ImportReport(_refuse)
        self.source = SourceFolder(self.folder, self._refuse_folder)

    def _refuse_folder(self, folder: Path, error: OSError) -> None:
        self.unlisted += 1
        _refuse(str(folder), f"can't be read: {error.strerror or error}")

    def pictures(self) -> Iterator[Path]:
        """Yield what is to be brought in, and show how far it is to somebody who watches."""
        if sys.stderr.isatty():
            self.total = sum(1 for _ in self.source.pictures())
            self.unlisted = 0
        for path in self.source.pictures():
            if self.is_stopped:
                return
            if self.total and self.report.done % TOLD_EVERY == 0:
                sys.stderr.write(f'\r{self.report.done} of {self.total} pictures\r')
            yield path


def import_folder(config: Config, folder: Path, album: str) -> int:
    """Bring in a folder; return the exit status: 1 where something could not be read."""
    began = time.monotonic()
    one = Import(config, folder.resolve(), ' '.join(album.split()))
    refusal = _refusal(config, one)
    if refusal:
        sys.stderr.write(f'{escape(refusal)}\n')
        return 1
    status = 0
    try:
        try:
            with holding(config.data):
                run(_here(one))
        except Held as held:
            from app.cli.import_there import import_there  # few runs ask a server

            run(import_there(config, held.holder, one.pictures(), one.report, one.album))
    except KeyboardInterrupt:
        one.is_stopped = True
    except (AppError, Unfulfilled, OSError) as error:
        sys.stderr.write(f'{escape(str(error))}\n')
        status = 1
    _summarize(one, time.monotonic() - began)
    if one.is_stopped:
        return STOPPED
    return 1 if one.report.counts[Taken.REFUSED] or one.unlisted else status


def _refusal(config: Config, one: Import) -> str:
    """Say why a folder cannot be brought in; empty where it can."""
    data, folder = config.data.resolve(), one.folder
    if len(one.album) > LONGEST_TEXT or not one.album.isprintable():
        return f'Choose a name of up to {LONGEST_TEXT} characters for the album.'
    if not folder.is_dir():
        return f"{folder} isn't a folder."
    if folder.is_relative_to(data) or data.is_relative_to(folder):
        return f'{folder} holds the data folder of this Easel, or is in it. Choose another folder.'
    return ''


async def _album_in(library: Library, name: str) -> Callable[[Sequence[int]], Awaitable[None]]:
    """Return what puts pictures into an album, made if there is none; raise `InvalidRequest`."""
    albums = await Albums(library.albums).load()
    row = check_album(await albums.named(name)) if name else None
    await albums.close()

    async def put(image_ids: Sequence[int]) -> None:
        if row and image_ids:
            await library.albums.put(row.id, image_ids, time.time())

    return put


async def _here(one: Import) -> None:
    store = open_store(one.config)
    beside = range(1, os.cpu_count() or 1)
    stores = [store, *(replace(store, decoder=Decoder(child_environment())) for _ in beside)]
    library = await Library.open(one.config.data / DATABASE)
    add_to_album = await _album_in(library, one.album)
    work = FolderImport(Importer(library, store), stores, one.report, add_to_album)

    def stop() -> None:
        one.is_stopped = work.is_stopped = True

    with suppress(NotImplementedError):  # Windows: Ctrl+C ends it at once
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)
    try:
        await work.run(one.pictures())
    finally:
        await asyncio.gather(*(each.decoder.close() for each in stores))
        await library.close()


def _summarize(one: Import, took_s: float) -> None:
    counts, new = one.report.counts, one.report.counts[Taken.NEW]
    each_s = f' in {took_s:.0f} s ({new / took_s:.0f} a second)' if new and took_s > 1 else ''
    lines = [f'{new} pictures are new in the gallery{each_s}.']
    if counts[Taken.KNOWN]:
        lines.append(f'{counts[Taken.KNOWN]} were there before.')
    if counts[Taken.REFUSED]:
        lines.append(f"{counts[Taken.REFUSED]} can't be read and are named above.")
    passed: Counter[Passed] = one.source.passed
    if passed:
        told = ', '.join(f'{count} × {kind}' for kind, count in passed.most_common())
        lines.append(f'Passed over: {told}.')
    if one.is_stopped:
        lines.append('Stopped. Run the same command again to go on.')
    sys.stdout.write('\n'.join(lines) + '\n')


def _refuse(name: str, reason: str) -> None:
    line = escape(f'{name} {reason}').replace('\n', '\\n')
    sys.stderr.write(f'{line}\n')

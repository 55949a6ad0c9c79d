"""Writes pictures as a folder of pages that open from disk, and brings such a folder up to date.

Whole copies: who edits a picture in the folder changes none of the gallery.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from app.errors import N_, StorageFailed
from app.gallery.names import name_of
from app.gallery.zipping import open_label, open_whole, why_left_out
from app.models import Image
from app.storage.files import PART
from app.storage.inventory import DamagedFile
from app.storage.store import THUMB_WIDTHS, Store

MARK = '.easel-export'
MARK_TEXT = 'Easel exports pictures to this folder, and removes what it no longer exports.\n'
PICTURES, THUMBS, STYLE, LIST = 'pictures', 'thumbs', 'easel.css', 'prompts.json'
COPY = '.easel-copy'  # a folder for the copy of the database, while it is read
# What an earlier export may have left, by its names; all else in the folder is not ours.
OURS = {
    PICTURES: re.compile(r'\d{4}-\d\d-\d\d-.*\d\.[a-z]{3,4}(\.xmp)?(\.part)?'),
    THUMBS: re.compile(r'[0-9a-f]{64}-\d{3,4}\.webp(\.part)?'),
    '.': re.compile(r'(page-\d+|index)\.html(\.part)?'),
}
NOT_OURS = N_("{folder} isn't empty and isn't an Easel export. Choose another folder.")


class DrawPage(Protocol):
    """Draws one page."""

    def __call__(self, pictures: Sequence[Image], number: int, *, has_more: bool) -> str: ...


@dataclass(slots=True)
class Export:
    """One export to a folder; `refuse` is told each picture that is left out, and why."""

    folder: Path
    store: Store
    describe: Callable[[Image], dict[str, object]]
    refuse: Callable[[Image, str], None]
    written: int = 0
    left_out: int = 0
    _names: dict[str, set[str]] = field(default_factory=lambda: {place: set() for place in OURS})

    def begin(self) -> None:
        """Make the folder ours. Raises `StorageFailed` where it is another's, or the OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / MARK
        if not mark.is_file() and any(self.folder.iterdir()):
            raise StorageFailed(NOT_OURS, folder=self.folder)
        mark.write_text(MARK_TEXT, encoding='utf-8')
        for name in (PICTURES, THUMBS):
            (self.folder / name).mkdir(exist_ok=True)

    async def write(
        self, pages: AsyncIterator[Sequence[Image]], draw: DrawPage, style: bytes
    ) -> None:
        """Write every page with its pictures, then remove what an earlier export had more."""
        number, waiting = 1, None
        with (self.folder / f'{LIST}{PART}').open('wb') as listed:
            listed.write(b'[')
            async for pictures in pages:
                if waiting is not None:
                    draw_page = partial(draw, number=number, has_more=True)
                    await asyncio.to_thread(self._page, waiting, number, listed, draw_page)
                    number += 1
                waiting = pictures
            draw_page = partial(draw, number=number, has_more=False)
            await asyncio.to_thread(self._page, waiting or (), number, listed, draw_page)
            listed.write(b'\n]\n')
        (self.folder / f'{LIST}{PART}').replace(self.folder / LIST)
        _replace(self.folder / STYLE, style)
        await asyncio.to_thread(self._prune)

    def _page(
        self,
        pictures: Sequence[Image],
        number: int,
        listed: IO[bytes],
        draw_page: Callable[[Sequence[Image]], str],
    ) -> None:
        whole = [image for image in pictures if self._copied(image)]
        for image in whole:
            told = {'file': f'{PICTURES}/{name_of(image)}', **self.describe(image)}
            text = json.dumps(told, ensure_ascii=False)
            listed.write(f'{"," if self.written else ""}\n{text}'.encode())
            self.written += 1
        file = file_of(number)
        self._names['.'].add(file)
        _replace(self.folder / file, draw_page(whole).encode(errors='replace'))

    def _copied(self, image: Image) -> bool:
        """Copy a picture, its thumbnails and its label, unless they are there."""
        name = name_of(image)
        target = self.folder / PICTURES / name
        if not _is_there(target, image):
            try:
                with open_whole(self.store, image) as opened:
                    _copy(opened, target)
            except (DamagedFile, FileNotFoundError) as error:
                self.left_out += 1
                self.refuse(image, why_left_out(error))
                return False
            os.utime(target, (image.created_at, image.created_at))
        self._names[PICTURES].add(name)
        if label := open_label(self.store, image):
            with label:
                _copy(label, target.with_name(f'{name}.xmp'))
            self._names[PICTURES].add(f'{name}.xmp')
        for width in THUMB_WIDTHS:
            self._copy_thumb(self.store.thumb(image.digest, width))
        return True

    def _copy_thumb(self, thumb: Path) -> None:
        target = self.folder / THUMBS / thumb.name
        with suppress(FileNotFoundError):
            if not target.exists():
                with thumb.open('rb') as opened:
                    _copy(opened, target)
            self._names[THUMBS].add(thumb.name)

    def has_thumbs(self, image: Image) -> bool:
        names = {self.store.thumb(image.digest, width).name for width in THUMB_WIDTHS}
        return names <= self._names[THUMBS]

    def _prune(self) -> None:
        for place, pattern in OURS.items():
            for path in (self.folder / place).iterdir():
                if pattern.fullmatch(path.name) and path.name not in self._names[place]:
                    path.unlink()


def file_of(number: int) -> str:
    """Return the name of a page."""
    return 'index.html' if number == 1 else f'page-{number}.html'


def _is_there(target: Path, image: Image) -> bool:
    """Check whether an earlier export has copied this picture."""
    try:
        status = target.lstat()
    except FileNotFoundError:
        return False
    return status.st_size == image.size_bytes and int(status.st_mtime) == int(image.created_at)


def _copy(opened: IO[bytes], target: Path) -> None:
    """Copy a file, whole or not at all."""
    part = target.with_name(f'{target.name}{PART}')
    opened.seek(0)
    with part.open('wb') as file:
        shutil.copyfileobj(opened, file)
    part.replace(target)


def _replace(target: Path, content: bytes) -> None:
    part = target.with_name(f'{target.name}{PART}')
    part.write_bytes(content)
    part.replace(target)

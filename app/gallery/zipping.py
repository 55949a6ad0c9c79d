"""Pictures as one ZIP: flat, a name of its own for each, their labels, and a list of them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from app.gallery.names import name_of, plain_name
from app.gallery.zip_writer import ZipWriter
from app.models import Image, KeptFile
from app.storage.files import open_beneath
from app.storage.inventory import DamagedFile, open_kept
from app.storage.metadata.container import DamagedContainer, blocks, sidecar_of
from app.storage.metadata.copies import stripped
from app.storage.store import Store

LIST, LEFT_OUT = 'prompts.json', 'left-out.txt'
MOST_IN_MEMORY_BYTES = 256 * 1024


@dataclass(slots=True)
class PictureZip:
    """One archive; `describe` is how a picture stands in its list."""

    store: Store
    describe: Callable[[Image], dict[str, object]]
    made_at: float
    _writer: ZipWriter = field(init=False)
    _list: IO[bytes] = field(init=False)
    _left_out: IO[bytes] = field(init=False)
    _files: tuple[IO[bytes], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._files = tuple(_temporary(self.store.arriving) for _ in range(3))
        directory, self._list, self._left_out = self._files
        self._writer = ZipWriter(directory)

    def picture(self, image: Image) -> Iterator[bytes]:
        """Yield a picture and its label; one that is missing or damaged is named at the end."""
        name = name_of(image)
        try:
            opened = open_whole(self.store, image)
        except (OSError, DamagedFile) as error:
            self._leave_out(image, error, image.file)
            return
        with opened:
            yield from self._writer.add(name, opened, image.created_at)
        if label := open_label(self.store, image):
            with label:
                yield from self._writer.add(f'{name}.xmp', label, image.created_at)
        told = json.dumps({'file': name, **self.describe(image)}, ensure_ascii=False)
        self._list.write((',\n' if self._list.tell() else '[\n').encode() + told.encode())

    def end(self) -> Iterator[bytes]:
        """Yield the list, what was left out, and the end of the archive."""
        self._list.write(b'\n]\n' if self._list.tell() else b'[]\n')
        yield from self._writer.add(LIST, self._list, self.made_at)
        if self._left_out.tell():
            yield from self._writer.add(LEFT_OUT, self._left_out, self.made_at)
        yield from self._writer.end()

    def _leave_out(self, image: Image, error: Exception, *more: str) -> None:
        told = '\t'.join((str(image.id), why_left_out(error), *more))
        self._left_out.write(f'{told}\n'.encode(errors='replace'))

    def close(self) -> None:
        for file in self._files:
            file.close()


class PlainZip(PictureZip):
    """One archive of the pixels alone: no label, no list, and names without the prompt."""

    def picture(self, image: Image) -> Iterator[bytes]:
        """Yield a picture without its settings; one from which they can't be removed is named."""
        try:
            opened = self._pixels(image)
        except (OSError, DamagedFile, DamagedContainer) as error:
            self._leave_out(image, error)
            return
        with opened:
            yield from self._writer.add(plain_name(image), opened, image.created_at)

    def end(self) -> Iterator[bytes]:
        """Yield what was left out, and the end of the archive."""
        if self._left_out.tell():
            yield from self._writer.add(LEFT_OUT, self._left_out, self.made_at)
        yield from self._writer.end()

    def _pixels(self, image: Image) -> IO[bytes]:
        copy = _temporary(self.store.arriving)
        try:
            with open_whole(self.store, image) as opened:
                for block in blocks(opened, stripped(opened, image.mime)):
                    copy.write(block)
        except BaseException:
            copy.close()
            raise
        return copy


def why_left_out(error: Exception) -> str:
    """Return the word for what is wrong with a picture that could not be opened."""
    if isinstance(error, DamagedContainer):
        return 'settings'  # they can't be removed
    return 'damaged' if isinstance(error, DamagedFile) else 'missing'


def open_whole(store: Store, image: Image) -> BinaryIO:
    """Open a picture whose bytes are those that were kept; raise `DamagedFile` or OSError."""
    kept = KeptFile(image.id, image.file, image.size_bytes, image.digest)
    opened = os.fdopen(open_kept(store.data, store.original(image.file), kept), 'rb')
    try:
        if hashlib.file_digest(opened, 'sha256').hexdigest() != image.digest:
            raise DamagedFile(image.file)
    except BaseException:
        opened.close()
        raise
    return opened


def open_label(store: Store, image: Image) -> BinaryIO | None:
    """Open the label beside a picture, None where there is none."""
    try:
        handle = open_beneath(store.data, sidecar_of(store.original(image.file)))
    except OSError:
        return None
    return os.fdopen(handle, 'rb')


def _temporary(folder: Path) -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(MOST_IN_MEMORY_BYTES, dir=str(folder))

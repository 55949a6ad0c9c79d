"""Bytes on their way to being a kept picture.

Files first, rows after: a picture is written to a temporary file while it arrives, checked and
thumbnailed by the decoder child, then synced, renamed to its place, and only then written about.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import shutil
import time
import unicodedata
import uuid
from dataclasses import dataclass
from pathlib import Path

from app.decoder.client import Decoder
from app.errors import N_, ErrorKind, Failure, ProviderError, StorageFailed
from app.formats import MIME_EXTENSIONS, mime_of, what_is
from app.log import logger
from app.models import Kept, Received

log = logger(__name__)

MOST_IMAGE_BYTES = 64 * 1024 * 1024
HEAD_BYTES = 64
THUMB_WIDTHS = (480, 960)
LONGEST_NAME_BYTES = 60


class Incoming:
    """A picture that is arriving: a temporary file that never holds more than the cap."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f'{uuid.uuid4().hex}.part'
        self._file = self.path.open('xb', buffering=0)
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._head = b''

    def write(self, block: bytes) -> None:
        """Add bytes.

        Raises:
            ProviderError: `too_large`, past the cap of 64 MiB.
            StorageFailed: The disk refused.
        """
        self._size_bytes += len(block)
        if self._size_bytes > MOST_IMAGE_BYTES:
            raise ProviderError(Failure(kind=ErrorKind.TOO_LARGE, reason='over 64 MiB'))
        if len(self._head) < HEAD_BYTES:
            self._head += block[:HEAD_BYTES]
        try:
            if self._file.write(block) != len(block):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise storage_failed(error) from error
        self._digest.update(block)

    @property
    def size_bytes(self) -> int:
        """How much has come so far."""
        return self._size_bytes

    def received(self) -> Received:
        """Close the file and say what came; nothing of it is checked yet."""
        self._file.close()
        return Received(
            path=self.path,
            digest=self._digest.hexdigest(),
            size_bytes=self._size_bytes,
            head=self._head[:HEAD_BYTES],
        )

    def discard(self) -> None:
        """Throw away what came; safe at any time."""
        self._file.close()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Store:
    """The folders of one data folder, and the way a picture takes into them."""

    data: Path
    decoder: Decoder

    @property
    def images(self) -> Path:
        """Where originals are, by day."""
        return self.data / 'images'

    @property
    def arriving(self) -> Path:
        """Where what is arriving is; on the same disk, so that a rename is enough."""
        return self.data / 'arriving'

    def thumb(self, digest: str, width: int) -> Path:
        """Where a thumbnail is."""
        return self.data / 'thumbs' / digest[:2] / f'{digest}-{width}.webp'

    def original(self, file: str) -> Path:
        """Where a picture is, by its key."""
        return self.images / file

    def prepare(self) -> None:
        """Make the folders, and throw away what an earlier run had not finished receiving.

        Raises:
            StorageFailed: The data folder can't be written.
        """
        try:
            for folder in (self.data, self.images, self.arriving, self.data / 'thumbs'):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for leftover in self.arriving.iterdir():
                leftover.unlink()
        except OSError as error:
            raise storage_failed(error) from error

    def incoming(self) -> Incoming:
        """Open a place for a picture that is about to arrive.

        Raises:
            StorageFailed: The disk refused.
        """
        try:
            return Incoming(self.arriving)
        except OSError as error:
            raise storage_failed(error) from error

    async def keep(self, received: Received, prompt: str, now: float) -> Kept:
        """Check a picture, make its thumbnails, and put all of it durably in place.

        Args:
            received: What came; its file is gone afterwards, whatever happens.
            prompt: For the file's name.
            now: For the folder's date, seconds since 1970.

        Raises:
            ProviderError: `not_an_image` or `bad_image`.
            StorageFailed: The disk refused.
        """
        thumbs = {w: self.arriving / f'{received.path.stem}-{w}.webp' for w in THUMB_WIDTHS}
        try:
            mime = _recognise(received)
            decoded = await self.decoder.decode(received.path, mime, thumbs)
            file = _key(prompt, received.digest, MIME_EXTENSIONS[mime], now)
            places = {thumbs[w]: self.thumb(received.digest, w) for w in THUMB_WIDTHS}
            await asyncio.to_thread(_put_in_place, places, received.path, self.original(file))
        finally:
            for path in (received.path, *thumbs.values()):
                path.unlink(missing_ok=True)
        return Kept(
            digest=received.digest,
            file=file,
            mime=mime,
            width=decoded.width,
            height=decoded.height,
            size_bytes=received.size_bytes,
            mean_colour=decoded.mean_colour,
            revised_prompt=received.revised_prompt,
            source_url=received.source_url,
            seed=received.seed,
        )

    async def ensure_thumbs(self, digest: str, file: str) -> None:
        """Make the thumbnails of a kept picture again if they are gone.

        They are not in a backup, need not survive a power cut, and are never worth a fault: where
        the picture itself is gone too, nothing is made.
        """
        thumbs = {width: self.thumb(digest, width) for width in THUMB_WIDTHS}
        original = self.original(file)
        if all(_is_whole(path) for path in thumbs.values()) or not original.is_file():
            return
        with original.open('rb') as opened:
            mime = mime_of(opened.read(HEAD_BYTES))
        if mime is None:
            return
        made = {w: self.arriving / f'{uuid.uuid4().hex}-{w}.webp' for w in THUMB_WIDTHS}
        with contextlib.suppress(ProviderError):
            await self.decoder.decode(original, mime, made)
            for width, path in made.items():
                thumbs[width].parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.replace(thumbs[width])

    def forget(self, kept: Kept) -> None:
        """Remove a picture that was put in place and that no row came to name."""
        with contextlib.suppress(OSError):
            self.original(kept.file).unlink(missing_ok=True)


def storage_failed(error: OSError) -> StorageFailed:
    """Say what the disk refused, without a path."""
    return StorageFailed(
        N_('The data folder could not be written: {reason}.'), reason=error.strerror or error
    )


def free_bytes(folder: Path) -> int:
    """How much room the disk of a folder has."""
    return shutil.disk_usage(folder).free


def _is_whole(path: Path) -> bool:
    """Whether a file has anything in it; after a power cut a fresh one may not."""
    return path.exists() and path.stat().st_size > 0


def _recognise(received: Received) -> str:
    mime = mime_of(received.head)
    if mime is None:
        kind = ErrorKind.NOT_AN_IMAGE
        raise ProviderError(
            Failure(kind=kind, reason=what_is(received.head), url=received.source_url)
        )
    return mime


def _key(prompt: str, digest: str, extension: str, now: float) -> str:
    """Name a file so that a person can read it, and no two are the same."""
    plain = unicodedata.normalize('NFC', prompt).casefold()
    words = re.sub(r'[^\w]+', '-', plain, flags=re.UNICODE)
    words = words.encode('utf-8', 'ignore')[:LONGEST_NAME_BYTES].decode('utf-8', 'ignore')
    clock = time.localtime(now)
    unique = f'{digest[:8]}{uuid.uuid4().hex[:4]}'
    name = '-'.join(part for part in (time.strftime('%H%M%S', clock), words.strip('-_')) if part)
    return f'{time.strftime("%Y/%m/%d", clock)}/{name}-{unique}.{extension}'


def _put_in_place(thumbs: dict[Path, Path], source: Path, original: Path) -> None:
    """Sync, rename, sync the folder; in this order a crash leaves the whole picture or none.

    Thumbnails are only moved: they are made again when they are gone.
    """
    try:
        for made, thumb in thumbs.items():
            thumb.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            made.replace(thumb)
        new = [folder for folder in (original.parent, *original.parents) if not folder.exists()]
        original.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(source, os.O_RDWR)
        source.replace(original)
        for folder in {original.parent, *(folder.parent for folder in new)}:
            if os.name != 'nt':  # Windows can't sync a folder, and needn't
                _sync(folder, os.O_RDONLY)
    except OSError as error:
        raise storage_failed(error) from error


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Stores pictures.

Files first, rows after: a picture is written to a temporary file while it arrives, checked,
thumbnailed and labelled by the decoder's child, then synced, renamed to its place, and only then
entered in the library.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import Received, StoredImage
from app.storage.decoder import Decoded, Decoder, DecoderFailed, LabelledCopy
from app.storage.files import open_beneath
from app.storage.metadata.container import Written, sidecar_of
from app.storage.metadata.mime import MIME_EXTENSIONS, mime_of, what_is
from app.storage.placement import key_of, put_in_place, set_aside, unlabelled
from app.storage.temp_file import HEAD_BYTES, TempFile, storage_failed

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)

THUMB_WIDTHS = (480, 960)


@dataclass(frozen=True, slots=True)
class Store:
    """The pictures and thumbnails of one data folder."""

    data: Path
    decoder: Decoder

    @property
    def images(self) -> Path:
        return self.data / 'images'

    @property
    def arriving(self) -> Path:
        """Return the folder of temporary files; on the same disk, so that a rename is enough."""
        return self.data / 'arriving'

    def thumb(self, digest: str, width: int) -> Path:
        return self.data / 'thumbs' / digest[:2] / f'{digest}-{width}.webp'

    def original(self, file: str) -> Path:
        return self.images / file

    def prepare(self) -> None:
        """Make the folders, and delete the temporary files of an earlier run.

        Raises:
            StorageFailed: The data folder cannot be written.
        """
        try:
            for folder in (self.data, self.images, self.arriving, self.data / 'thumbs'):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for leftover in self.arriving.iterdir():
                leftover.unlink()
        except OSError as error:
            raise storage_failed(error) from error

    def new_temp_file(self) -> TempFile:
        """Open a temporary file for a picture that is about to arrive.

        Raises:
            StorageFailed: The disk refused.
        """
        try:
            return TempFile(self.arriving)
        except OSError as error:
            raise storage_failed(error) from error

    async def keep(self, received: Received, label: Label) -> StoredImage:
        """Check a picture, write its label inside, and put it durably in place with its thumbnails.

        Args:
            received: What came; its file is gone afterwards, whatever happens.
            label: Without the size, which is added here.

        Raises:
            ProviderError: `not_an_image` or `bad_image`; `set_aside` where the decoder failed,
                and not the picture.
            StorageFailed: The disk refused.
        """
        thumbs = {w: self.arriving / f'{received.path.stem}-{w}.webp' for w in THUMB_WIDTHS}
        labelled = self.arriving / f'{received.path.stem}-labelled.part'
        try:
            mime = _recognise(received)
            copy = LabelledCopy(label, labelled)
            decoded, written = await self._decode_or_set_aside(received, mime, thumbs, copy)
            file = key_of(label.prompt, written.digest, MIME_EXTENSIONS[mime], label.created_at)
            places = {thumbs[w]: self.thumb(written.digest, w) for w in THUMB_WIDTHS}
            await asyncio.to_thread(put_in_place, places, written, self.original(file))
        finally:
            for path in (received.path, labelled, *thumbs.values()):
                path.unlink(missing_ok=True)
                sidecar_of(path).unlink(missing_ok=True)
        return StoredImage(
            digest=written.digest,
            file=file,
            mime=mime,
            width=decoded.width,
            height=decoded.height,
            size_bytes=written.size_bytes,
            mean_colour=decoded.mean_colour,
            id=label.image_id,
            created_at=label.created_at,
            revised_prompt=received.revised_prompt,
            source_url=received.source_url,
            seed=received.seed if label.seed is None else label.seed,
        )

    async def _decode_or_set_aside(
        self, received: Received, mime: str, thumbs: dict[int, Path], copy: LabelledCopy
    ) -> tuple[Decoded, Written]:
        """Decode; a picture at which the decoder failed may be paid for, and is not deleted."""
        try:
            decoded = await self.decoder.decode(received.path, mime, thumbs, copy)
            if decoded.written:
                return decoded, decoded.written
            return decoded, await asyncio.to_thread(unlabelled, received)
        except DecoderFailed as error:
            file = await asyncio.to_thread(set_aside, self.data, received, mime, copy.label)
            log.warning('a picture is set aside unchecked: %s', error.failure.reason)
            failure = replace(error.failure, kind=ErrorKind.SET_ASIDE, file=file)
            raise ProviderError(failure) from error

    async def small(self, received: Received) -> bytes:
        """Return a small WebP of a picture that is not kept; its file is gone afterwards.

        Raises:
            ProviderError: `not_an_image` or `bad_image`.
            StorageFailed: The disk refused.
        """
        made = self.arriving / f'{received.path.stem}-small.webp'
        try:
            mime = _recognise(received)
            await self.decoder.decode(received.path, mime, {THUMB_WIDTHS[0]: made})
            return await asyncio.to_thread(made.read_bytes)
        except OSError as error:
            raise storage_failed(error) from error
        finally:
            for path in (received.path, made):
                path.unlink(missing_ok=True)

    async def ensure_thumbs(self, digest: str, file: str) -> None:
        """Make the thumbnails of a kept picture again if they are missing.

        Backups have none, and a power cut may lose some. Nothing is raised or made where the
        picture itself is missing.
        """
        thumbs = {width: self.thumb(digest, width) for width in THUMB_WIDTHS}
        original = self.original(file)
        if all(_is_whole(path) for path in thumbs.values()):
            return
        try:
            with os.fdopen(open_beneath(self.data, original), 'rb') as opened:
                mime = mime_of(opened.read(HEAD_BYTES))
        except OSError:
            return
        if mime is None:
            return
        with contextlib.suppress(ProviderError):
            await self._decode_into_place(original, mime, digest)

    async def _decode_into_place(self, path: Path, mime: str, digest: str) -> Decoded:
        made = {w: self.arriving / f'{uuid.uuid4().hex}-{w}.webp' for w in THUMB_WIDTHS}
        decoded = await self.decoder.decode(path, mime, made)
        for width, thumb in made.items():
            place = self.thumb(digest, width)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            thumb.replace(place)
        return decoded

    async def look_again(self, path: Path) -> StoredImage:
        """Describe a picture that is in its place already, making its thumbnails.

        Raises:
            ProviderError: `not_an_image` or `bad_image`.
        """
        received, digest = await asyncio.to_thread(_look_at, path)
        mime = _recognise(received)
        decoded = await self._decode_into_place(path, mime, digest)
        return StoredImage(
            digest=digest,
            file=path.relative_to(self.images).as_posix(),
            mime=mime,
            width=decoded.width,
            height=decoded.height,
            size_bytes=received.size_bytes,
            mean_colour=decoded.mean_colour,
        )

    async def settings_in(self, path: Path) -> dict[str, str | int | float]:
        """Read the settings inside a picture; empty where there are none."""
        with path.open('rb') as opened:
            mime = mime_of(opened.read(HEAD_BYTES))
        return await self.decoder.read(path, mime) if mime else {}

    def forget(self, kept: StoredImage) -> None:
        """Delete a picture that was put in place and for which no row could be written.

        A kept picture of the same bytes loses its thumbnails too, which `ensure_thumbs` makes.
        """
        original = self.original(kept.file)
        thumbs = [self.thumb(kept.digest, width) for width in THUMB_WIDTHS]
        with contextlib.suppress(OSError):
            for path in (original, sidecar_of(original), *thumbs):
                path.unlink(missing_ok=True)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _look_at(path: Path) -> tuple[Received, str]:
    with path.open('rb') as file:
        received = Received(path=path, size_bytes=path.stat().st_size, head=file.read(HEAD_BYTES))
    return received, received.digest


def _is_whole(path: Path) -> bool:
    """Check whether a file has content; after a power cut a new one may have none."""
    return path.exists() and path.stat().st_size > 0


def _recognise(received: Received) -> str:
    mime = mime_of(received.head)
    if mime is None:
        kind = ErrorKind.NOT_AN_IMAGE
        raise ProviderError(
            Failure(kind=kind, reason=what_is(received.head), url=received.source_url)
        )
    return mime

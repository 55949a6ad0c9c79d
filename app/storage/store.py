"""Stores pictures.

Files first, rows after: a picture is written to a temporary file while it arrives, checked,
thumbnailed and labelled by the decoder's child, then synced, renamed to its place, and only then
entered in the library.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
import unicodedata
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import Received, StoredImage
from app.storage.decoder import Decoded, Decoder, DecoderFailed, labelled_path
from app.storage.files import HEAD_BYTES, TempFile, open_beneath, sync, sync_folder, writing
from app.storage.metadata.container import Written, sidecar_of, size_of
from app.storage.metadata.mime import MIME_EXTENSIONS, mime_of, what_is

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)

THUMB_WIDTHS = (480, 960)
IMAGES, THUMBS, ARRIVING, RESCUED = 'images', 'thumbs', 'arriving', 'rescued'
LONGEST_NAME_BYTES = 60


@dataclass(frozen=True, slots=True)
class Store:
    """The pictures and thumbnails of one data folder."""

    data: Path
    decoder: Decoder

    @property
    def images(self) -> Path:
        return self.data / IMAGES

    @property
    def arriving(self) -> Path:
        """Return the folder of temporary files; on the same disk, so that a rename is enough."""
        return self.data / ARRIVING

    def thumb(self, digest: str, width: int) -> Path:
        return self.data / THUMBS / digest[:2] / f'{digest}-{width}.webp'

    def original(self, file: str) -> Path:
        return self.images / file

    def prepare(self) -> None:
        """Make the folders, and delete the temporary files of an earlier run."""
        with writing():
            for folder in (self.data, self.images, self.arriving, self.data / THUMBS):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for leftover in self.arriving.iterdir():
                leftover.unlink()

    def new_temp_file(self) -> TempFile:
        with writing():
            return TempFile(self.arriving)

    async def keep(self, received: Received, label: Label) -> StoredImage:
        """Check a picture, write its label inside, put it in place; what was received is gone.

        Raise ProviderError with `not_an_image`, `bad_image`, or `set_aside` if the decoder failed.
        """
        made = self._new_thumbs()
        try:
            mime = _recognise(received)
            decoded = await self._decode_or_set_aside(received, mime, made, label)
            written = decoded.written
            if written is None:
                written = await asyncio.to_thread(_unlabelled, received)
            file = _key_of(label, mime, written.digest)
            places = {path: self.thumb(written.digest, width) for width, path in made.items()}
            await asyncio.to_thread(_put_in_place, places, written, self.original(file))
        finally:
            for path in (received.path, labelled_path(received.path), *made.values()):
                path.unlink(missing_ok=True)
                sidecar_of(path).unlink(missing_ok=True)
        return replace(
            _described(decoded, mime, file, written.digest, written.size_bytes),
            id=label.image_id,
            created_at=label.created_at,
            revised_prompt=received.revised_prompt,
            source_url=received.source_url,
            seed=received.seed if label.seed is None else label.seed,
        )

    async def _decode_or_set_aside(
        self, received: Received, mime: str, thumbs: dict[int, Path], label: Label
    ) -> Decoded:
        """Decode; a picture at which the decoder failed may be paid for, and is not deleted."""
        try:
            return await self.decoder.decode(received.path, mime, thumbs, label)
        except DecoderFailed as error:
            file = await asyncio.to_thread(self._set_aside, received, mime, label)
            log.warning('a picture is set aside unchecked: %s', error.failure.reason)
            failure = replace(error.failure, kind=ErrorKind.SET_ASIDE, file=file)
            raise ProviderError(failure) from error

    def _set_aside(self, received: Received, mime: str, label: Label) -> str:
        """Put a picture as it came, its label beside it; `easel rebuild` finds it once moved."""
        from app.storage.metadata.label import xmp_packet

        written = _unlabelled(received)
        try:
            sidecar_of(received.path).write_bytes(xmp_packet(label))
            written = replace(written, sidecar=sidecar_of(received.path))
        except OSError as error:
            log.warning('a picture is set aside without its label: %s', error.strerror)
        file = f'{RESCUED}/{_key_of(label, mime, written.digest)}'
        _put_in_place({}, written, self.data / file)
        return file

    async def small(self, received: Received) -> bytes:
        """Return a small WebP of a picture that is not kept; its file is gone afterwards."""
        made = self.arriving / f'{received.path.stem}-small.webp'
        try:
            with writing():
                thumbs = {THUMB_WIDTHS[0]: made}
                await self.decoder.decode(received.path, _recognise(received), thumbs)
                return await asyncio.to_thread(made.read_bytes)
        finally:
            for path in (received.path, made):
                path.unlink(missing_ok=True)

    async def ensure_thumbs(self, digest: str, file: str) -> None:
        """Make the thumbnails of a kept picture again where a backup or a power cut lost some."""
        places = [self.thumb(digest, width) for width in THUMB_WIDTHS]
        if all(path.exists() and path.stat().st_size > 0 for path in places):
            return
        original = self.original(file)
        try:
            with os.fdopen(open_beneath(self.data, original), 'rb') as opened:
                mime = mime_of(opened.read(HEAD_BYTES))
        except OSError:
            return
        if mime:
            with contextlib.suppress(ProviderError):
                await self._decode_into_place(original, mime, digest)

    async def look_again(self, path: Path) -> StoredImage:
        """Describe a picture that is in its place already, making its thumbnails."""
        with path.open('rb') as opened:
            head, size_bytes = opened.read(HEAD_BYTES), size_of(opened)
        received = Received(path=path, size_bytes=size_bytes, head=head)
        digest = await asyncio.to_thread(lambda: received.digest)
        mime = _recognise(received)
        decoded = await self._decode_into_place(path, mime, digest)
        file = path.relative_to(self.images).as_posix()
        return _described(decoded, mime, file, digest, size_bytes)

    def _new_thumbs(self) -> dict[int, Path]:
        name = uuid.uuid4().hex
        return {width: self.arriving / f'{name}-{width}.webp' for width in THUMB_WIDTHS}

    async def _decode_into_place(self, path: Path, mime: str, digest: str) -> Decoded:
        made = self._new_thumbs()
        decoded = await self.decoder.decode(path, mime, made)
        for width, thumb in made.items():
            place = self.thumb(digest, width)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            thumb.replace(place)
        return decoded

    async def settings_in(self, path: Path) -> dict[str, str | int | float]:
        with path.open('rb') as opened:
            mime = mime_of(opened.read(HEAD_BYTES))
        return await self.decoder.read(path, mime) if mime else {}

    def forget(self, kept: StoredImage) -> None:
        """Delete a picture that no row was written for; `ensure_thumbs` mends those of a twin."""
        original = self.original(kept.file)
        thumbs = [self.thumb(kept.digest, width) for width in THUMB_WIDTHS]
        with contextlib.suppress(OSError):
            for path in (original, sidecar_of(original), *thumbs):
                path.unlink(missing_ok=True)


def _recognise(received: Received) -> str:
    mime = mime_of(received.head)
    if mime is None:
        kind, reason = ErrorKind.NOT_AN_IMAGE, what_is(received.head)
        raise ProviderError(Failure(kind=kind, reason=reason, url=received.source_url))
    return mime


def _described(decoded: Decoded, mime: str, file: str, digest: str, size_bytes: int) -> StoredImage:
    return StoredImage(
        digest=digest,
        file=file,
        mime=mime,
        width=decoded.width,
        height=decoded.height,
        size_bytes=size_bytes,
        mean_colour=decoded.mean_colour,
    )


def _unlabelled(received: Received) -> Written:
    with writing():
        digest = received.digest
    return Written(path=received.path, digest=digest, size_bytes=received.size_bytes)


def _key_of(label: Label, mime: str, digest: str) -> str:
    """Return a unique, readable path for a picture: `2026/11/18/110640-a-fox-1b2c3d4e5f60.png`."""
    plain = unicodedata.normalize('NFC', label.prompt).casefold()
    words = re.sub(r'[^\w]+', '-', plain, flags=re.UNICODE)
    words = words.encode('utf-8', 'ignore')[:LONGEST_NAME_BYTES].decode('utf-8', 'ignore')
    clock = time.localtime(label.created_at)
    unique = f'{digest[:8]}{uuid.uuid4().hex[:4]}'
    name = '-'.join(part for part in (time.strftime('%H%M%S', clock), words.strip('-_')) if part)
    return f'{time.strftime("%Y/%m/%d", clock)}/{name}-{unique}.{MIME_EXTENSIONS[mime]}'


def _put_in_place(thumbs: dict[Path, Path], written: Written, original: Path) -> None:
    """Sync, rename, sync the folder: a crash leaves all or nothing; thumbs are only moved."""
    with writing():
        for made, thumb in thumbs.items():
            thumb.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                made.replace(thumb)
        new = [folder for folder in (original.parent, *original.parents) if not folder.exists()]
        original.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if written.sidecar:
            sync(written.sidecar)
            written.sidecar.replace(sidecar_of(original))
        sync(written.path)
        written.path.replace(original)
        for folder in {original.parent, *(folder.parent for folder in new)}:
            sync_folder(folder)

"""Stores pictures.

Files first, rows after: a picture is written to a temporary file while it arrives, checked,
thumbnailed and labelled by the decoder's child, then synced, renamed to its place, and only then
entered in the library.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from base64 import b64decode
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import AppError, ErrorKind, Failure, ProviderError, StorageFailed
from app.log import logger
from app.models import Received, StoredImage
from app.models.request import Size
from app.storage.arriving import received_at, sweep
from app.storage.decoding.decoder import Decoded, Decoder, DecoderFailed, labelled_path
from app.storage.files import HEAD_BYTES, PART, TempFile, check_links, open_beneath, remove, writing
from app.storage.metadata.container import Written, sidecar_of
from app.storage.metadata.mime import PNG, mime_of, what_is

if TYPE_CHECKING:
    from app.storage.metadata.label import Label

log = logger(__name__)

THUMB_WIDTHS = (480, 960)
IMAGES, THUMBS, ARRIVING, RESCUED, MASKS = 'images', 'thumbs', 'arriving', 'rescued', 'masks'
UNTURNED = ('image/webp', 'image/gif')  # whatever their EXIF says
GOOD_PICTURE = b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=='
)


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

    def mask(self, digest: str) -> Path:
        return self.data / mask_file(digest)

    def original(self, file: str) -> Path:
        return self.images / file

    def prepare(self) -> None:
        """Make the folders, and delete the temporary files of an earlier run, and only those.

        Raises `StorageFailed`, also for a link in place of a folder that is served from: none is
        followed below the data folder.
        """
        check_links(self.images, self.data / THUMBS, self.data / MASKS)
        with writing():
            for folder in (self.data, self.images, self.arriving, self.data / THUMBS):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(self.arriving)

    def new_temp_file(self, generation_id: int | None = None) -> TempFile:
        """Open a file for what arrives; of a generation, its name begins with the id."""
        return TempFile(self.arriving, '' if generation_id is None else f'{generation_id}-')

    async def keep(self, received: Received, label: Label) -> StoredImage:
        """Check a picture, write its label inside, put it in place; what was received is gone.

        Raise ProviderError with `not_an_image`, `bad_image`, or `set_aside` where the decoder fails
        at this picture alone. Raise StorageFailed where the disk fails, DecoderFailed where the
        decoder does at any picture: then what was received stays, and can be kept later.
        """
        made = self.new_thumbs()
        try:
            kept = await self._keep(received, label, made)
        except (StorageFailed, DecoderFailed):
            raise
        except ProviderError:
            remove(received.path)
            raise
        finally:
            for path in (labelled_path(received.path), *made.values()):
                remove(path, sidecar_of(path))
        remove(received.path)
        return kept

    async def _keep(self, received: Received, label: Label, made: dict[int, Path]) -> StoredImage:
        from app.storage.place import file_key, put_in_place  # no start keeps a picture

        mime = _recognise(received)
        decoded = await self._decode_or_set_aside(received, mime, made, label)
        written = decoded.written
        if written is None:
            written = await asyncio.to_thread(_unlabelled, received)
        file = file_key(label, mime, written.digest, received)
        places = {path: self.thumb(written.digest, width) for width, path in made.items()}
        await asyncio.to_thread(put_in_place, places, written, self.original(file))
        return replace(
            _described(decoded, mime, file, written.digest, written.size_bytes),
            id=label.image_id,
            created_at=label.created_at,
            revised_prompt=received.revised_prompt,
            source_url=received.source_url,
            cost=received.cost,
            seed=received.seed if label.seed is None else label.seed,
            changed_outside_mask=label.changed_outside_mask,
        )

    async def _decode_or_set_aside(
        self, received: Received, mime: str, thumbs: dict[int, Path], label: Label
    ) -> Decoded:
        """Decode; where the decoder fails at this picture alone, it is not deleted all the same.

        Raises DecoderFailed where it takes not even a good one: that says nothing of this one.
        """
        try:
            return await self.decoder.decode(received.path, mime, thumbs, label)
        except ProviderError as error:
            if not await self.decoder_works():
                raise DecoderFailed(error.failure.reason) from error
            if not isinstance(error, DecoderFailed):
                raise
            file = await asyncio.to_thread(self._set_aside, received, mime, label)
            log.warning('a picture is set aside unchecked: %s', error.failure.reason)
            failure = replace(error.failure, kind=ErrorKind.SET_ASIDE, file=file)
            raise ProviderError(failure) from error

    async def decoder_works(self) -> bool:
        """Whether a picture that is known to be good can be decoded, and made small."""
        path, made = self.arriving / f'{uuid.uuid4().hex}{PART}', self.new_thumbs()
        try:
            await asyncio.to_thread(path.write_bytes, GOOD_PICTURE)
            await self.decoder.decode(path, PNG, made)
        except (OSError, AppError) as error:
            log.warning('the decoder does not work: %s', error)
            return False
        finally:
            remove(path, *made.values())
        return True

    def _set_aside(self, received: Received, mime: str, label: Label) -> str:
        """Put a picture as it came, its label beside it; `easel rebuild` finds it once moved."""
        from app.storage.metadata.label import xmp_packet
        from app.storage.place import file_key, put_in_place

        written = _unlabelled(received)
        try:
            sidecar_of(written.path).write_bytes(xmp_packet(label))
            written = replace(written, sidecar=sidecar_of(written.path))
        except OSError as error:
            log.warning('a picture is set aside without its label: %s', error.strerror)
        file = f'{RESCUED}/{file_key(label, mime, written.digest, received)}'
        put_in_place({}, written, self.data / file)
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
            remove(received.path, made)

    async def ensure_thumbs(self, digest: str, file: str) -> None:
        """Make the thumbnails of a kept picture again where a backup or a power cut lost some."""
        if self._has_thumbs(digest):
            return
        original = self.original(file)
        try:
            with os.fdopen(open_beneath(self.data, original), 'rb') as opened:
                mime = mime_of(opened.read(HEAD_BYTES))
        except OSError:
            return
        if mime:
            try:
                await self._decode_into_place(original, mime, digest)
            except (AppError, OSError) as error:
                log.warning('a thumbnail cannot be made now: %s', error)

    async def look_again(self, path: Path, size: Size | None = None) -> StoredImage:
        """Describe a picture that is in its place already, making its thumbnails.

        With `size`, as its header tells it, one whose thumbnails are there is not decoded again.
        """
        received = await asyncio.to_thread(received_at, path)
        digest = await asyncio.to_thread(lambda: received.digest)
        mime = _recognise(received)
        decoded = await self._decoded_before(digest, mime, size) if size else None
        decoded = decoded or await self._decode_into_place(path, mime, digest)
        file = path.relative_to(self.images).as_posix()
        return _described(decoded, mime, file, digest, received.size_bytes)

    async def _decoded_before(self, digest: str, mime: str, size: Size) -> Decoded | None:
        """Describe a picture by its thumbnail, which was made of these very bytes, whole."""
        if not self._has_thumbs(digest):
            return None
        width = THUMB_WIDTHS[0]
        try:
            small = await self.decoder.decode(self.thumb(digest, width), 'image/webp', {})
        except ProviderError:
            return None
        turns = (size,) if mime in UNTURNED else (size, Size(size.height, size.width))
        for turned in turns:
            if Size(small.width, small.height) == _thumb_size(turned, width):
                return replace(small, width=turned.width, height=turned.height)
        return None

    def _has_thumbs(self, digest: str) -> bool:
        places = [self.thumb(digest, width) for width in THUMB_WIDTHS]
        return all(path.exists() and path.stat().st_size > 0 for path in places)

    def new_thumbs(self) -> dict[int, Path]:
        name = uuid.uuid4().hex
        return {width: self.arriving / f'{name}-{width}.webp' for width in THUMB_WIDTHS}

    async def _decode_into_place(self, path: Path, mime: str, digest: str) -> Decoded:
        from app.storage.place import put_thumbs_in_place

        made = self.new_thumbs()
        decoded = await self.decoder.decode(path, mime, made)
        places = {thumb: self.thumb(digest, width) for width, thumb in made.items()}
        await asyncio.to_thread(put_thumbs_in_place, places, path)
        return decoded

    async def settings_in(self, path: Path) -> dict[str, str | int | float]:
        mime = mime_of((await asyncio.to_thread(received_at, path)).head)
        return await self.decoder.read(path, mime) if mime else {}

    def forget(self, kept: StoredImage) -> None:
        """Delete a picture that no row was written for; `ensure_thumbs` mends those of a twin."""
        original = self.original(kept.file)
        thumbs = [self.thumb(kept.digest, width) for width in THUMB_WIDTHS]
        remove(original, sidecar_of(original), *thumbs)


def mask_file(digest: str) -> str:
    """Return where a mask is kept below the data folder."""
    return f'{MASKS}/{digest[:2]}/{digest}.png'


def _thumb_size(size: Size, width: int) -> Size:
    """Return what the decoder's child makes of a picture that is not extremely tall."""
    width = min(width, size.width)
    return Size(width, max(1, round(size.height * width / size.width)))


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
    """Give a picture as it came a second name: the first stays until this one is in its place."""
    path = labelled_path(received.path)
    with writing():
        try:
            path.hardlink_to(received.path)
        except OSError:  # not every file system has links
            shutil.copyfile(received.path, path)
        return Written(path=path, digest=received.digest, size_bytes=received.size_bytes)

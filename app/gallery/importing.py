"""Brings in pictures that were not made here: whatever came, byte for byte, its label beside it.

Files first, rows after, and a file's place is told by its bytes and its label alone: so one that
was put in its place before a kill is put there again, and no picture comes twice.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from weakref import WeakKeyDictionary

from app.cost import read_cost
from app.database import Library
from app.database.recovery import Attached, Fate, ToldImage
from app.errors import N_, ErrorKind, Failure, ProviderError, StorageFailed
from app.log import logger
from app.models import Image, PictureIds, Received, StoredImage, TracedPicture
from app.recovery.labelled import LABEL_FIELDS, LabelledImage
from app.storage.decoding.decoder import Decoded, DecoderFailed, Settings
from app.storage.files import PART, complete, remove, write_synced, writing
from app.storage.metadata.container import Written, sidecar_of
from app.storage.metadata.foreign.origin import imported_from
from app.storage.metadata.label import Label, checked_label, made_at_of, xmp_packet
from app.storage.metadata.mime import mime_of, what_is
from app.storage.place import file_key, put_in_place
from app.storage.store import Store

log = logger(__name__)

DECODER_FAILS = N_("Easel can't read pictures right now: {reason}. Try again later.")
EASEL = 'Easel'
Seen = Callable[[Sequence[int]], Awaitable[Sequence[int]]]
_TURNS: WeakKeyDictionary[Library, asyncio.Lock] = WeakKeyDictionary()


class Taken(StrEnum):
    """What became of a picture that was to be brought in."""

    NEW = 'new'
    KNOWN = 'known'  # the gallery has these very bytes
    REFUSED = 'refused'


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A picture that was to be brought in, with its id in the gallery."""

    name: str
    taken: Taken
    image_id: int = 0
    reason: str = ''


@dataclass(frozen=True, slots=True)
class ExaminedPicture:
    """A whole picture with its thumbnails in temporary files, and what its file says."""

    name: str  # as people know it
    received: Received
    digest: str
    mime: str
    decoded: Decoded
    thumbs: dict[int, Path]
    settings: Settings
    made_at: float
    parent: Image | None = None  # of the gallery, that it was made of outside

    @property
    def title(self) -> str:
        return self.parent.title if self.parent else Path(self.name).stem

    @property
    def is_easels(self) -> bool:
        return self.settings.get('generator') == EASEL

    def label(self, ids: PictureIds) -> Label:
        """Return the label that the file carries; of a foreign one, a new label with these ids."""
        told = self.settings
        if self.is_easels:
            return checked_label(told, self.made_at)
        own: Settings = {
            'provider': imported_from(str(told.get('generator', ''))),
            'created_at': self.made_at,
            'image_id': ids.image,
            'generation_id': ids.generation,
            'asked_size': told.get('size', ''),
        }
        if self.parent:
            own |= {
                'prompt': self.parent.prompt,
                'sources': str(TracedPicture(self.parent.id, self.parent.digest)),
            }
        label = checked_label(told | own, self.made_at)
        return replace(label, width=self.decoded.width, height=self.decoded.height)

    def stored(self, file: str, label: Label) -> StoredImage:
        """Describe the picture as it is kept at a place."""
        stated = {name: getattr(label, name) for name in LABEL_FIELDS}
        return StoredImage(
            digest=self.digest,
            file=file,
            mime=self.mime,
            width=self.decoded.width,
            height=self.decoded.height,
            size_bytes=self.received.size_bytes,
            mean_colour=self.decoded.mean_colour,
            id=label.image_id,
            cost=read_cost(label.cost),
            **stated,
        )

    def discard(self) -> None:
        """Delete those temporary files that did not go to their places."""
        remove(self.received.path, sidecar_of(self.received.path), *self.thumbs.values())


async def examine(
    store: Store, received: Received, name: str, modified_at: float
) -> ExaminedPicture:
    """Decode a picture and read what it says; what was received is gone if it is refused.

    Raise ProviderError where it is none that is kept, `StorageFailed` where the disk or the decoder
    fails at any picture.
    """
    thumbs = store.new_thumbs()
    try:
        mime = mime_of(received.head)
        if mime is None:
            failure = Failure(kind=ErrorKind.NOT_AN_IMAGE, reason=what_is(received.head))
            raise ProviderError(failure)
        await asyncio.to_thread(complete, received)
        settings = await store.settings_in(received.path)
        decoded = await _decoded(store, received, mime, thumbs)
        digest = await asyncio.to_thread(lambda: received.digest)
    except BaseException:
        remove(received.path, sidecar_of(received.path), *thumbs.values())
        raise
    made_at = made_at_of(settings, modified_at)
    return ExaminedPicture(name, received, digest, mime, decoded, thumbs, settings, made_at)


async def _decoded(store: Store, received: Received, mime: str, thumbs: dict[int, Path]) -> Decoded:
    try:
        return await store.decoder.decode(received.path, mime, thumbs)
    except DecoderFailed as error:
        if await store.decoder_works():
            raise
        raise StorageFailed(DECODER_FAILS, reason=error.failure.reason) from error


async def everything(image_ids: Sequence[int]) -> Sequence[int]:
    """Return those of some pictures that the owner sees."""
    return image_ids


class Importer:
    """Keeps examined pictures of which the gallery shows none with the same bytes.

    They belong to a `guest`, None: to the owner; `seen` returns what of some pictures they see.
    """

    def __init__(
        self, library: Library, store: Store, guest: int | None = None, seen: Seen = everything
    ) -> None:
        self._library = library
        self._store = store
        self._guest = guest
        self._seen = seen
        self._turn = _TURNS.setdefault(library, asyncio.Lock())

    async def known(self, digest: str) -> int | None:
        """Return the id of the picture with these bytes, None where there is none."""
        return (await self._known([digest])).get(digest)

    async def _known(self, digests: Sequence[str]) -> dict[str, int]:
        having = await self._library.files.having(digests)
        seen = {*await self._seen([one for ids in having.values() for one in ids])}
        own = {digest: [one for one in ids if one in seen] for digest, ids in having.items()}
        return {digest: ids[0] for digest, ids in own.items() if ids}

    async def keep(self, pictures: Sequence[ExaminedPicture]) -> list[TakenPicture]:
        """Keep those that are new, files first; the temporary files of all are gone afterwards.

        Raises `StorageFailed`: then none of them has a row.
        """
        try:
            async with self._turn:
                known = await self._known([one.digest for one in pictures])
                fresh: dict[str, ExaminedPicture] = {}
                for one in pictures:
                    if one.digest not in known:
                        fresh.setdefault(one.digest, one)
                taken = await self._keep(list(fresh.values())) if fresh else {}
        finally:
            for one in pictures:
                one.discard()
        return [_told(one, fresh, known, taken) for one in pictures]

    async def _keep(self, pictures: list[ExaminedPicture]) -> dict[str, TakenPicture]:
        recovery = self._library.recovery
        first = await recovery.reserve(len(pictures))
        ids = (PictureIds(first.image + n, first.generation + n) for n in range(len(pictures)))
        placing = [asyncio.to_thread(self._place, *one) for one in zip(pictures, ids, strict=True)]
        placed = await asyncio.gather(*placing)
        told = [self._put_away(*one) for one in zip(pictures, placed, strict=True)]
        attached = await recovery.attach(told)
        return {
            one.kept.digest: await asyncio.to_thread(self._attached, picture.name, one, fate)
            for picture, one, fate in zip(pictures, placed, attached, strict=True)
        }

    def _place(self, picture: ExaminedPicture, ids: PictureIds) -> LabelledImage:
        """Put a picture, its thumbnails and its label in their places; raise `StorageFailed`."""
        label, source = self._label(picture, ids), picture.received.path
        sidecar, unique = sidecar_of(source), picture.digest
        if self._guest is not None:  # whose file is another than that of the same bytes
            unique = hashlib.sha256(f'{self._guest} {unique}'.encode()).hexdigest()
        if not picture.is_easels or self._guest is not None:
            with writing():
                sidecar.write_bytes(xmp_packet(label))
        written = Written(
            path=source,
            digest=picture.digest,
            size_bytes=picture.received.size_bytes,
            sidecar=sidecar if sidecar.exists() else None,
        )
        # named by its bytes: a kill leaves a file that the next time takes the place of
        named = replace(picture.received, path=Path(f'{unique}{PART}'))
        told = label if label.prompt else replace(label, prompt=picture.title)
        file = file_key(told, picture.mime, picture.digest, named)
        places = {
            made: self._store.thumb(picture.digest, width) for width, made in picture.thumbs.items()
        }
        put_in_place(places, written, self._store.original(file))
        return LabelledImage(picture.stored(file, label), label)

    def _label(self, picture: ExaminedPicture, ids: PictureIds) -> Label:
        """Return the label of a picture; of a guest's file no ids, edit or cost are taken."""
        label = picture.label(ids)
        if self._guest is None:
            return label
        own = replace(label, image_id=ids.image, generation_id=ids.generation, position=0)
        sources = label.sources if picture.parent else None
        own = replace(own, sources=sources, mask=None, strength=None, paste_back=None)
        return replace(own, changed_outside_mask=None, laid_back_from=None, cost=None)

    def _attached(self, name: str, one: LabelledImage, attached: Attached) -> TakenPicture:
        """Say what became of a picture in its place; of one without a row the files go."""
        if attached.fate is Fate.ATTACHED:
            self._label_anew(one, attached)
            return TakenPicture(name, Taken.NEW, attached.image_id)
        if attached.fate is not Fate.COPY:
            self._store.forget(one.kept)
        reason = f"can't be added: {attached.reason or attached.fate}"
        return TakenPicture(name, Taken.REFUSED, reason=reason)

    def _put_away(self, picture: ExaminedPicture, one: LabelledImage) -> ToldImage:
        """Return what rows say of a picture; its generation is none that was asked for here.

        Ids of pictures that a file says it came from may be those of others here: their digests
        count alone.
        """
        told, parent = one.told(), picture.parent
        sources = tuple(replace(source, id=parent.id if parent else 0) for source in told.sources)
        base = told.laid_back_from and replace(told.laid_back_from, id=0)
        told = replace(told, sources=sources, laid_back_from=base)
        own = replace(told.generation, dismissed_at=told.generation.created_at, guest=self._guest)
        return replace(told, generation=own)

    def _label_anew(self, one: LabelledImage, attached: Attached) -> None:
        """Write ids beside a picture that has others inside, which another picture has here."""
        now = PictureIds(attached.image_id, attached.generation_id)
        if now == one.ids:
            return
        label = replace(one.label, image_id=now.image, generation_id=now.generation)
        try:
            write_synced(sidecar_of(self._store.original(one.kept.file)), xmp_packet(label))
        except OSError as error:
            log.warning('%s tells its old ids: %s', one.kept.file, error.strerror)


def _told(
    one: ExaminedPicture,
    fresh: dict[str, ExaminedPicture],
    known: dict[str, int],
    taken: dict[str, TakenPicture],
) -> TakenPicture:
    if one.digest in known:
        return TakenPicture(one.name, Taken.KNOWN, known[one.digest])
    first = taken[one.digest]
    is_copy = fresh[one.digest] is not one and first.taken is Taken.NEW
    return replace(first, name=one.name, taken=Taken.KNOWN if is_copy else first.taken)

"""Adds the files of a form to the gallery, one at a time, and tells what came of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request

from app.access.visitors import Visitor
from app.errors import N_, ErrorKind, Failure, InvalidRequest, ProviderError, Reason
from app.gallery.importing import Importer, Taken, TakenPicture, examine
from app.models import Image
from app.models.request import MOST_SOURCE_BYTES, MOST_SOURCES
from app.storage.files import remove
from app.storage.metadata.container import MOST_PACKET_BYTES, sidecar_of
from app.web.context import Services
from app.web.security.permissions import seen_of, visitor_of
from app.web.templates import Language
from app.web.uploads import Part
from app.web.views.serializers import image_json

LONGEST_NAME = 200
SIDECAR = '.xmp'
DAMAGED = N_("can't be read: {reason}")
REFUSALS = {
    ErrorKind.NOT_AN_IMAGE: N_("isn't a PNG, JPEG, WebP, GIF or AVIF ({reason})"),
    ErrorKind.TOO_LARGE: N_('is over 64 MiB'),
}
IS_EMPTY = N_('is empty')
ONE_TOO_MANY = N_('is one too many: {most} pictures at most')
OVER_50_MB = N_('is over 50 MB')


@dataclass(frozen=True, slots=True)
class PictureReceiver:
    """Adds pictures for one visitor, whose they are; those that they see already come once."""

    services: Services
    visitor: Visitor
    language: Language

    async def add(
        self,
        part: Part,
        modified_at: float | None = None,
        label: Part | None = None,
        parent: Image | None = None,
    ) -> TakenPicture:
        """Add the picture that came as a part, whose file is gone afterwards.

        It was changed at `modified_at`, in seconds since 1970; `label` is a file that may be the
        one beside it. It was made of `parent`, unless its own file tells that. Raises
        `StorageFailed`.
        """
        assert part.file  # noqa: S101 (it came with a name)
        name, path = (part.filename or '')[:LONGEST_NAME], part.file.path
        try:
            if part.failure:
                raise part.failure
            if label:
                _put_beside(part, label)
            moment = time.time() if modified_at is None else modified_at
            async with self.services.picture_turn(self.visitor):
                examined = await examine(self.services.store, part.file.received(), name, moment)
            if not examined.is_easels:
                examined = replace(examined, parent=parent)
            [taken] = await self._importer().keep([examined])
        except ProviderError as error:
            return self.refused(name, error.failure)
        finally:
            part.discard()
            remove(sidecar_of(path))
        return taken

    async def add_source(self, part: Part, room: int, parent: Image | None = None) -> TakenPicture:
        """Add a picture to start from, as `add`, if there is room for it.

        One that waits in the trash comes out of it. Raises `StorageFailed` also where the disk is
        nearly full: guests add pictures too, and must leave the database its room.
        """
        assert part.file  # noqa: S101 (it came with a name)
        is_large = part.failure or part.file.size_bytes > MOST_SOURCE_BYTES
        if is_large or room <= 0:
            part.discard()
            sentence = self.language.translate(OVER_50_MB if is_large else ONE_TOO_MANY)
            reason = sentence.format(most=MOST_SOURCES)
            return TakenPicture((part.filename or '')[:LONGEST_NAME], Taken.REFUSED, reason=reason)
        try:
            await self.services.storage_monitor.require()
            taken = await self.add(part, parent=parent)
        finally:
            part.discard()
        if taken.taken is Taken.KNOWN:
            await self._restore(taken.image_id)
        return taken

    async def _restore(self, image_id: int) -> None:
        images = self.services.library.images
        if (await images.one(image_id)).deleted_at is not None:
            image = await images.set_deleted(image_id, None)
            self.services.changes.announce(image.generation_id)

    def refused(self, name: str, failure: Failure) -> TakenPicture:
        """Tell in the visitor's words why a picture did not come."""
        sentence = REFUSALS.get(failure.kind, DAMAGED)
        if failure.reason == Reason.EMPTY:
            sentence = IS_EMPTY
        reason = self.language.translate(failure.reason)
        told = self.language.translate(sentence).format(reason=reason)
        return TakenPicture(name, Taken.REFUSED, reason=told)

    def _importer(self) -> Importer:
        services, visitor = self.services, self.visitor

        async def seen(image_ids: Sequence[int]) -> Sequence[int]:
            images = await services.library.images.some(image_ids)
            return [image.id for image in await seen_of(visitor, services, images)]

        return Importer(services.library, services.store, visitor.guest_id, seen)


def refusal_of(refused: TakenPicture) -> InvalidRequest:
    return InvalidRequest(N_('{name} {reason}.'), name=refused.name, reason=refused.reason)


def _put_beside(part: Part, label: Part) -> None:
    """Put the label that came before a picture beside it, if it is this one's."""
    if label.file and part.file and label.filename == f'{part.filename}{SIDECAR}':
        received = label.file.received()
        if received.size_bytes <= MOST_PACKET_BYTES and received.path.exists():
            received.path.rename(sidecar_of(part.file.path))


async def images_of(
    services: Services, taken: Iterable[TakenPicture], kind: Taken
) -> tuple[Image, ...]:
    return await services.library.images.some([one.image_id for one in taken if one.taken is kind])


async def announce(services: Services, taken: Iterable[TakenPicture]) -> None:
    """Have open galleries tell of what is new."""
    for image in (await images_of(services, taken, Taken.NEW))[-1:]:
        services.changes.announce(image.generation_id)


async def taken_json(
    request: Request, services: Services, taken: Sequence[TakenPicture]
) -> dict[str, object]:
    """Return the pictures that are new, those that were there, and what did not come."""
    told = dict[str, object]()
    for name, kind in (('images', Taken.NEW), ('known', Taken.KNOWN)):
        images = await images_of(services, taken, kind)
        told[name] = [image_json(one, services.root, visitor_of(request)) for one in images]
    refused = [one for one in taken if one.taken is Taken.REFUSED]
    told['refused'] = [{'name': one.name, 'message': one.reason} for one in refused]
    if len(refused) == len(taken):
        message = f'{refused[0].name} {refused[0].reason}'
        told['error'] = {'kind': InvalidRequest.kind, 'message': message, 'fields': {}}
    return told

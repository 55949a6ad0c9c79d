"""Reads what the Create page sends: its texts, pictures to start from, and the mask of the first.

Pictures are added to the gallery while they come, so that a form that is refused loses none.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from starlette.requests import Request

from app.errors import N_, AppError, ErrorKind, InvalidRequest, ProviderError, TooLarge
from app.gallery.importing import Taken, TakenPicture
from app.generation.request import AUTOMATIC, parse_request, parse_sources, without_source
from app.models import Image
from app.models.request import MOST_SOURCES, REQUEST_FIELDS, GenerationRequest, Size
from app.storage.masks import keep, kept_size, normalised
from app.web.context import Services
from app.web.forms import MULTIPART, form_pairs, is_number
from app.web.receiving.pictures import PictureReceiver, announce, refusal_of
from app.web.receiving.starting import MASK, SOURCE
from app.web.security.permissions import seen_of, sees_mask, visitor_of
from app.web.security.routes import MOST_BODY_BYTES
from app.web.uploads import MOST_PARTS, Part, parts_of

SOURCE_FILE = 'source_file'
NOT_A_PNG = N_("The mask isn't a PNG ({reason}). Save it as one, then try again.")
DAMAGED_MASK = N_("The mask can't be read: {reason}.")
OTHER_SIZE = N_('The mask is {mask} pixels, the first picture {picture}. Make both the same size.')


@dataclass(frozen=True, slots=True)
class Submission:
    """A form of the Create page, with the pictures that it starts from as ids."""

    pairs: tuple[tuple[str, str], ...]
    images: tuple[Image, ...]  # to start from, in their order
    wrong: dict[str, AppError]  # what is wrong with its pictures and its mask, by field

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.pairs)

    def requests(self, providers: tuple[str, ...]) -> list[GenerationRequest]:
        """Return the request for each provider; raise `InvalidRequest` with all that is wrong."""
        wrong, found = self.wrong, list[GenerationRequest]()
        for name in providers or ('',):
            try:
                found.append(parse_request(self.fields | {'provider': name}))
            except InvalidRequest as error:
                wrong = {**error.fields, **self.wrong}
        if SOURCE in wrong and MASK not in self.wrong:
            wrong = {name: one for name, one in wrong.items() if name != MASK}
        if wrong:
            raise InvalidRequest(N_('Check the marked fields.'), fields=wrong)
        return found


async def read_submission(request: Request, services: Services) -> Submission:
    """Read a form, add the pictures in it and keep its mask.

    Raise as `form_pairs` and `parts_of` do, and `StorageFailed`.
    """
    reader = _Reader(request, services)
    try:
        return await reader.read()
    finally:
        if reader.mask:
            reader.mask.discard()
        if reader.taken:
            await announce(services, reader.taken)


@dataclass(slots=True)
class _Reader:
    """What came of a form so far."""

    request: Request
    services: Services
    pairs: list[tuple[str, str]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)  # ids, in the order of the form
    taken: list[TakenPicture] = field(default_factory=list)
    mask: Part | None = None
    wrong: dict[str, AppError] = field(default_factory=dict)
    letters: int = 0  # of all texts

    async def read(self) -> Submission:
        if self.request.headers.get('content-type', '').lower().startswith(MULTIPART):
            folder = self.services.store.arriving
            async with aclosing(parts_of(self.request, folder, MOST_BODY_BYTES)) as parts:
                async for part in parts:
                    await self._take(part)
        else:
            for name, text in await form_pairs(self.request, MOST_PARTS):
                self._take_text(name, text)
        images = await self._images()
        mask = await self._mask(images)
        ids = ' '.join(str(image.id) for image in images)
        return Submission((*self.pairs, (SOURCE, ids), (MASK, mask)), images, self.wrong)

    async def _take(self, part: Part) -> None:
        if part.file is None:
            self._take_text(part.name, part.text.decode('utf-8', 'replace'))
        elif part.name == SOURCE_FILE:
            await self._add(part)
        elif part.name == MASK:
            if self.mask:
                self.mask.discard()
            self.mask = part
        else:
            part.discard()

    def _take_text(self, name: str, text: str) -> None:
        self.letters += len(name) + len(text)
        if self.letters > MOST_BODY_BYTES:
            raise TooLarge(N_('Too large: at most {most} bytes.'), most=MOST_BODY_BYTES)
        if name == SOURCE:
            self.sources += text.split()
        else:
            self.pairs.append((name, text))

    async def _add(self, part: Part) -> None:
        language = self.services.language(self.request)
        receiver = PictureReceiver(self.services, visitor_of(self.request), language)
        taken = await receiver.add_source(part, room=MOST_SOURCES - len(self.sources))
        self.taken.append(taken)
        if taken.taken is Taken.REFUSED:
            self.wrong.setdefault(SOURCE, refusal_of(taken))
            return
        self.sources.append(str(taken.image_id))

    async def _images(self) -> tuple[Image, ...]:
        """Return the pictures that are meant, as far as there are any for this visitor."""
        try:
            ids = parse_sources(' '.join(self.sources))
        except InvalidRequest as error:
            self.wrong.setdefault(SOURCE, error)
            numbers = (int(one) for one in self.sources[:MOST_SOURCES] if is_number(one))
            ids = tuple(dict.fromkeys(numbers))
        images = await self.services.library.images.some(ids)
        seen = await seen_of(visitor_of(self.request), self.services, images)
        for missing in sorted({*ids} - {image.id for image in seen}, key=ids.index)[:1]:
            wrong = InvalidRequest(N_('Picture {id} not found.'), id=missing)
            self.wrong.setdefault(SOURCE, wrong)
        return tuple(seen)

    async def _mask(self, images: tuple[Image, ...]) -> str:
        """Return the digest of the mask, which is kept; empty where there is none."""
        is_known = images and SOURCE not in self.wrong
        size = Size(images[0].width, images[0].height) if is_known else None
        try:
            return await (self._keep(self.mask, size) if self.mask else self._kept(size))
        except InvalidRequest as error:
            self.wrong[MASK] = error
            return ''

    async def _kept(self, size: Size | None) -> str:
        """Return the digest that came as a text; raise `InvalidRequest` where it is of none."""
        digest = dict(self.pairs).get(MASK, '').strip()
        if digest.lower() in AUTOMATIC:
            return ''
        kept = await asyncio.to_thread(kept_size, self.services.store, digest)
        if not (kept and await sees_mask(visitor_of(self.request), self.services, digest)):
            rule = REQUEST_FIELDS[MASK]
            raise InvalidRequest(rule.sentence)
        if size and kept != size:
            self.wrong[MASK] = InvalidRequest(OTHER_SIZE, mask=kept, picture=size)
        return digest

    async def _keep(self, part: Part, size: Size | None) -> str:
        """Keep the mask that came as a file; raise `InvalidRequest` where it is none that fits."""
        assert part.file  # noqa: S101 (it came with a name)
        store = self.services.store
        try:
            if part.failure:
                raise part.failure
            async with self.services.picture_turn(visitor_of(self.request)):
                mask = await normalised(store, part.file.received())
        except ProviderError as error:
            reason = self.services.language(self.request).translate(error.failure.reason)
            if error.failure.kind is ErrorKind.NOT_AN_IMAGE:
                raise InvalidRequest(NOT_A_PNG, reason=reason) from error
            raise InvalidRequest(DAMAGED_MASK, reason=reason) from error
        try:
            if size and mask.size != size:
                raise InvalidRequest(OTHER_SIZE, mask=mask.size, picture=size)
            if not self.sources and SOURCE not in self.wrong:
                raise without_source()
            await asyncio.to_thread(keep, store, mask)
        finally:
            mask.discard()
        return mask.digest

"""Pictures that the owner adds to the gallery, and all that it shows as a download."""

from __future__ import annotations

import math
import time
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.gallery.albums import AlbumRow
from app.database.gallery.filters import Order
from app.database.search.query import check_search
from app.errors import N_, InvalidRequest
from app.gallery.albums import check_album
from app.gallery.importing import Taken, TakenPicture
from app.web.context import Services, TheServices
from app.web.delivery.zips import READ_AT_ONCE, zip_of
from app.web.forms import is_number
from app.web.pages.gallery.query import read_filter
from app.web.receiving.pictures import SIDECAR, PictureReceiver, announce, images_of, taken_json
from app.web.security.permissions import check_same_site, visitor_of
from app.web.templates import wants_fragment, wants_json
from app.web.uploads import Part, parts_of

PICTURE, MODIFIED, ALBUM = 'picture', 'modified', 'album'  # in milliseconds since 1970


@dataclass(slots=True)
class Adding:
    """What came of a form of pictures so far."""

    services: Services
    receiver: PictureReceiver
    album: AlbumRow | None = None  # that all of them are put into
    modified_at: float | None = None  # of the next file, as the browser tells it
    sidecar: Part | None = None  # of the next file
    taken: list[TakenPicture] = field(default_factory=list)

    async def take(self, part: Part) -> None:
        """Take one part of the form; what a picture says of when it was made precedes it."""
        text = part.text.decode('latin-1').strip()
        if part.file and part.name != PICTURE:
            part.discard()
        elif part.name == MODIFIED:
            self.modified_at = int(text) / 1000 if is_number(text) else None
        elif part.name == ALBUM and text:
            self.album = self._album_of(text)
        elif part.file and (part.filename or '').endswith(SIDECAR):
            self.forget_sidecar()
            self.sidecar = part
        elif part.file:
            self.taken.append(await self.receiver.add(part, self.modified_at, self.sidecar))
            self.modified_at = None
            self.forget_sidecar()

    def _album_of(self, text: str) -> AlbumRow:
        """Return the album that is meant; raise `InvalidRequest` at one that fills itself."""
        number = int(text) if is_number(text) else 0
        return check_album(self.services.albums.one(number))

    async def finish(self) -> None:
        """Put what came into the album, and have open galleries tell of it."""
        self.forget_sidecar()
        library, ids = self.services.library, [one.image_id for one in self.taken if one.image_id]
        if self.album and ids:
            await library.albums.put(self.album.id, ids, time.time())
        await announce(self.services, self.taken)

    def forget_sidecar(self) -> None:
        if self.sidecar:
            self.sidecar.discard()
        self.sidecar = None


async def add_pictures(request: Request, services: TheServices) -> Response:
    """Add the pictures of a form, each as soon as it is there; say which did not come, and why."""
    receiver = PictureReceiver(services, visitor_of(request), services.language(request))
    adding = Adding(services, receiver)
    try:
        folder = services.store.arriving
        async with aclosing(parts_of(request, folder, most_parts=math.inf)) as parts:
            async for part in parts:
                await adding.take(part)
    finally:
        await adding.finish()
    if not adding.taken:
        raise InvalidRequest(N_('Choose a picture first.'))
    refused = [one for one in adding.taken if one.taken is Taken.REFUSED]
    status = InvalidRequest.status if len(refused) == len(adding.taken) else 200
    if wants_json(request):
        return JSONResponse(await taken_json(request, services, adding.taken), status)
    known = await images_of(services, adding.taken, Taken.KNOWN)
    trashed = [image for image in known if image.deleted_at]
    if not refused and not trashed and not wants_fragment(request):
        return RedirectResponse(
            f'/gallery?album={adding.album.id}' if adding.album else '/gallery', 303
        )
    return services.renderer.page(
        request,
        'gallery/added.html' if wants_fragment(request) else 'pages/added.html',
        status=status,
        new=await images_of(services, adding.taken, Taken.NEW),
        known=known,
        trashed=trashed,
        refused=refused,
    )


async def download_zip(request: Request, services: TheServices) -> Response:
    """Send everything that the gallery shows for a query, an album or a search as well."""
    check_same_site(request)
    asked = read_filter(request)
    check_search(asked.words)
    chosen = replace(asked, sort=Order.NEWEST)  # each page of another is sorted anew
    return zip_of(request, services, services.library.images.pages(chosen, READ_AT_ONCE))

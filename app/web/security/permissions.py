"""What a visitor, as the guard found them, may see and change."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.access.sessions import SESSION_S
from app.access.visitors import Throttle, Visitor
from app.database.gallery.albums import AlbumRow
from app.database.gallery.filters import Filter
from app.errors import N_, Conflict, Forbidden, NotFound, TooManyGuesses
from app.gallery.albums import Albums
from app.models import Generation, Image, KeptFile
from app.web.context import Services, TheServices
from app.web.forms import TheId

MOST_LOOKED_AT = 100  # pictures that were made with one mask
OTHER_SITES = ('cross-site', 'same-site')


def visitor_of(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


def check_throttle(request: Request, throttle: Throttle) -> None:
    """Count one try of this visitor; raise `TooManyGuesses` for one too many in this minute."""
    check_wait(throttle.take(visitor_of(request).throttle_key))


def check_wait(wait_s: float) -> None:
    if wait_s:
        raise TooManyGuesses(
            N_('Too many attempts. Wait {seconds} s, then try again.'), seconds=math.ceil(wait_s)
        )


def check_still_owner(request: Request, services: Services) -> None:
    """Raise `Conflict` where a password was set since the request came: before, all were owners."""
    if not services.sessions.who(request.headers, request.scope['scheme']).owner:
        raise Conflict(N_('Someone else has set a password in the meantime.'))


def check_same_site(request: Request) -> None:
    """Raise `Forbidden` where another site asks for what takes a while to read."""
    if request.headers.get('sec-fetch-site') in OTHER_SITES:
        raise Forbidden(N_('This request came from another site. Open Easel and do it there.'))


def set_session_cookie(
    request: Request, services: Services, response: Response, cookie: str
) -> Response:
    return _set_cookie(request, response, services.sessions.cookie_name_on, cookie)


def set_device_cookie(request: Request, services: Services, response: Response) -> Response:
    sessions = services.sessions
    return _set_cookie(request, response, sessions.device_name_on, sessions.device_cookie())


def _set_cookie(
    request: Request, response: Response, name_on: Callable[[str], str], value: str
) -> Response:
    scheme = request.scope['scheme']
    response.set_cookie(
        name_on(scheme),
        value,
        SESSION_S,
        secure=scheme == 'https',
        httponly=True,
        samesite='strict',
    )
    return response


def sight_of(visitor: Visitor, albums: Albums) -> Filter:
    """Return what a visitor may look at in the gallery: everything, one album, or their own."""
    if visitor.album is not None and albums.get(visitor.album):
        return albums.filter_of(visitor.album)
    return Filter(guest=visitor.only)


async def seen_of(visitor: Visitor, services: Services, images: Sequence[Image]) -> list[Image]:
    """Return those of a few pictures that a visitor may look at, which is decided here alone.

    One in the trash only if it is theirs to change; a stranger at none.
    """
    if not (visitor.owner or visitor.guest):
        return []
    seen = {image.id for image in images if visitor.may_change(image.guest)}
    others = [image.id for image in images if image.id not in seen and not image.deleted_at]
    if others:
        sight = sight_of(visitor, services.albums)
        seen |= (
            {*others} if visitor.sees_all else await services.library.images.among(sight, others)
        )
    return [image for image in images if image.id in seen]


async def seen_by(
    services: Services, guest_id: int | None, images: Sequence[Image]
) -> Sequence[Image]:
    """Return those of a few pictures that a guest, None: the owner, may look at by now.

    Of one whose link has ended, those that it let them see.
    """
    if guest_id is None:
        return images
    row = next((one for one in services.guests.all() if one.id == guest_id), None)
    return await seen_of(Visitor(address='', scheme='', guest=row), services, images)


async def sees_mask(visitor: Visitor, services: Services, digest: str) -> bool:
    """Whether a mask is theirs to look at and to send again: they sent it, or see what it made."""
    askers = await services.library.masks.askers(digest)
    is_new = visitor.makes and not askers  # its form was refused, and named it to its sender alone
    if visitor.owner or is_new or visitor.guest_id in askers:
        return True
    ids = await services.library.masks.images_with(digest, MOST_LOOKED_AT)
    return bool(await seen_of(visitor, services, await services.library.images.some(ids)))


async def visible_file(visitor: Visitor, services: Services, digest: str) -> KeptFile | None:
    """Return the file of a digest, if a visitor may look at a picture that has it."""
    files = await services.library.files.of(digest)
    if files and not visitor.sees_all:
        images = await services.library.images.some([kept.id for kept in files])
        seen = {image.id for image in await seen_of(visitor, services, images)}
        files = tuple(kept for kept in files if kept.id in seen)
    return files[0] if files else None


def may_open(visitor: Visitor, album_id: int) -> bool:
    """Whether an album, if there is one, is a visitor's to look at."""
    return visitor.sees_all or visitor.album == album_id


def albums_for(viewer: Visitor, services: Services) -> tuple[AlbumRow, ...]:
    """Return the albums that a visitor may look at, by name."""
    return tuple(row for row in services.albums.all() if may_open(viewer, row.id))


def choosable_albums(viewer: Visitor, services: Services) -> list[AlbumRow]:
    """Return the albums that a visitor may put pictures into: the owner all that take any."""
    return [row for row in services.albums.all() if row.q is None] if viewer.owner else []


async def visible_image(request: Request, services: TheServices, image_id: TheId) -> Image:
    """Return the picture of an address; raise `NotFound`, as for an unknown id, if it is hidden."""
    image = await services.library.images.one(image_id)
    if not await seen_of(visitor_of(request), services, [image]):
        raise NotFound(N_('Picture {id} not found.'), id=image.id)
    return image


async def own_image(request: Request, services: TheServices, image_id: TheId) -> Image:
    """Return the picture of an address; raise `NotFound` if this visitor may not change it."""
    image = await services.library.images.one(image_id)
    if not visitor_of(request).may_change(image.guest):
        raise NotFound(N_('Picture {id} not found.'), id=image.id)
    return image


async def own_generation(
    request: Request, services: TheServices, generation_id: TheId
) -> Generation:
    return check_own(request, await services.library.generations.one(generation_id))


def check_own(request: Request, generation: Generation) -> Generation:
    """Return a generation; raise `NotFound` for all but the owner and the guest who asked."""
    if not visitor_of(request).may_change(generation.guest):
        raise NotFound(N_('Generation {id} not found.'), id=generation.id)
    return generation


VisibleImage = Annotated[Image, Depends(visible_image)]
OwnImage = Annotated[Image, Depends(own_image)]
OwnGeneration = Annotated[Generation, Depends(own_generation)]

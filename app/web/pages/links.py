"""Where links lead: a guest to the sign-in by one button, a stranger to one picture alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.access.guests import hash_of
from app.database.links import GuestRow
from app.errors import N_, NotFound
from app.log import logger
from app.models import Image
from app.web.context import Services, TheServices
from app.web.delivery.stripped import StrippedPicture, open_stripped
from app.web.security.permissions import check_throttle, set_session_cookie, visitor_of

log = logger(__name__)

HEADERS = {
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex, nofollow',
}
NOWHERE = N_('This link is invalid or has expired.')


@dataclass(frozen=True, slots=True)
class SharedPicture:
    """What a link shows; the prompt is empty where the owner did not share it."""

    image: Image
    prompt: str


async def shared_picture(request: Request, services: TheServices) -> SharedPicture:
    """Find what a link shows; raise `NotFound` for every other link, or `TooManyGuesses`."""
    check_throttle(request, services.link_throttle)
    token = hash_of(str(request.path_params['token']))
    row = await services.library.shown.by_hash(token, time.time())
    if row is None:
        raise NotFound(NOWHERE)
    image = await services.library.images.one(row.image_id)
    return SharedPicture(image, image.prompt if row.tells_prompt else '')


async def linked_guest(request: Request, services: TheServices) -> GuestRow:
    """Find the guest of a link; raise as `shared_picture` does."""
    check_throttle(request, services.link_throttle)
    guest = services.guests.by_token(str(request.path_params['token']))
    if guest is None:
        raise NotFound(NOWHERE)
    return guest


Shared = Annotated[SharedPicture, Depends(shared_picture)]
LinkedGuest = Annotated[GuestRow, Depends(linked_guest)]


async def shown_page(request: Request, services: TheServices, shared: Shared) -> Response:
    (await _open(services, shared)).opened.close()
    address = f'/shared/{request.path_params["token"]}/picture.{shared.image.extension}'
    page = services.renderer.page(request, 'pages/shared.html', shared=shared, address=address)
    page.headers.update(HEADERS)
    return page


async def shown_file(request: Request, services: TheServices, shared: Shared) -> Response:
    """Return the picture itself, without anything that is written in its file."""
    name = f'picture.{shared.image.extension}'
    if request.path_params['name'] != name:
        raise NotFound(NOWHERE)
    picture = await _open(services, shared)
    return await picture.response(HEADERS | {'Content-Disposition': f'inline; filename="{name}"'})


async def _open(services: Services, shared: SharedPicture) -> StrippedPicture:
    picture = await open_stripped(services, shared.image)
    if picture is None:
        raise NotFound(NOWHERE)
    return picture


async def join_page(request: Request, services: TheServices, guest: LinkedGuest) -> Response:
    """Show what the link opens; nothing happens yet."""
    return services.renderer.page(request, 'pages/join.html', guest=guest)


async def join(request: Request, services: TheServices, guest: LinkedGuest) -> Response:
    """Sign a guest in; the owner stays the owner."""
    response = RedirectResponse('/' if guest.makes else '/gallery', 303)
    visitor = visitor_of(request)
    if visitor.owner:
        return response
    log.info('%s joined as the guest %s', visitor.address, guest.name)
    return set_session_cookie(request, services, response, services.sessions.cookie_for(guest))

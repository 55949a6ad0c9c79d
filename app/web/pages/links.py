"""Where links lead: a guest to the sign-in by one button, a stranger to one picture alone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from app.access.guests import hash_of
from app.access.visitors import Guest
from app.errors import N_, NotFound
from app.log import logger
from app.models import Image
from app.web.context import Services, services_of
from app.web.security.permissions import refuse_guessing, set_session_cookie, visitor_of
from app.web.views.stripped_picture import BareFile, open_bare

log = logger(__name__)
TheServices = Annotated[Services, Depends(services_of)]

BLOCK_BYTES = 256 * 1024
FILE_POLICY = "default-src 'none'; sandbox"
HEADERS = {
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex, nofollow',
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a link shows.

    Attributes:
        prompt: Empty where the owner did not want it told.
    """

    image: Image
    prompt: str


async def shown_by(request: Request, services: TheServices) -> Shown:
    """Find what a link shows.

    Raises:
        TooManyGuesses: Wait first.
        NotFound: Unknown, expired, revoked, deleted: nobody is told which.
    """
    refuse_guessing(request, services.knocks)
    token = hash_of(str(request.path_params['token']))
    row = await services.library.shown.by_hash(token, time.time())
    if row is None:
        raise nowhere()
    image = await services.library.images.one(row.image_id)
    return Shown(image, image.prompt if row.tells_prompt else '')


TheShown = Annotated[Shown, Depends(shown_by)]


def nowhere() -> NotFound:
    return NotFound(N_('This link leads nowhere, or does not any more.'))


async def shown_page(request: Request, services: TheServices, shown: TheShown) -> Response:
    """Show the picture."""
    (await _open(services, shown)).opened.close()
    address = f'/shared/{request.path_params["token"]}/picture.{shown.image.extension}'
    page = services.renderer.page(request, 'pages/shared.html', shown=shown, address=address)
    page.headers.update(HEADERS)
    return page


async def shown_file(request: Request, services: TheServices, shown: TheShown) -> Response:
    """Return the picture itself, without anything that is written in its file."""
    name = f'picture.{shown.image.extension}'
    if request.path_params['name'] != name:
        raise nowhere()
    bare = await _open(services, shown)
    headers = {
        **HEADERS,
        'Content-Disposition': f'inline; filename="{name}"',
        'Content-Length': str(bare.size_bytes),
        'Content-Security-Policy': FILE_POLICY,
    }
    if bare.size_bytes <= BLOCK_BYTES:
        content = await asyncio.to_thread(lambda: b''.join(bare.blocks()))
        return Response(content, headers=headers, media_type=shown.image.mime)
    return StreamingResponse(bare.blocks(), headers=headers, media_type=shown.image.mime)


async def _open(services: Services, shown: Shown) -> BareFile:
    bare = await asyncio.to_thread(open_bare, services, shown.image)
    if bare is None:
        raise nowhere()
    return bare


def guest_in(request: Request, services: TheServices) -> Guest:
    """Find the guest of a link.

    Raises:
        TooManyGuesses: Wait first.
        NotFound: It never was a link, or is none any more; nobody is told which.
    """
    refuse_guessing(request, services.knocks)
    guest = services.guests.by_token(str(request.path_params['token']))
    if guest is None:
        raise nowhere()
    return guest


TheGuest = Annotated[Guest, Depends(guest_in)]


async def join_page(request: Request, services: TheServices, guest: TheGuest) -> Response:
    """Show what the link opens; nothing happens yet."""
    return services.renderer.page(request, 'pages/join.html', guest=guest)


async def join(request: Request, services: TheServices, guest: TheGuest) -> Response:
    """Let a guest in; the owner stays the owner."""
    response = RedirectResponse('/' if guest.makes else '/gallery', 303)
    visitor = visitor_of(request)
    if visitor.owner:
        return response
    log.info('%s came in as the guest %s', visitor.address, guest.name)
    return set_session_cookie(request, services, response, services.sessions.guests_cookie(guest))

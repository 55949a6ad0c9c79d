"""Where a guest's link leads: a page with one button, since a preview of the link opens it too."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.access.visitors import Guest
from app.errors import N_, NotFound
from app.log import logger
from app.web.context import Services, services_of
from app.web.security.permissions import let_in, refuse_guessing, visitor_of

log = logger(__name__)
router = APIRouter()
TheServices = Annotated[Services, Depends(services_of)]


def guest_in(request: Request, services: TheServices) -> Guest:
    """Find the guest of a link.

    Raises:
        TooManyGuesses: Wait first.
        NotFound: It never was a link, or is none any more; nobody is told which.
    """
    refuse_guessing(request, services.knocks)
    guest = services.guests.by_token(str(request.path_params['token']))
    if guest is None:
        raise NotFound(N_('This link leads nowhere, or does not any more.'))
    return guest


TheGuest = Annotated[Guest, Depends(guest_in)]


@router.get('/join/{token}')
async def join_page(request: Request, services: TheServices, guest: TheGuest) -> Response:
    """Show what the link opens; nothing happens yet."""
    return services.renderer.page(request, 'pages/join.html', guest=guest)


@router.post('/join/{token}')
async def join(request: Request, services: TheServices, guest: TheGuest) -> Response:
    """Let a guest in; the owner stays the owner."""
    response = RedirectResponse('/' if guest.makes else '/gallery', 303)
    visitor = visitor_of(request)
    if visitor.owner:
        return response
    log.info('%s came in as the guest %s', visitor.address, guest.name)
    return let_in(request, services, response, services.sessions.guests_cookie(guest))

"""What a visitor, as the guard found them, may see and change."""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import Response

from app.access.sessions import SESSION_S
from app.access.throttle import Throttle
from app.access.visitors import Visitor
from app.errors import N_, Conflict, NotFound, TooManyGuesses
from app.models import Generation, Image
from app.web.context import Services


def visitor_of(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


def refuse_guessing(request: Request, throttle: Throttle) -> None:
    """Count one try of this visitor.

    Raises:
        TooManyGuesses: It is one too many for this minute.
    """
    wait_s = throttle.take(visitor_of(request).guesser)
    if wait_s:
        raise TooManyGuesses(
            N_('Too many tries. Wait {seconds} s, then try again.'), seconds=math.ceil(wait_s)
        )


def refuse_overtaken(request: Request, services: Services) -> None:
    """Look again whether this is the owner: without a password, everybody was.

    Raises:
        Conflict: A password was set since the request came.
    """
    if not services.sessions.who(request.headers, request.scope['scheme']).owner:
        raise Conflict(N_('Somebody else set the password meanwhile.'))


def set_session_cookie(
    request: Request, services: Services, response: Response, cookie: str
) -> Response:
    """Set the cookie of a session."""
    scheme = request.scope['scheme']
    response.set_cookie(
        services.sessions.cookie_name_on(scheme),
        cookie,
        SESSION_S,
        secure=scheme == 'https',
        httponly=True,
        samesite='strict',
    )
    return response


def refuse_unseen(request: Request, image: Image) -> Image:
    """Return the picture, if this visitor may look at it.

    Raises:
        NotFound: Not this visitor, who is told what an unknown number is told.
    """
    visitor = visitor_of(request)
    theirs = visitor.may_change(image.guest)
    hidden = visitor.only not in (None, image.guest) or (image.deleted_at and not theirs)
    if hidden:
        raise NotFound(N_('There is no picture {id}.'), id=image.id)
    return image


def refuse_others_picture(request: Request, image: Image) -> Image:
    """Return the picture, if this visitor may change it.

    Raises:
        NotFound: Not this visitor.
    """
    if not visitor_of(request).may_change(image.guest):
        raise NotFound(N_('There is no picture {id}.'), id=image.id)
    return image


def refuse_unseen_prompt(request: Request, generation: Generation) -> Generation:
    """Return the generation, if this visitor made it or may look at a picture of it.

    Raises:
        NotFound: Neither is this visitor.
    """
    seen = visitor_of(request).only is None and generation.images
    return generation if seen else refuse_others(request, generation)


def refuse_others(request: Request, generation: Generation) -> Generation:
    """Return the generation, if this visitor is the owner or the guest who asked for it.

    Raises:
        NotFound: Neither is this visitor.
    """
    if not visitor_of(request).may_change(generation.guest):
        raise NotFound(N_('There is no generation {id}.'), id=generation.id)
    return generation

"""The way back from what was just done."""

from __future__ import annotations

from starlette.requests import Request

from app.database.acts.pieces import Act
from app.errors import NotFound
from app.models import Image
from app.web.context import Services
from app.web.forms import number_in
from app.web.security.permissions import own_image, visitor_of


async def last_act(request: Request, services: Services) -> Act | None:
    """Return the act that led here, if it is this visitor's."""
    number = number_in(request, 'act')
    if number is None:
        return None
    try:
        act = await services.library.acts.one(number)
    except NotFound:
        return None
    return act if visitor_of(request).may_change(act.guest) else None


async def just_deleted(request: Request, services: Services) -> Image | None:
    """Return the picture that the last act put into the trash, if this visitor may undo that."""
    number = number_in(request, 'undo')
    if number is None:
        return None
    try:
        image = await own_image(request, services, number)
    except NotFound:
        return None
    return image if image.deleted_at else None

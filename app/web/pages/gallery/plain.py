"""A picture's file without the prompt and settings that are kept in it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.errors import N_, Conflict, NotFound
from app.gallery.names import plain_name
from app.web.context import TheServices
from app.web.delivery.stripped import open_stripped
from app.web.security.permissions import VisibleImage

HEADERS = {'Cache-Control': 'no-store'}


async def download(request: Request, services: TheServices, image: VisibleImage) -> Response:
    """Hand out the pixels alone; raise `NotFound` in the trash, `Conflict` where that can't be."""
    if image.deleted_at:
        raise NotFound(N_('Picture not found.'))
    picture = await open_stripped(services, image)
    if picture is None:
        raise Conflict(N_("The settings can't be removed from this picture's file."))
    disposition = f'attachment; filename="{plain_name(image)}"'
    return await picture.response(HEADERS | {'Content-Disposition': disposition})

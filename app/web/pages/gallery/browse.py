"""The gallery."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.context import TheServices
from app.web.forms import number_in
from app.web.pages.gallery.query import PAGE, page_from, read_filter, write_query
from app.web.pages.gallery.searching import search_json, search_values
from app.web.pages.gallery.selecting import by_day, selection_form, trash_of
from app.web.pages.gallery.undo import just_deleted
from app.web.security.permissions import visitor_of
from app.web.templates import wants_json, zone_of
from app.web.views.serializers import image_json


async def gallery_page(request: Request, services: TheServices) -> Response:
    """Show the pictures, newest first, by day."""
    chosen, images = read_filter(request), services.library.images
    at = number_in(request, 'at')
    before = at or number_in(request, 'before')
    found = await images.page(chosen, before, PAGE, with_edge=bool(at))
    older = write_query(chosen, before=found[-1].id) if len(found) == PAGE else None
    if wants_json(request):
        after = services.root.address(f'/gallery.json{older}') if older else None
        listed = [image_json(image, services.root, visitor_of(request)) for image in found]
        told = await search_json(request, services, chosen, finds=bool(found))
        return JSONResponse({'images': listed, 'next': after, **told})
    newer = ''
    if before:
        above = await images.newer(chosen, found[0].id, PAGE) if found else ()
        newer = '' if found and not above else page_from(chosen, above, PAGE)
    visitor = visitor_of(request)
    return services.renderer.page(
        request,
        'pages/gallery.html',
        status=200,
        days=by_day(request, services, chosen, found),
        utc_offset_min=_utc_offset_min(zone_of(request)),
        just_deleted=await just_deleted(request, services),
        selection=await selection_form(services, chosen) if visitor.makes else None,
        trash=await trash_of(services, chosen),
        chosen=chosen,
        query=write_query(chosen if visitor.owner else replace(chosen, guest=None)),
        newer=newer,
        older=f'/gallery{older}' if older else None,
        **await search_values(request, services, chosen, finds=bool(found)),
    )


def _utc_offset_min(zone: tzinfo | None) -> int:
    """Return how far a zone is ahead of UTC now."""
    ahead = datetime.now().astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(minutes=1)

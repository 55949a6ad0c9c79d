"""The gallery."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.gallery.filters import Order
from app.web.context import TheServices
from app.web.forms import choice_in, form_fields
from app.web.pages.gallery.listed_albums import album_values
from app.web.pages.gallery.query import beyond_sight, read_filter, write_query
from app.web.pages.gallery.searching import search_json, search_values
from app.web.pages.gallery.selecting import days_left, selecting_values
from app.web.pages.gallery.wall import (
    DENSITIES,
    DENSITY_COOKIE,
    density_of,
    older_query,
    part_values,
    rail_values,
    read_part,
)
from app.web.security.permissions import sight_of, visitor_of
from app.web.templates import keep_choice, wants_fragment, wants_json, zone_of
from app.web.views.serializers import image_json

MOST_SEED = 10**9


async def gallery_page(request: Request, services: TheServices) -> Response:
    """Show the pictures, by day or in a random order; as a fragment, the wall."""
    chosen = read_filter(request)
    if chosen.sort is Order.RANDOM and not chosen.shuffle:
        seeded = replace(chosen, shuffle=secrets.randbelow(MOST_SEED) + 1)
        return RedirectResponse(request.scope['path'] + write_query(seeded), 303)
    part, visitor = await read_part(request, services.library.images, chosen), visitor_of(request)
    if wants_json(request):
        older = older_query(chosen, part)
        after = services.root.address(f'/gallery.json{older}') if older else None
        listed = [image_json(image, services.root, visitor) for image in part.images]
        told = await search_json(request, services, chosen, finds=bool(listed))
        return JSONResponse({'images': listed, 'next': after, **told})
    everything = sight_of(visitor, services.albums)
    own = chosen if visitor.owner else beyond_sight(chosen, everything)
    values = part_values(request, services.language(request), chosen, part) | {
        'chosen': chosen,
        'query': write_query(own),
        'days_left': await days_left(request, services, chosen, part),
    }
    if wants_fragment(request):
        return services.renderer.page(request, 'gallery/part.html', status=200, **values)
    return services.renderer.page(
        request,
        'pages/gallery.html',
        status=200,
        **values,
        **await rail_values(request, services, chosen, part),
        newest=await services.library.images.newest_id(),
        query_by_time=write_query(replace(own, sort=Order.NEWEST, shuffle=0)),
        density=density_of(request),
        utc_offset_min=_utc_offset_min(zone_of(request)),
        **await selecting_values(request, services, chosen),
        **await search_values(request, services, chosen, finds=bool(part.images)),
        **await album_values(visitor, services, chosen),
    )


async def choose_density(request: Request) -> Response:
    """Keep how large pictures hang, and lead back to the gallery of the form's query."""
    fields = await form_fields(request)
    density = choice_in(fields, 'density', {name: name for name in DENSITIES})
    query = fields.get('query', '')
    response = RedirectResponse(f'/gallery{query if query.startswith("?") else ""}', 303)
    keep_choice(request, response, DENSITY_COOKIE, density)
    return response


def _utc_offset_min(zone: tzinfo | None) -> int:
    """Return how far a zone is ahead of UTC now."""
    ahead = datetime.now().astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(minutes=1)

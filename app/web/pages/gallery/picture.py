"""The page of one picture, and what is done with it."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.errors import N_, Conflict, Gone, NotFound
from app.gallery.names import plain_name
from app.generation.request import label_fields_of
from app.models import Generation, Image
from app.web.context import Services, TheServices
from app.web.delivery.files import MISSING, file_fault
from app.web.delivery.stripped import open_stripped
from app.web.forms import LIFETIMES
from app.web.pages.gallery.lineage import origin_of, other_servers, versions_of
from app.web.pages.gallery.listed_albums import albums_to_join
from app.web.pages.gallery.query import (
    PAGE,
    compared_in,
    comparison,
    just_deleted,
    page_from,
    read_filter,
    write_query,
)
from app.web.security.permissions import OwnImage, VisibleImage, albums_for, seen_of, visitor_of
from app.web.templates import wants_fragment, wants_json
from app.web.views.downloads import wants_plain
from app.web.views.serializers import attempt_json, image_json, sees_cost

HEADERS = {'Cache-Control': 'no-store'}
STEPS = 24  # how many neighbours a picture's page names, for arrows pressed faster than it loads


async def image_page(request: Request, services: TheServices, image: VisibleImage) -> Response:
    """Show one picture with its whole label; in the trash, with the way back."""
    visitor, library = visitor_of(request), services.library
    versions = await versions_of(visitor, services, image)
    if wants_json(request):
        told = {'versions': [*versions.first.ids()] if versions.first else []}
        return JSONResponse(image_json(image, services.root, visitor) | told)
    chosen = read_filter(request)
    newer = await library.images.newer(chosen, image.id, PAGE)
    older = await library.images.page(chosen, image.id, STEPS)
    generation = await library.generations.one(image.generation_id)
    calls = await library.generations.calls_of(generation.id) if visitor.owner else ()
    return services.renderer.page(
        request,
        'picture/picture.html' if wants_fragment(request) else 'pages/image.html',
        image=image,
        generation=generation,
        siblings=await seen_of(visitor, services, generation.images),
        albums=[row for row in albums_for(visitor, services) if row.id in image.albums],
        other_albums=albums_to_join(visitor, services, image),
        settings_text=_settings_text(image, generation),
        attempts=[attempt_json(call) for call in calls],
        newer=newer[:STEPS],
        older=older,
        just_deleted=await just_deleted(request, services),
        chosen=chosen,
        album=services.albums.get(chosen.album or 0),
        query=write_query(chosen),
        query_fields=parse_qsl(write_query(chosen).removeprefix('?')),
        back=page_from(chosen, newer, PAGE // 2),
        lifetimes=LIFETIMES,
        plain_name=plain_name(image),
        is_plain=wants_plain(request),
        file_fault=await file_fault(services, image),
        origin=await origin_of(visitor, services, image),
        versions=versions,
        other_servers=other_servers(visitor, services, image),
        sees_cost=sees_cost(image, visitor),
    )


async def favourite(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Mark a picture, or unmark it if it is marked."""
    changed = await services.library.images.set_favourite(image.id, favourite=not image.favourite)
    services.changes.announce(image.generation_id)
    return _after_act(request, services, changed)


async def lay_back(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Lay what the mask protects back over a picture, as a picture of its own; once."""
    from app.generation.laying_back import lay_back_over  # few pictures have a mask

    library, store, visitor = services.library, services.store, visitor_of(request)
    sources = await library.images.some(image.sources[:1])
    if sources and not await seen_of(visitor, services, sources):
        raise NotFound(N_('Picture {id} not found.'), id=image.parent_id)
    made = await lay_back_over(image, library, store, services.editing.protection)
    services.changes.announce(image.generation_id)
    if wants_json(request):
        return JSONResponse(image_json(made, services.root, visitor))
    return RedirectResponse(f'/images/{made.id}', 303)


async def delete(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Put a picture into the trash; its row and file stay."""
    image = await services.library.images.set_deleted(image.id, time.time())
    services.changes.announce(image.generation_id)
    then, chosen = request.query_params.get('then'), read_filter(request)
    if then == 'next':
        return RedirectResponse(await _next_address(request, services, image), 303)
    others = [one for one in compared_in(request) if one != image.id]
    if then == 'compare' and others:
        return RedirectResponse(comparison(others, chosen, undo=image.id), 303)
    return _after_act(request, services, image)


async def restore(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Take a picture out of the trash; raise `Gone` if its file is not there any more."""
    if await file_fault(services, image) == MISSING:
        raise Gone(N_("This picture's file is no longer in the data folder."))
    image = await services.library.images.set_deleted(image.id, None)
    services.changes.announce(image.generation_id)
    return _after_act(request, services, image)


async def download_plain(request: Request, services: TheServices, image: VisibleImage) -> Response:
    """Hand out the pixels alone; raise `NotFound` in the trash, `Conflict` where that can't be."""
    if image.deleted_at:
        raise NotFound(N_('Picture not found.'))
    picture = await open_stripped(services, image)
    if picture is None:
        raise Conflict(
            N_(
                "The prompt and settings can't be removed from this picture's file. "
                'Download it with settings.'
            )
        )
    disposition = f'attachment; filename="{plain_name(image)}"'
    return await picture.response(HEADERS | {'Content-Disposition': disposition})


async def _next_address(request: Request, services: Services, image: Image) -> str:
    """Return where to go on from a deleted picture: the older one, else the newer, else all."""
    chosen, images = read_filter(request), services.library.images
    found = await images.page(chosen, image.id, 1) or await images.newer(chosen, image.id, 1)
    place = f'/images/{found[0].id}' if found else '/gallery'
    return place + write_query(chosen, undo=image.id)


def _after_act(request: Request, services: Services, image: Image) -> Response:
    """Show the picture's page, to a script its tile; `then` in the query asks for the page.

    That is the comparison for `compare`.
    """
    then, compared = request.query_params.get('then'), compared_in(request)
    if wants_fragment(request) and then is None:
        return services.renderer.page(request, 'gallery/tile.html', image=image, query='')
    ids = compared if then == 'compare' and compared else (image.id,)
    return RedirectResponse(comparison(ids, read_filter(request)), 303)


def _settings_text(image: Image, generation: Generation) -> str:
    """Write a picture's settings as other programs read them."""
    from app.storage.metadata.label import Label, parameters_text  # not needed for the first page

    seed = generation.seed_of(image)
    label = Label(
        **label_fields_of(generation.request) | {'model': image.model, 'seed': seed},  # type: ignore[arg-type]
        provider=image.provider,
        width=image.width,
        height=image.height,
        created_at=image.created_at,
        generation_id=image.generation_id,
        position=image.position,
    )
    return parameters_text(label)

"""The gallery, and the page of one picture."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, replace
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.images import Filter
from app.errors import N_, Forbidden, Gone, NotFound
from app.generation.request import label_fields_of
from app.models import Generation, Image
from app.storage.inventory import DamagedFile, open_kept
from app.web.context import Services, TheServices
from app.web.forms import LIFETIMES, number_in
from app.web.security.permissions import OwnImage, VisibleImage, own_image, visitor_of
from app.web.templates import wants_fragment, wants_json, zone_of
from app.web.views.serializers import attempt_json, image_json, sees_cost

PAGE = 60
STEPS = 24  # how many neighbours a picture's page names, for arrows pressed faster than it loads
LONGEST_QUESTION = 500
MISSING, DAMAGED = 'missing', 'damaged'


async def gallery_page(request: Request, services: TheServices) -> Response:
    """Show the pictures, newest first, by day."""
    chosen, before, images = _filter(request), number_in(request, 'before'), services.library.images
    found = await images.page(chosen, before, PAGE)
    older = _query(chosen, before=found[-1].id) if len(found) == PAGE else None
    if wants_json(request):
        after = services.root.address(f'/gallery.json{older}') if older else None
        listed = [image_json(image, services.root, visitor_of(request)) for image in found]
        return JSONResponse({'images': listed, 'next': after})
    newer = ''
    if before:
        above = await images.newer(chosen, found[0].id, PAGE) if found else ()
        newer = '' if found and not above else _page_from(chosen, above, PAGE)
    language, visitor, zone = services.language(request), visitor_of(request), zone_of(request)
    days = groupby(found, key=lambda image: language.day(image.created_at, zone))
    everything = await images.facets('all') if visitor.only is None else ()
    return services.renderer.page(
        request,
        'pages/gallery.html',
        days=[(name, list(of_day)) for name, of_day in days],
        utc_offset_min=_utc_offset_min(zone),
        just_deleted=await _just_deleted(request, services),
        chosen=chosen,
        query=_query(chosen if visitor.owner else replace(chosen, guest=None)),
        newer=newer,
        older=f'/gallery{older}' if older else None,
        models=await images.facets('model') if visitor.only is None else (),
        guests=services.guests.all() if visitor.owner else (),
        total=everything[0].images if everything else None,
    )


async def image_page(request: Request, services: TheServices, image: VisibleImage) -> Response:
    """Show one picture with its whole label; in the trash, with the way back."""
    if wants_json(request):
        return JSONResponse(image_json(image, services.root, visitor_of(request)))
    chosen, library = _filter(request), services.library
    newer = await library.images.newer(chosen, image.id, PAGE)
    older = await library.images.page(chosen, image.id, STEPS)
    generation = await library.generations.one(image.generation_id)
    calls = await library.generations.calls_of(generation.id) if visitor_of(request).owner else ()
    return services.renderer.page(
        request,
        'picture/picture.html' if wants_fragment(request) else 'pages/image.html',
        image=image,
        generation=generation,
        settings_text=_settings_text(image, generation),
        attempts=[attempt_json(call) for call in calls],
        newer=newer[:STEPS],
        older=older,
        just_deleted=await _just_deleted(request, services),
        chosen=chosen,
        query=_query(chosen),
        back=_page_from(chosen, newer, PAGE // 2),
        lifetimes=LIFETIMES,
        file_fault=await _fault(services, image),
        sees_cost=sees_cost(image, visitor_of(request)),
    )


async def favourite(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Mark a picture, or unmark it if it is marked."""
    changed = await services.library.images.set_favourite(image.id, favourite=not image.favourite)
    return _after_act(request, services, changed)


async def delete(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Put a picture into the trash; its row and file stay."""
    image = await services.library.images.set_deleted(image.id, time.time())
    services.changes.announce(image.generation_id)
    if request.query_params.get('then') == 'next':
        return RedirectResponse(await _next_address(request, services, image), 303)
    return _after_act(request, services, image)


async def restore(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Take a picture out of the trash; raise `Gone` if its file is not there any more."""
    if await _fault(services, image) == MISSING:
        raise Gone(N_("This picture's file is no longer in the data folder."))
    image = await services.library.images.set_deleted(image.id, None)
    services.changes.announce(image.generation_id)
    return _after_act(request, services, image)


async def bring_back(services: TheServices) -> Response:
    """Begin to write rows for the pictures that the gallery does not know."""
    services.recovery.pictures.bring_back()
    return RedirectResponse('/gallery', 303)


async def _fault(services: Services, image: Image) -> str:
    """Say what is wrong with a picture's file, in a word for the template; empty: nothing."""
    kept = await services.library.files.one(image.id)
    try:
        os.close(open_kept(services.config.data, services.store.original(image.file), kept))
    except FileNotFoundError:
        return MISSING
    except DamagedFile:
        return DAMAGED
    return ''


async def _next_address(request: Request, services: Services, image: Image) -> str:
    """Return where to go on from a deleted picture: the older one, else the newer, else all."""
    chosen, images = _filter(request), services.library.images
    found = await images.page(chosen, image.id, 1) or await images.newer(chosen, image.id, 1)
    place = f'/images/{found[0].id}' if found else '/gallery'
    return place + _query(chosen, undo=image.id)


async def _just_deleted(request: Request, services: Services) -> Image | None:
    """Return the picture that the last act put into the trash, if this visitor may undo that."""
    number = number_in(request, 'undo')
    if number is None:
        return None
    try:
        image = await own_image(request, services, number)
    except NotFound:
        return None
    return image if image.deleted_at else None


def _utc_offset_min(zone: tzinfo | None) -> int:
    """Return how far a zone is ahead of UTC now."""
    ahead = datetime.now().astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(minutes=1)


def _after_act(request: Request, services: Services, image: Image) -> Response:
    """Show the picture's page, to a script its tile; `then` in the query asks for the page."""
    if wants_fragment(request) and 'then' not in request.query_params:
        return services.renderer.page(request, 'picture/gallery_tile.html', image=image, query='')
    return RedirectResponse(f'/images/{image.id}{_query(_filter(request))}', 303)


def _settings_text(image: Image, generation: Generation) -> str:
    """Write a picture's settings as other programs read them."""
    from app.storage.metadata.label import Label, parameters_text  # not needed for the first page

    asked = generation.request
    seed = asked.seed if image.seed is None and asked.count == 1 else image.seed
    label = Label(
        **label_fields_of(asked) | {'model': image.model, 'seed': seed},  # type: ignore[arg-type]
        provider=image.provider,
        width=image.width,
        height=image.height,
        created_at=image.created_at,
        generation_id=image.generation_id,
        position=image.position,
    )
    return parameters_text(label)


def _page_from(chosen: Filter, newer: tuple[Image, ...], shown: int) -> str:
    """Return the page that begins with `shown` newer pictures; the first where there are few.

    `newer` are the nearest newer pictures, nearest first; fewer than `PAGE` are all there are.
    """
    if len(newer) < PAGE:
        return f'/gallery{_query(chosen)}'
    return f'/gallery{_query(chosen, before=newer[shown - 1].id + 1)}'


def _filter(request: Request) -> Filter:
    """Read what to show, as far as the visitor may see; raise `Forbidden` for the owner's trash."""
    query, visitor = request.query_params, visitor_of(request)
    deleted = query.get('deleted', '') == '1'
    if deleted and not visitor.owner:
        raise Forbidden(N_("Your link doesn't give access to this."))
    return Filter(
        words=query.get('q', '').strip()[:LONGEST_QUESTION],
        model=query.get('model', '')[:LONGEST_QUESTION],
        provider=query.get('provider', '')[:LONGEST_QUESTION],
        favourite=query.get('favourite', '') == '1',
        deleted=deleted,
        guest=number_in(request, 'guest') if visitor.owner else visitor.only,
    )


def _query(chosen: Filter, **more: int) -> str:
    """Write a filter as a query, `?` included; empty where nothing is chosen."""
    fields = asdict(chosen) | {
        'q': chosen.words,
        'favourite': '1' if chosen.favourite else '',
        'deleted': '1' if chosen.deleted else '',
    }
    fields.pop('words')
    pairs = {name: value for name, value in (fields | more).items() if value}
    return f'?{urlencode(pairs)}' if pairs else ''

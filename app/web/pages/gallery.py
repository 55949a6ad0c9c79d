"""The gallery, and the page of one picture."""

from __future__ import annotations

import time
from dataclasses import asdict
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.images import Filter
from app.errors import N_, Forbidden, Gone
from app.generation.request import label_fields_of
from app.models import Generation, Image
from app.web.context import Services, services_of
from app.web.forms import LIFETIMES, id_in, number_in
from app.web.security.permissions import refuse_others_picture, refuse_unseen, visitor_of
from app.web.templates import wants_fragment, wants_json
from app.web.views.serializers import attempt_json, image_json

TheServices = Annotated[Services, Depends(services_of)]
TheId = Annotated[int, Depends(id_in)]

PAGE = 60
LONGEST_QUESTION = 500


async def gallery_page(request: Request, services: TheServices) -> Response:
    """Show the pictures, newest first, by day."""
    chosen = _filter(request)
    before = number_in(request, 'before')
    found = await services.library.images.page(chosen, before, PAGE)
    older = _query(chosen, before=found[-1].id) if len(found) == PAGE else None
    if wants_json(request):
        images = [image_json(image, services.root) for image in found]
        after = services.root.address(f'/gallery.json{older}') if older else None
        return JSONResponse({'images': images, 'next': after})
    newer = await _newer(services, chosen, found) if before else ''
    language = services.language(request)
    days = [
        (name, list(images))
        for name, images in groupby(found, key=lambda image: language.day(image.created_at))
    ]
    visitor = visitor_of(request)
    everything = await services.library.images.facets('all') if visitor.only is None else ()
    return services.renderer.page(
        request,
        'pages/gallery.html',
        days=days,
        chosen=chosen,
        query=_query(chosen),
        newer=newer,
        older=f'/gallery{older}' if older else None,
        models=await services.library.images.facets('model') if visitor.only is None else (),
        guests=services.guests.all() if visitor.owner else (),
        total=everything[0].images if everything else None,
    )


async def image_page(request: Request, services: TheServices, image_id: TheId) -> Response:
    """Show one picture with its whole label; in the trash, with the way back."""
    image = refuse_unseen(request, await services.library.images.one(image_id))
    if wants_json(request):
        return JSONResponse(image_json(image, services.root))
    chosen = _filter(request)
    newer = await services.library.images.newer(chosen, image.id, PAGE)
    older = await services.library.images.page(chosen, image.id, 1)
    generation = await services.library.generations.one(image.generation_id)
    return services.renderer.page(
        request,
        'picture/picture.html' if wants_fragment(request) else 'pages/image.html',
        image=image,
        generation=generation,
        settings_text=_settings_text(image, generation),
        attempts=await _attempts(request, services, generation.id),
        newer=newer[0] if newer else None,
        older=older[0] if older else None,
        chosen=chosen,
        query=_query(chosen),
        back=_page_from(chosen, newer, PAGE // 2),
        lifetimes=LIFETIMES,
        file_missing=not services.store.original(image.file).is_file(),
    )


async def favourite(request: Request, services: TheServices, image_id: TheId) -> Response:
    """Mark a picture, or unmark it if it is marked."""
    image = await _own(request, services, image_id)
    changed = await services.library.images.set_favourite(image.id, favourite=not image.favourite)
    return _after_act(request, services, changed)


async def delete(request: Request, services: TheServices, image_id: TheId) -> Response:
    """Put a picture into the trash; its row and file stay."""
    image = await _own(request, services, image_id)
    image = await services.library.images.set_deleted(image.id, time.time())
    services.changes.announce(image.generation_id)
    return _after_act(request, services, image)


async def restore(request: Request, services: TheServices, image_id: TheId) -> Response:
    """Take a picture out of the trash.

    Raises:
        Gone: Its file is not there any more.
    """
    image = await _own(request, services, image_id)
    if not services.store.original(image.file).is_file():
        raise Gone(N_('The file of this picture is gone from the data folder.'))
    image = await services.library.images.set_deleted(image.id, None)
    services.changes.announce(image.generation_id)
    return _after_act(request, services, image)


async def _own(request: Request, services: Services, image_id: int) -> Image:
    return refuse_others_picture(request, await services.library.images.one(image_id))


async def _attempts(
    request: Request, services: Services, generation_id: int
) -> list[dict[str, object]]:
    """Return the calls of a generation, which are the owner's to look at."""
    if not visitor_of(request).owner:
        return []
    return [attempt_json(one) for one in await services.library.calls.of(generation_id)]


def _after_act(request: Request, services: Services, image: Image) -> Response:
    if wants_fragment(request):
        return services.renderer.page(request, 'picture/gallery_tile.html', image=image, query='')
    return RedirectResponse(f'/images/{image.id}{_query(_filter(request))}', 303)


def _settings_text(image: Image, generation: Generation) -> str:
    """Write a picture's settings as other programs read them."""
    from app.storage.metadata.label import Label, parameters_text  # not needed for the first page

    asked = generation.request
    own = {
        'model': image.model,
        'seed': asked.seed if image.seed is None and asked.count == 1 else image.seed,
    }
    label = Label(
        **label_fields_of(asked) | own,  # type: ignore[arg-type]
        provider=image.provider,
        width=image.width,
        height=image.height,
        created_at=image.created_at,
        generation_id=image.generation_id,
        position=image.position,
    )
    return parameters_text(label)


async def _newer(services: Services, chosen: Filter, found: tuple[Image, ...]) -> str:
    """Return the address of the page before this one, or empty where this one is the first."""
    above = await services.library.images.newer(chosen, found[0].id, PAGE) if found else ()
    return '' if found and not above else _page_from(chosen, above, PAGE)


def _page_from(chosen: Filter, newer: tuple[Image, ...], shown: int) -> str:
    """Return the page that begins with so many newer pictures; the first where there are few.

    Args:
        chosen: What the gallery shows.
        newer: The nearest newer pictures, the nearest first; fewer than `PAGE` are all there are.
        shown: How many of them the page should show above.
    """
    if len(newer) < PAGE:
        return f'/gallery{_query(chosen)}'
    return f'/gallery{_query(chosen, before=newer[shown - 1].id + 1)}'


def _filter(request: Request) -> Filter:
    """Read what to show; a guest's sight ends where their link says.

    Raises:
        Forbidden: The trash is the owner's.
    """
    query, visitor = request.query_params, visitor_of(request)
    deleted = query.get('deleted', '') == '1'
    if deleted and not visitor.owner:
        raise Forbidden(N_('Your link does not open this.'))
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

"""Pictures that are uploaded to start from; each becomes one of the gallery."""

from __future__ import annotations

from contextlib import aclosing
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.errors import N_, InvalidRequest, wrong_field
from app.gallery.importing import Taken, TakenPicture
from app.generation.request import chosen_providers
from app.models import Image
from app.models.request import MOST_SOURCES
from app.web.context import Services, TheServices
from app.web.forms import is_number, numbers_in
from app.web.receiving.form_page import form_page, ignoring_masks
from app.web.receiving.pictures import PictureReceiver, announce, refusal_of, taken_json
from app.web.receiving.starting import SOURCE
from app.web.security.permissions import seen_of, visitor_of
from app.web.templates import wants_fragment, wants_json
from app.web.uploads import parts_of
from app.web.views.limits import Limits

PICTURE = 'picture'
PARENT = 'parent'  # the id of the picture that those behind it in the form were made of


async def sources_row(request: Request, services: TheServices) -> Response:
    """Show those pictures that are still there, and what to know of a server, as a form does."""
    query = request.query_params
    chosen = chosen_providers(query.multi_items())
    ids = list(dict.fromkeys(numbers_in(request, SOURCE)))[:MOST_SOURCES]
    images = await services.library.images.some(ids)
    return services.renderer.page(
        request,
        'sources/fragment.html',
        sources=await seen_of(visitor_of(request), services, images),
        most_sources=MOST_SOURCES,
        ignoring_masks=ignoring_masks(services, chosen, query.get('model', '')),
        fields={},
        wrong={},
        limits=Limits(),
    )


async def add_sources(request: Request, services: TheServices) -> Response:
    """Add the pictures of a form, to start from them; say which did not come, and why."""
    receiver = PictureReceiver(services, visitor_of(request), services.language(request))
    taken, parent = list[TakenPicture](), None
    try:
        async with aclosing(parts_of(request, services.store.arriving)) as parts:
            async for part in parts:
                if part.file and part.name == PICTURE:
                    room = MOST_SOURCES - len(taken)
                    taken.append(await receiver.add_source(part, room, parent))
                elif part.name == PARENT and not part.file:
                    parent = await _seen(request, services, part.text.decode('latin-1'))
                else:
                    part.discard()
    finally:
        await announce(services, taken)
    if not taken:
        raise InvalidRequest(N_('Choose a picture first.'))
    refused = [one for one in taken if one.taken is Taken.REFUSED]
    status = InvalidRequest.status if len(refused) == len(taken) else 200
    if wants_json(request) or wants_fragment(request):
        return JSONResponse(await taken_json(request, services, taken), status)
    ids = [one.image_id for one in taken if one.image_id]
    if not refused:
        return RedirectResponse(f'/?{urlencode([("source", one) for one in ids])}', 303)
    error = wrong_field('source', refusal_of(refused[0]))
    images = await services.library.images.some(ids)
    return await form_page(request, services, {}, given=False, images=images, error=error)


async def _seen(request: Request, services: Services, number: str) -> Image | None:
    """Return the picture with an id, None where the visitor sees none: it may be gone by now."""
    ids = [int(number)] if is_number(number) else []
    images = await services.library.images.some(ids)
    return next(iter(await seen_of(visitor_of(request), services, images)), None)

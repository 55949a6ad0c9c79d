"""Generations: their list, what can be done with one, its calls and its partial pictures."""

from __future__ import annotations

import re
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import N_, NotFound
from app.web.context import TheServices
from app.web.delivery.files import FILE_POLICY
from app.web.forms import form_fields, number_in
from app.web.security.permissions import OwnGeneration, check_own, visitor_of
from app.web.templates import wants_fragment, wants_json
from app.web.views.notices import notices_json
from app.web.views.private_origins import trust_origin
from app.web.views.queue_bar import show_queue
from app.web.views.serializers import attempt_json, generation_json
from app.web.views.tiles import tile_values, tiles

MOST_PAGE = 60

_PREVIEW = re.compile(r'(\d{1,18})-(\d{1,3})-(\d{1,18})\.webp')


async def generations_page(request: Request, services: TheServices) -> Response:
    """List generations, newest first; a guest's own. A script gets the bar of the queue."""
    if wants_fragment(request):
        return await show_queue(request, services)
    before = number_in(request, 'before')
    found = await services.library.generations.page(before, MOST_PAGE, visitor_of(request).guest_id)
    older = f'?before={found[-1].id}' if len(found) == MOST_PAGE else None
    if wants_json(request):
        language, viewer = services.language(request), visitor_of(request)
        listed = [generation_json(one, language, viewer) for one in found]
        after = services.root.address(f'/generations.json{older}') if older else None
        notices = notices_json(services, viewer, language)
        return JSONResponse({'generations': listed, 'next': after, 'notices': notices})
    values = await tile_values(services, found)
    values['older'] = f'/generations{older}' if older else None
    return services.renderer.page(request, 'pages/generations.html', status=200, **values)


async def generation_page(
    request: Request, services: TheServices, generation: OwnGeneration
) -> Response:
    """Show one generation: a page, its fragment, or JSON by its `.json` address."""
    if wants_json(request):
        language = services.language(request)
        return JSONResponse(generation_json(generation, language, visitor_of(request)))
    if wants_fragment(request):
        return await tiles(request, services, generation)
    values = await tile_values(services, (generation,)) | {'older': None}
    return services.renderer.page(request, 'pages/generations.html', status=200, **values)


async def cancel(request: Request, services: TheServices, generation: OwnGeneration) -> Response:
    """End a generation; a final one stays as it is."""
    return await tiles(request, services, await services.worker.cancel(generation.id))


async def retry(request: Request, services: TheServices, generation: OwnGeneration) -> Response:
    """Queue a failed, cancelled or interrupted generation again."""
    who = visitor_of(request)
    again = await services.worker.retry(generation.id, who.quota_key, who.guest_id)
    return await tiles(request, services, again)


async def fetch(request: Request, services: TheServices, generation: OwnGeneration) -> Response:
    """Fetch again what was made and could not be fetched; the owner may trust its origin first."""
    fields = await form_fields(request) if 'content-type' in request.headers else {}
    if 'trust' in fields:
        await trust_origin(services, generation, visitor_of(request), fields['trust'])
    return await tiles(request, services, await services.worker.fetch(generation.id))


async def dismiss(request: Request, services: TheServices, generation: OwnGeneration) -> Response:
    """Have a failed, cancelled or interrupted one leave the Create page."""
    dismissed = await services.library.generations.dismiss(generation.id, time.time())
    services.changes.announce(generation.id)
    if wants_fragment(request):
        return await tiles(request, services, dismissed)
    return await show_queue(request, services)


async def pause(request: Request, services: TheServices) -> Response:
    await services.queue.pause(visitor_of(request).guest_id)
    return await show_queue(request, services)


async def resume(request: Request, services: TheServices) -> Response:
    await services.queue.resume(visitor_of(request).guest_id)
    return await show_queue(request, services)


async def cancel_all(request: Request, services: TheServices) -> Response:
    await services.queue.cancel_all(visitor_of(request).guest_id)
    return await show_queue(request, services)


async def retry_all(request: Request, services: TheServices) -> Response:
    who = visitor_of(request)
    await services.queue.retry_all(who.guest_id, who.quota_key)
    return await show_queue(request, services)


async def dismiss_all(request: Request, services: TheServices) -> Response:
    await services.queue.dismiss_all(visitor_of(request).guest_id)
    return await show_queue(request, services)


async def attempts_page(
    request: Request, services: TheServices, generation: OwnGeneration
) -> Response:
    attempts = [
        attempt_json(one) for one in await services.library.generations.calls_of(generation.id)
    ]
    if wants_json(request):
        return JSONResponse({'attempts': attempts})
    return services.renderer.page(
        request, 'pages/attempts.html', generation=generation, attempts=attempts
    )


async def preview(request: Request, services: TheServices) -> Response:
    """Return a partial picture; raise `NotFound` once a newer one has taken its place."""
    match = _PREVIEW.fullmatch(str(request.path_params['name']))
    shown = services.previews.of(int(match[1])).get(int(match[2])) if match else None
    if match is None or shown is None or shown.serial != int(match[3]):
        raise NotFound(N_('Picture not found.'))
    if visitor_of(request).guest:
        check_own(request, await services.library.generations.one(int(match[1])))
    headers = {'Content-Security-Policy': FILE_POLICY}
    return Response(shown.webp, media_type='image/webp', headers=headers)

"""The Create page, and what happens to a generation."""

from __future__ import annotations

import time
from itertools import islice
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.access.visitors import Visitor
from app.errors import N_, AppError, InvalidRequest
from app.generation.request import (
    chosen_providers,
    form_fields_from_picture,
    form_fields_of,
    parse_request,
)
from app.models import LONGEST_PROMPT, MOST_COUNT, Generation, Submitted
from app.providers.monitor import MonitoredProvider
from app.web.context import Services, services_of
from app.web.error_pages import failure_json, in_words
from app.web.forms import form_pairs, id_in, new_submission, number_in, save_upload, submission_of
from app.web.security.permissions import refuse_others, refuse_unseen_prompt, visitor_of
from app.web.templates import wants_fragment, wants_json
from app.web.views.estimates import estimates_of
from app.web.views.found_servers import offers_of
from app.web.views.serializers import generation_json

TheServices = Annotated[Services, Depends(services_of)]
TheId = Annotated[int, Depends(id_in)]

RECENT = 18
MOST_PAGE = 60
MOST_SUGGESTED = 200
REFRESH_S = 3
SHAPES = (
    ('1024x1024', N_('Square'), '1 : 1'),
    ('1536x1024', N_('Landscape'), '3 : 2'),
    ('1024x1536', N_('Portrait'), '2 : 3'),
    ('1344x768', N_('Wide'), '16 : 9'),
    ('768x1344', N_('Tall'), '9 : 16'),
    ('512x512', N_('Small square'), '1 : 1'),
)
READ = N_('Read from the picture, as {generator} wrote it.')
NOTHING_READ = N_('This file says nothing of how it was made.')
EXAMPLES = (
    N_('A lighthouse at dusk, long exposure, calm sea'),
    N_('Snow-covered ridge under two moons, risograph print'),
    N_('Quiet harbour at dawn, watercolour'),
)


async def create_page(request: Request, services: TheServices) -> Response:
    """Show the form, and the newest generations below it; who only looks has the gallery."""
    if not visitor_of(request).makes:
        return RedirectResponse('/gallery', 303)
    fields, given = await _starting_fields(request, services)
    chosen = chosen_providers(fields.items())
    return await _create_page(request, services, fields, given=given, chosen=chosen)


async def submit(request: Request, services: TheServices) -> Response:
    """Queue a generation for each chosen server; what was typed comes back if it can't be used."""
    pairs = await form_pairs(request)
    fields, chosen = dict(pairs), chosen_providers(pairs)
    try:
        visitor = visitor_of(request)
        submitted = await _submit_each(services, fields, chosen or ('',), visitor)
    except InvalidRequest as error:
        if wants_json(request):
            raise
        return await _create_page(request, services, fields, given=True, chosen=chosen, error=error)
    generations = [one.generation for one in submitted]
    if wants_fragment(request):
        status = 201 if any(one.new for one in submitted) else 200
        return await _fragment(request, services, *generations, status=status)
    return _to_tile(generations[0])


async def read_picture(request: Request, services: TheServices) -> Response:
    """Fill the form with what a picture's file says of how it was made; nothing is kept."""
    language = services.language(request)
    temp_file = services.store.new_temp_file()
    try:
        await save_upload(request, 'picture', temp_file)
        settings = await services.store.settings_in(temp_file.received().path)
    finally:
        temp_file.discard()
    fields = form_fields_from_picture(settings)
    word = language.translate(READ if fields else NOTHING_READ)
    word = word.format(generator=settings.get('generator', ''))
    if wants_json(request):
        return JSONResponse({'fields': fields, 'message': word})
    return await _create_page(request, services, fields, given=bool(fields), word=word)


async def generations_page(request: Request, services: TheServices) -> Response:
    """List generations, newest first; a guest's own."""
    before = number_in(request, 'before')
    found = await services.library.generations.page(before, MOST_PAGE, visitor_of(request).guest_id)
    older = f'before={found[-1].id}' if len(found) == MOST_PAGE else None
    if wants_json(request):
        language = services.language(request)
        listed = [generation_json(generation, language) for generation in found]
        after = services.root.address(f'/generations.json?{older}') if older else None
        return JSONResponse({'generations': listed, 'next': after})
    return services.renderer.page(
        request,
        'pages/generations.html',
        generations=found,
        ahead=await estimates_of(services, found),
        older=f'/generations?{older}' if older else None,
        now=time.time(),
        refresh_s=_refresh(found),
    )


async def generation_page(
    request: Request, services: TheServices, generation_id: TheId
) -> Response:
    """Show one generation: a page, its fragment, or JSON by its `.json` address."""
    generation = refuse_others(request, await services.library.generations.one(generation_id))
    if wants_json(request):
        return JSONResponse(generation_json(generation, services.language(request)))
    if wants_fragment(request):
        return await _fragment(request, services, generation)
    return services.renderer.page(
        request,
        'pages/generations.html',
        generations=[generation],
        ahead=await estimates_of(services, [generation]),
        older=None,
        now=time.time(),
        refresh_s=_refresh((generation,)),
    )


async def cancel(request: Request, services: TheServices, generation_id: TheId) -> Response:
    """End a generation; a final one stays as it is."""
    refuse_others(request, await services.library.generations.one(generation_id))
    generation = await services.worker.cancel(generation_id)
    return await _after_act(request, services, generation)


async def retry(request: Request, services: TheServices, generation_id: TheId) -> Response:
    """Queue a failed, cancelled or interrupted generation again."""
    refuse_others(request, await services.library.generations.one(generation_id))
    generation = await services.worker.retry(generation_id, visitor_of(request).quota_key)
    return await _after_act(request, services, generation)


async def _starting_fields(request: Request, services: Services) -> tuple[dict[str, str], bool]:
    """Choose what the form starts with, and whether that outweighs what was typed before."""
    source = number_in(request, 'from')
    bring = request.query_params.get('bring', 'all')
    if bring not in ('all', 'prompt', 'settings'):
        raise InvalidRequest(N_('Bring all, prompt or settings, not “{value}”.'), value=bring[:40])
    brought: dict[str, str] = {}
    if source is not None:
        generation = await services.library.generations.one(source)
        brought = form_fields_of(refuse_unseen_prompt(request, generation).request)
    if brought and bring != 'prompt':
        return brought | ({'prompt': ''} if bring == 'settings' else {}), True
    last = await services.library.generations.last_asked(visitor_of(request).guest_id)
    fields = form_fields_of(last) | {'provider': ''} if last else {}
    if brought:
        return {**fields, 'prompt': brought['prompt']}, True
    prompt = request.query_params.get('prompt', '')[:LONGEST_PROMPT]
    return {**fields, 'prompt': prompt}, bool(prompt)


async def _submit_each(
    services: Services, fields: dict[str, str], chosen: tuple[str, ...], visitor: Visitor
) -> list[Submitted]:
    """Queue one generation a server, none before all can be; each has a mark of its own.

    Raises:
        AppError: As `parse_request` and `Worker.submit` say.
    """
    asks = [parse_request(fields | {'provider': name}) for name in chosen]
    for generation_request in asks:
        services.providers.expected(generation_request.provider, generation_request.model)
    mark = submission_of(fields)
    marks = [f'{mark}.{number}' if mark else None for number in range(2, len(asks) + 1)]
    pairs = zip(asks, [mark, *marks], strict=True)
    return [
        await services.worker.submit(
            generation_request, own_mark, visitor.quota_key, visitor.guest_id
        )
        for generation_request, own_mark in pairs
    ]


async def _create_page(
    request: Request,
    services: Services,
    fields: dict[str, str],
    *,
    given: bool,
    chosen: tuple[str, ...] = (),
    error: AppError | None = None,
    word: str = '',
) -> Response:
    language = services.language(request)
    if error and wants_fragment(request):
        return JSONResponse({'error': failure_json(error, language)}, error.status)
    recent = await services.library.generations.page(None, RECENT, visitor_of(request).guest_id)
    wrong = {name: in_words(one, language) for name, one in error.fields.items()} if error else {}
    return services.renderer.page(
        request,
        'pages/create.html',
        status=error.status if error else 200,
        fields=fields,
        given=given,
        wrong=wrong,
        wrong_form=in_words(error, language) if error and not wrong else '',
        word=word,
        submission=new_submission(),
        generations=recent,
        ahead=await estimates_of(services, recent),
        now=time.time(),
        refresh_s=None if error else _refresh(recent),
        chosen=chosen,
        shapes=SHAPES,
        examples=EXAMPLES,
        most_count=MOST_COUNT,
        **_about_servers(services),
    )


def _about_servers(services: Services) -> dict[str, object]:
    """Say who may draw, what they offer and want to be known; and who could, where nobody does."""
    providers = services.providers
    is_demo, enabled = providers.demo_stands_in, providers.enabled()
    drawing = (providers.demo,) if is_demo else enabled
    return {
        'offers': [one for one in offers_of(services) if one.can_be_added] if is_demo else [],
        'local_servers': services.local_servers,
        'splitting': [one.name for one in enabled if one.status.bars_split],
        'providers': [one.name for one in enabled] if len(enabled) > 1 else [],
        'models': _models(enabled),
        'default_model': drawing[0].settings.model if drawing else '',
    }


async def _fragment(
    request: Request, services: Services, *generations: Generation, status: int = 200
) -> Response:
    return services.renderer.page(
        request,
        'generation/list.html',
        status=status,
        generations=generations,
        ahead=await estimates_of(services, generations),
        now=time.time(),
    )


async def _after_act(request: Request, services: Services, generation: Generation) -> Response:
    if wants_fragment(request):
        return await _fragment(request, services, generation)
    return _to_tile(generation)


def _to_tile(generation: Generation) -> Response:
    return RedirectResponse(f'/#generation-{generation.id}', 303)


def _models(enabled: tuple[MonitoredProvider, ...]) -> list[str]:
    """Merge what the servers list; their own order stays."""
    names = (name for one in enabled for name in one.status.models)
    return list(islice(dict.fromkeys(names), MOST_SUGGESTED))


def _refresh(generations: tuple[Generation, ...]) -> int | None:
    """Say after how many seconds a page without scripts looks again."""
    return REFRESH_S if any(one.status.unfinished for one in generations) else None

"""The Create page: the form, what it starts with, and what it sends."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.access.visitors import Visitor
from app.errors import N_, AppError, InvalidRequest, wrong_field
from app.generation.request import (
    chosen_providers,
    form_fields_from_picture,
    form_fields_of,
    parse_request,
)
from app.models.request import LONGEST_PROMPT, LONGEST_TEXT, MOST_COUNT, GenerationRequest
from app.net.urls import names_a_host
from app.web.context import Services, TheServices
from app.web.error_pages import failure_json, fields_in_words, in_words
from app.web.forms import form_pairs, new_submission, number_in, submission_of
from app.web.security.permissions import check_own, choosable_albums, seen_of, visitor_of
from app.web.templates import (
    NOTE_COOKIE,
    Language,
    keep_choice,
    wants_fragment,
    wants_json,
    wants_page,
)
from app.web.uploads import uploaded
from app.web.views.limits import limits_of
from app.web.views.providers import offers_of
from app.web.views.tiles import tile_values, tiles

RECENT = 18
MOST_SUGGESTED = 200
OF_A_LONG_LIST = 20  # of a server that lists more than that; scripts search `/models` for the rest
SHAPES = (
    ('1024x1024', N_('Square'), '1 : 1'),
    ('1536x1024', N_('Landscape'), '3 : 2'),
    ('1024x1536', N_('Portrait'), '2 : 3'),
    ('1344x768', N_('Wide'), '16 : 9'),
    ('768x1344', N_('Tall'), '9 : 16'),
    ('512x512', N_('Small square'), '1 : 1'),
)
CHANGEABLE = ('model', 'size', 'n', 'quality', 'steps', 'guidance', 'sampler')
READ = N_('Prompt and settings read from the picture ({generator}).')
NOTHING_READ = N_('No prompt or settings found in this file.')
USUAL_QUALITIES = ('low', 'medium', 'high', 'standard', 'hd')
NOT_UNDERSTOOD = N_("This file has text that Easel doesn't understand: {unread}.")
UNTOLD = {
    'prompt': N_("Its workflow doesn't show the prompt."),
    'negative_prompt': N_("Its workflow doesn't show the negative prompt."),
}
MORE = ('negative_prompt', 'steps', 'guidance', 'sampler', 'quality', 'response_format')
BRINGS = ('', 'all', 'prompt', 'settings')  # the first: all but the seed
ROLL = 'roll'
MOST_SEED_DIGITS = MOST_ID_DIGITS = 20
ROLLED_SEED_BITS = 31  # some servers read a seed as a signed number of 32 bits
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
    page = await _form_page(request, services, fields, given=given, chosen=chosen)
    unseen = services.providers.demo_stands_in and NOTE_COOKIE not in request.cookies
    if unseen and wants_page(request):
        keep_choice(request, page, NOTE_COOKIE, 'seen')
    return page


async def submit(request: Request, services: TheServices) -> Response:
    """Queue a generation for each chosen server, none before all can be; else show the form."""
    visitor, pairs = visitor_of(request), await form_pairs(request)
    fields, chosen = dict(pairs), chosen_providers(pairs)
    try:
        parsed = [parse_request(fields | {'provider': name}) for name in chosen or ('',)]
        wanted = [_with_album(visitor, services, one) for one in parsed]
        for one in wanted:
            services.providers.expected(one.provider, one.model)
        mark = submission_of(fields)
        marks = [mark, *(mark and f'{mark}.{number}' for number in range(2, len(wanted) + 1))]
        submitted = [
            await services.worker.submit(one, own_mark, visitor.quota_key, visitor.guest_id)
            for one, own_mark in zip(wanted, marks, strict=True)
        ]
    except InvalidRequest as error:
        if wants_json(request) or wants_fragment(request):
            failure = failure_json(error, services.language(request))
            return JSONResponse({'error': failure}, error.status)
        return await _form_page(request, services, fields, given=True, chosen=chosen, error=error)
    status = 201 if any(one.new for one in submitted) else 200
    generations = [one.generation for one in submitted]
    return await tiles(request, services, *generations, status=status)


def _with_album(
    visitor: Visitor, services: Services, wanted: GenerationRequest
) -> GenerationRequest:
    """Have its pictures go into the one album that a guest sees; raise `InvalidRequest`."""
    if visitor.album is not None:
        return replace(wanted, album=visitor.album)
    choosable = {row.id for row in choosable_albums(visitor, services)}
    if wanted.album not in (None, *choosable):
        sentence = N_("This album isn't there any more. Choose another one.")
        raise wrong_field('album', InvalidRequest(sentence))
    return wanted


async def read_picture(request: Request, services: TheServices) -> Response:
    """Fill the form with what a picture's file says of how it was made; nothing is kept."""
    async with uploaded(request, 'picture', services.store.new_temp_file) as picture:
        settings = await services.reader.read(picture.received(), visitor_of(request).reader_key)
    fields = form_fields_from_picture(settings)
    message = _message_about(settings, services.language(request), is_read=bool(fields))
    if wants_json(request):
        return JSONResponse({'fields': fields, 'message': message})
    return await _form_page(request, services, fields, given=bool(fields), message=message)


def _message_about(
    settings: Mapping[str, str | int | float], language: Language, *, is_read: bool
) -> str:
    found = NOT_UNDERSTOOD if settings.get('unread') else NOTHING_READ
    untold = str(settings.get('untold', '')).split(', ')
    sentences = [READ if is_read else found, *(UNTOLD[name] for name in untold if name in UNTOLD)]
    known = {name: settings.get(name, '') for name in ('generator', 'unread')}
    return ' '.join(language.translate(one).format(**known) for one in sentences)


async def _starting_fields(request: Request, services: Services) -> tuple[dict[str, str], bool]:
    """Choose what the form starts with, and whether that outweighs what was typed before."""
    query, source = request.query_params, number_in(request, 'from')
    last = await services.library.generations.last_asked(visitor_of(request).guest_id)
    fields = form_fields_of(last) | {'provider': ''} if last else {}
    fields |= {'album': query['album'][:MOST_ID_DIGITS]} if 'album' in query else {}
    kept = {'album': fields.get('album', '')}  # which is the visitor's choice, not the picture's
    bring = query.get('bring', '')
    if bring not in BRINGS:
        raise InvalidRequest(N_('Choose all, prompt or settings, not “{value}”.'), value=bring[:40])
    if source is not None and bring != 'prompt':
        brought = await _brought(request, services, source)
        seed = {'seed': _seed(query.get('seed', ''))} if bring == '' else {}
        return brought | seed | kept | ({'prompt': ''} if bring == 'settings' else {}), True
    prompt = query.get('prompt', '')[:LONGEST_PROMPT]
    if source is None and bring == 'prompt':
        return {'prompt': prompt, **kept}, True
    if source is not None:
        prompt = (await _brought(request, services, source))['prompt']
    return {**fields, 'prompt': prompt}, bool(prompt) or 'album' in query


def _changes_in(request: Request) -> dict[str, str]:
    """Return the settings that an address names beside the generation that it starts from."""
    query = request.query_params
    return {name: query[name][:LONGEST_TEXT] for name in CHANGEABLE if name in query}


async def _brought(request: Request, services: Services, source: int) -> dict[str, str]:
    """Return the fields that ask for what a generation asked for, as far as one may see them."""
    generation = await services.library.generations.one(source)
    if not await seen_of(visitor_of(request), services, generation.images):
        check_own(request, generation)  # else its prompt is in the gallery
    return form_fields_of(generation.request) | _changes_in(request)


def _seed(asked: str) -> str:
    """Return the seed that an address asks for; a rolled one is known before it is sent."""
    return str(secrets.randbits(ROLLED_SEED_BITS)) if asked == ROLL else asked[:MOST_SEED_DIGITS]


async def _form_page(
    request: Request,
    services: Services,
    fields: dict[str, str],
    *,
    given: bool,
    chosen: tuple[str, ...] = (),
    error: AppError | None = None,
    message: str = '',
) -> Response:
    language, library, visitor = services.language(request), services.library, visitor_of(request)
    recent = await library.generations.recent(RECENT, visitor.guest_id)
    wrong, set_in_more = fields_in_words(error, language), sum(map(bool, map(fields.get, MORE)))
    return services.renderer.page(
        request,
        'pages/create.html',
        status=error.status if error else 200,
        fields=fields,
        given=given,
        set_in_more=set_in_more,
        opens_more=(given and set_in_more) or not wrong.keys().isdisjoint(MORE),
        wrong=wrong,
        wrong_form=in_words(error, language) if error and not wrong else '',
        message=message,
        submission=new_submission(),
        **await tile_values(services, recent) | ({'refresh_s': None} if error else {}),
        backlog=await library.backlog.counts(visitor.guest_id),
        chosen=chosen,
        albums=choosable_albums(visitor, services),
        shapes=SHAPES,
        other_size=_other_size(fields),
        examples=EXAMPLES,
        most_count=MOST_COUNT,
        limits=limits_of(services.providers, next(iter(chosen), ''), fields.get('model', '')),
        usual_qualities=USUAL_QUALITIES,
        **_server_values(services, visitor),
    )


def _other_size(fields: Mapping[str, str]) -> str | None:
    """Return the size that is to be written by hand; None where one is chosen."""
    size, written = fields.get('size', ''), fields.get('size_other', '')
    other = written or ('' if size in ('', 'auto', 'other') else size)
    if other in {shape for shape, _, _ in SHAPES}:
        other = ''
    return other if other or size == 'other' else None


def _server_values(services: Services, visitor: Visitor) -> dict[str, object]:
    """Return what the form says of the servers that may draw; a guest chooses by names alone."""
    providers, enabled = services.providers, services.providers.enabled()
    is_demo = providers.demo_stands_in
    drawing = (providers.demo,) if is_demo else enabled
    names = [one.name for one in enabled if visitor.owner or not names_a_host(one.name)]
    models = dict.fromkeys(name for one in enabled for name in _suggested(one.status.models))
    return {
        'offers': [one for one in offers_of(services) if one.can_be_added] if is_demo else [],
        'local_servers': services.local_servers,
        'splitting': [one.name for one in enabled if one.status.bars_split],
        'providers': names if len(enabled) > 1 else [],
        'models': list(islice(models, MOST_SUGGESTED)),
        'tells_limits': any(one.status.parameters for one in enabled),
        'default_model': drawing[0].default_model if drawing else '',
    }


def _suggested(models: tuple[str, ...]) -> tuple[str, ...]:
    return models if len(models) <= MOST_SUGGESTED else models[:OF_A_LONG_LIST]

"""The Create page: the form, what it starts with, and what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.access.visitors import Visitor
from app.errors import N_, InvalidRequest, wrong_field
from app.generation.request import chosen_providers, form_fields_from_picture
from app.models.request import GenerationRequest
from app.web.context import Services, TheServices
from app.web.error_pages import failure_json
from app.web.forms import submission_of
from app.web.receiving.form_page import form_page
from app.web.receiving.starting import start_of
from app.web.security.permissions import choosable_albums, visitor_of
from app.web.templates import (
    NOTE_COOKIE,
    Language,
    keep_choice,
    wants_fragment,
    wants_json,
    wants_page,
)
from app.web.uploads import uploaded
from app.web.views.tiles import tiles

READ = N_('Prompt and settings read from the picture ({generator}).')
NOTHING_READ = N_('No prompt or settings found in this file.')
NOT_UNDERSTOOD = N_("This file has text that Easel doesn't understand: {unread}.")
UNTOLD = {
    'prompt': N_("Its workflow doesn't show the prompt."),
    'negative_prompt': N_("Its workflow doesn't show the negative prompt."),
}


async def create_page(request: Request, services: TheServices) -> Response:
    """Show the form, and the newest generations below it; who only looks has the gallery."""
    if not visitor_of(request).makes:
        return RedirectResponse('/gallery', 303)
    start = await start_of(request, services)
    page = await form_page(
        request,
        services,
        start.fields,
        given=start.given,
        chosen=chosen_providers(start.fields.items()),
        images=start.images,
    )
    unseen = services.providers.demo_stands_in and NOTE_COOKIE not in request.cookies
    if unseen and wants_page(request):
        keep_choice(request, page, NOTE_COOKIE, 'seen')
    return page


async def submit(request: Request, services: TheServices) -> Response:
    """Queue a generation for each chosen server, none before all can be; else show the form."""
    from app.web.receiving.submission import read_submission  # 10 ms that no first page needs

    visitor, form = visitor_of(request), await read_submission(request, services)
    fields, chosen = form.fields, chosen_providers(form.pairs)
    try:
        wanted = [_with_album(visitor, services, one) for one in form.requests(chosen)]
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
        return await form_page(
            *(request, services, fields), given=True, chosen=chosen, images=form.images, error=error
        )
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
    async with uploaded(request, 'picture', services.store.arriving) as picture:
        settings = await services.reader.read(picture.received(), visitor_of(request).reader_key)
    fields = form_fields_from_picture(settings)
    message = _message_about(settings, services.language(request), is_read=bool(fields))
    if wants_json(request):
        return JSONResponse({'fields': fields, 'message': message})
    return await form_page(request, services, fields, given=bool(fields), message=message)


def _message_about(
    settings: Mapping[str, str | int | float], language: Language, *, is_read: bool
) -> str:
    found = NOT_UNDERSTOOD if settings.get('unread') else NOTHING_READ
    untold = str(settings.get('untold', '')).split(', ')
    sentences = [READ if is_read else found, *(UNTOLD[name] for name in untold if name in UNTOLD)]
    known = {name: settings.get(name, '') for name in ('generator', 'unread')}
    return ' '.join(language.translate(one).format(**known) for one in sentences)

"""The pages of image servers in Settings: add one, change it, test it, forget what was learned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.providers import ProviderRow
from app.errors import N_, AppError, InvalidRequest, NotFound
from app.models import GenerationRequest
from app.providers.core.base import Dialect
from app.providers.monitor import MonitoredProvider
from app.providers.trial import tried
from app.web.context import Services, services_of
from app.web.error_pages import failure_json, in_words
from app.web.forms import form_fields, form_pairs
from app.web.templates import wants_fragment, wants_json
from app.web.views.found_servers import offers_json, offers_of
from app.web.views.provider_form import MOST_AT_ONCE, MOST_TIMEOUT_S, NEW, SWITCHES, draft_of
from app.web.views.provider_status import ENVIRONMENT, standing_json, standing_of, standings

TheServices = Annotated[Services, Depends(services_of)]

PAGE = '/settings/providers'
SECRET_FIELDS = ('key', 'headers')
TEST_PROMPT = 'A paper boat on calm water, simple'
USER_IN_ADDRESS = re.compile(r'(?<=//)[^/?#]*@|^[^/?#]*@')  # may hold a password
BACK = ('/', '/settings#servers')  # where a button that adds what was found leads
MOVES = {'up': -1, 'down': 1}


@dataclass(frozen=True, slots=True)
class Place:
    """The provider that an address names."""

    key: str
    watched: MonitoredProvider


def place_in(request: Request, services: TheServices) -> Place:
    """Find the provider of an address, with or without `.json` behind it.

    Raises:
        NotFound: There is none.
    """
    key = str(request.path_params['id']).removesuffix('.json')
    for watched in services.providers.all():
        if key == str(watched.settings.id or ENVIRONMENT):
            return Place(key, watched)
    raise NotFound(N_('There is no such server.'))


ThePlace = Annotated[Place, Depends(place_in)]


async def look_around(request: Request, services: TheServices) -> Response:
    """Look for image servers around this Easel, and show what is there."""
    await services.local_servers.look()
    if wants_json(request):
        return JSONResponse(offers_json(services))
    if wants_fragment(request):
        offers, local_servers = offers_of(services), services.local_servers
        return services.renderer.page(
            request, '_found.html', offers=offers, local_servers=local_servers
        )
    return RedirectResponse('/settings#found', 303)


async def list_providers(services: TheServices) -> Response:
    """Give every provider to a program."""
    shown = [standing_json(one) for one in standings(services.providers)]
    return JSONResponse({'providers': shown})


async def new_page(request: Request, services: TheServices) -> Response:
    """Show an empty form; name and address can come along in the query."""
    typed = {name: request.query_params.get(name, '')[:2_000] for name in ('name', 'base_url')}
    return _form_page(request, services, _shown(NEW) | typed)


async def add(request: Request, services: TheServices) -> Response:
    """Add a provider; what was typed comes back when it can't be used."""
    pairs = await form_pairs(request)
    draft = draft_of(pairs)
    try:
        _refuse_wrong(draft.wrong)
        provider_id = await services.provider_settings.add(draft.row, draft.secrets)
    except InvalidRequest as error:
        return _again(request, services, _shown(NEW) | dict(pairs), error)
    back = dict(pairs).get('back', '')
    to = back if back in BACK else f'{PAGE}/{provider_id}'
    return await _done(request, services, str(provider_id), status=201, to=to)


async def provider_page(request: Request, services: TheServices, place: ThePlace) -> Response:
    """Show one provider: a form, or what the environment says; JSON by its `.json` address."""
    standing = standing_of(place.watched, services.providers)
    if wants_json(request):
        return JSONResponse(standing_json(standing))
    fields = {} if standing.is_fixed else _shown(await _row(services, place))
    return _form_page(request, services, fields, place=place)


async def change(request: Request, services: TheServices, place: ThePlace) -> Response:
    """Change a provider; what does not come stays as it is, its key among it."""
    before = await _row(services, place)
    pairs = await form_pairs(request)
    draft = draft_of(pairs, before, services.provider_settings.secrets_of(before))
    try:
        _refuse_wrong(draft.wrong)
        await services.provider_settings.change(draft.row, draft.secrets)
    except InvalidRequest as error:
        return _again(request, services, _shown(before) | dict(pairs), error, place=place)
    return await _done(request, services, place.key)


async def delete(request: Request, services: TheServices, place: ThePlace) -> Response:
    """Remove a provider and its key; its pictures stay."""
    await services.provider_settings.remove((await _row(services, place)).id or 0)
    services.worker.look_again()
    if wants_json(request):
        return JSONResponse({'deleted': True})
    return RedirectResponse('/settings#servers', 303)


async def move(request: Request, services: TheServices, place: ThePlace) -> Response:
    """Move a provider up or down.

    Raises:
        InvalidRequest: It is told to go elsewhere.
    """
    way = (await form_fields(request)).get('by', '')
    if way not in MOVES:
        raise InvalidRequest(N_('“{value}” can not be chosen here.'), value=way[:40])
    await services.provider_settings.move((await _row(services, place)).id or 0, MOVES[way])
    if wants_json(request):
        return await list_providers(services)
    return RedirectResponse('/settings#servers', 303)


async def test(request: Request, services: TheServices, place: ThePlace) -> Response:
    """Look what is there; with `draw=1` have it draw one picture as well, in the usual queue."""
    fields = await form_fields(request) if 'content-type' in request.headers else {}
    watched = place.watched
    watched.finding = await tried(watched)
    watched.drawn = None
    if fields.get('draw') in ('1', 'on'):
        submitted = await services.worker.submit(
            GenerationRequest(prompt=TEST_PROMPT, provider=watched.name)
        )
        watched.drawn = submitted.generation.id
    return await _done(request, services, place.key, to=f'{PAGE}/{place.key}#test')


async def forget(request: Request, services: TheServices, place: ThePlace) -> Response:
    """Forget what was learned of a provider while asking it."""
    await services.providers.memory.forget(place.watched.settings.base_url)
    return await _done(request, services, place.key, to=f'{PAGE}/{place.key}#learned')


async def _row(services: Services, place: Place) -> ProviderRow:
    """Read the row behind a place.

    Raises:
        InvalidRequest: It comes from the environment, and so can't be changed here.
    """
    for row in await services.library.providers.all():
        if row.id == place.watched.settings.id:
            return row
    raise InvalidRequest(N_('This server comes from the environment: change it there.'))


def _refuse_wrong(wrong: dict[str, AppError]) -> None:
    if wrong:
        raise InvalidRequest(N_('Some of this can not be used yet.'), fields=wrong)


async def _done(
    request: Request, services: Services, key: str, *, status: int = 200, to: str = ''
) -> Response:
    """Show what has become of a provider: to a program, as a fragment, or at its page."""
    services.worker.look_again()
    by_key = {one.key: one for one in standings(services.providers)}
    if wants_json(request):
        return JSONResponse(standing_json(by_key[key]), status)
    if wants_fragment(request):
        return services.renderer.page(
            request, '_standing.html', status=status, standing=by_key[key]
        )
    return RedirectResponse(to or f'{PAGE}/{key}', 303)


def _again(
    request: Request,
    services: Services,
    fields: Mapping[str, str],
    error: AppError,
    place: Place | None = None,
) -> Response:
    """Show the form once more, each wrong field with its sentence; what is secret is not repeated.

    Raises:
        AppError: To a program, the error itself.
    """
    if wants_json(request):
        raise error
    if wants_fragment(request):
        language = services.language(request)
        return JSONResponse({'error': failure_json(error, language)}, error.status)
    typed = {name: value for name, value in fields.items() if name not in SECRET_FIELDS}
    typed['base_url'] = USER_IN_ADDRESS.sub('', typed['base_url'])
    return _form_page(request, services, typed, place=place, error=error)


def _form_page(
    request: Request,
    services: Services,
    fields: Mapping[str, str],
    *,
    place: Place | None = None,
    error: AppError | None = None,
) -> Response:
    language = services.language(request)
    wrong = {name: in_words(one, language) for name, one in error.fields.items()} if error else {}
    return services.renderer.page(
        request,
        'server.html',
        status=error.status if error else 200,
        standing=standing_of(place.watched, services.providers) if place else None,
        fields=fields,
        wrong=wrong,
        dialects=list(Dialect),
        most_at_once=MOST_AT_ONCE,
        most_timeout_s=MOST_TIMEOUT_S,
        provider=services.provider_line(),
    )


def _shown(row: ProviderRow) -> dict[str, str]:
    """Lay a row out as the fields of its form."""
    fields = {name: str(value) for name, value in asdict(row).items()}
    switches = {name: 'on' if getattr(row, name) else 'off' for name in SWITCHES}
    return fields | switches | {'timeout_s': f'{row.timeout_s:g}'}

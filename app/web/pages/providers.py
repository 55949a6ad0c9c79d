"""The pages of image servers in Settings: add, change, test and remove one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.providers import ProviderRow
from app.errors import N_, AppError, InvalidRequest, NotFound
from app.models import GenerationRequest
from app.providers.core.base import Dialect
from app.providers.monitor import MonitoredProvider
from app.web.context import Services, services_of
from app.web.error_pages import failure_json, in_words
from app.web.forms import form_fields, form_pairs
from app.web.templates import wants_fragment, wants_json
from app.web.views.found_servers import offers_json, offers_of
from app.web.views.provider_form import MOST_AT_ONCE, MOST_TIMEOUT_S, NEW, SWITCHES, draft_of
from app.web.views.provider_status import key_of, provider_json, provider_view, provider_views

TheServices = Annotated[Services, Depends(services_of)]

PAGE = '/settings/providers'
SECRET_FIELDS = ('key', 'headers')
TEST_PROMPT = 'A paper boat on calm water, simple'
USER_IN_ADDRESS = re.compile(r'(?<=//)[^/?#]*@|^[^/?#]*@')  # may hold a password
BACK = ('/', '/settings#servers')  # where a button that adds what was found leads
MOVES = {'up': -1, 'down': 1}


def provider_in(request: Request, services: TheServices) -> MonitoredProvider:
    """Find the provider of an address, with or without `.json` behind it.

    Raises:
        NotFound: There is none.
    """
    key = str(request.path_params['id']).removesuffix('.json')
    for provider in services.providers.all():
        if key == key_of(provider.settings):
            return provider
    raise NotFound(N_('There is no such server.'))


TheProvider = Annotated[MonitoredProvider, Depends(provider_in)]


async def look_around(request: Request, services: TheServices) -> Response:
    """Search for image servers on this machine, and show them."""
    await services.local_servers.look()
    if wants_json(request):
        return JSONResponse(offers_json(services))
    if wants_fragment(request):
        found = offers_of(services)
        return services.renderer.page(
            request, 'provider/found.html', offers=found, local_servers=services.local_servers
        )
    return RedirectResponse('/settings#found', 303)


async def list_providers(services: TheServices) -> Response:
    shown = [provider_json(one) for one in provider_views(services.providers)]
    return JSONResponse({'providers': shown})


async def new_page(request: Request, services: TheServices) -> Response:
    """Show an empty form; the query may hold name and address."""
    typed = {name: request.query_params.get(name, '')[:2_000] for name in ('name', 'base_url')}
    return _form_page(request, services, _shown(NEW) | typed)


async def add(request: Request, services: TheServices) -> Response:
    """Add a provider, or show the form again with what is wrong."""
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


async def provider_page(request: Request, services: TheServices, provider: TheProvider) -> Response:
    """Show one provider: a form, or what the environment sets; JSON by its `.json` address."""
    standing = provider_view(provider, services.providers)
    if wants_json(request):
        return JSONResponse(provider_json(standing))
    fields = {} if standing.is_fixed else _shown(await _row(services, provider))
    return _form_page(request, services, fields, provider=provider)


async def change(request: Request, services: TheServices, provider: TheProvider) -> Response:
    """Change a provider; fields that were not sent stay as they are, the key among them."""
    before = await _row(services, provider)
    pairs = await form_pairs(request)
    draft = draft_of(pairs, before, services.provider_settings.secrets_of(before))
    try:
        _refuse_wrong(draft.wrong)
        await services.provider_settings.change(draft.row, draft.secrets)
    except InvalidRequest as error:
        return _again(request, services, _shown(before) | dict(pairs), error, provider=provider)
    return await _done(request, services, key_of(provider.settings))


async def delete(request: Request, services: TheServices, provider: TheProvider) -> Response:
    await services.provider_settings.remove((await _row(services, provider)).id or 0)
    services.worker.look_again()
    if wants_json(request):
        return JSONResponse({'deleted': True})
    return RedirectResponse('/settings#servers', 303)


async def move(request: Request, services: TheServices, provider: TheProvider) -> Response:
    """Move a provider up or down.

    Raises:
        InvalidRequest: The direction is neither.
    """
    direction = (await form_fields(request)).get('by', '')
    if direction not in MOVES:
        raise InvalidRequest(N_('“{value}” can not be chosen here.'), value=direction[:40])
    await services.provider_settings.move(
        (await _row(services, provider)).id or 0, MOVES[direction]
    )
    if wants_json(request):
        return await list_providers(services)
    return RedirectResponse('/settings#servers', 303)


async def test(request: Request, services: TheServices, provider: TheProvider) -> Response:
    """Test the connection; with `draw=1`, queue one picture as well."""
    fields = await form_fields(request) if 'content-type' in request.headers else {}
    await provider.test()
    provider.test_generation_id = None
    if fields.get('draw') in ('1', 'on'):
        submitted = await services.worker.submit(
            GenerationRequest(prompt=TEST_PROMPT, provider=provider.name)
        )
        provider.test_generation_id = submitted.generation.id
    return await _done(
        request, services, key_of(provider.settings), to=f'{PAGE}/{key_of(provider.settings)}#test'
    )


async def forget(request: Request, services: TheServices, provider: TheProvider) -> Response:
    await services.providers.memory.forget(provider.settings.base_url)
    return await _done(
        request,
        services,
        key_of(provider.settings),
        to=f'{PAGE}/{key_of(provider.settings)}#learned',
    )


async def _row(services: Services, provider: MonitoredProvider) -> ProviderRow:
    """Read the row of a provider.

    Raises:
        InvalidRequest: It comes from the environment.
    """
    for row in await services.library.providers.all():
        if row.id == provider.settings.id:
            return row
    raise InvalidRequest(N_('This server comes from the environment: change it there.'))


def _refuse_wrong(wrong: dict[str, AppError]) -> None:
    if wrong:
        raise InvalidRequest(N_('Some of this can not be used yet.'), fields=wrong)


async def _done(
    request: Request, services: Services, key: str, *, status: int = 200, to: str = ''
) -> Response:
    """Return the provider as it is now: as JSON, as a fragment, or by a redirect to its page."""
    services.worker.look_again()
    view = next(one for one in provider_views(services.providers) if one.key == key)
    if wants_json(request):
        return JSONResponse(provider_json(view), status)
    if wants_fragment(request):
        return services.renderer.page(request, 'provider/status.html', status=status, standing=view)
    return RedirectResponse(to or f'{PAGE}/{key}', 303)


def _again(
    request: Request,
    services: Services,
    fields: Mapping[str, str],
    error: AppError,
    provider: MonitoredProvider | None = None,
) -> Response:
    """Show the form again, each wrong field with its sentence and secrets left out.

    Raises:
        AppError: A program asks: the error itself.
    """
    if wants_json(request):
        raise error
    if wants_fragment(request):
        language = services.language(request)
        return JSONResponse({'error': failure_json(error, language)}, error.status)
    typed = {name: value for name, value in fields.items() if name not in SECRET_FIELDS}
    typed['base_url'] = USER_IN_ADDRESS.sub('', typed['base_url'])
    return _form_page(request, services, typed, provider=provider, error=error)


def _form_page(
    request: Request,
    services: Services,
    fields: Mapping[str, str],
    *,
    provider: MonitoredProvider | None = None,
    error: AppError | None = None,
) -> Response:
    language = services.language(request)
    wrong = {name: in_words(one, language) for name, one in error.fields.items()} if error else {}
    return services.renderer.page(
        request,
        'pages/provider.html',
        status=error.status if error else 200,
        standing=provider_view(provider, services.providers) if provider else None,
        fields=fields,
        wrong=wrong,
        dialects=list(Dialect),
        most_at_once=MOST_AT_ONCE,
        most_timeout_s=MOST_TIMEOUT_S,
    )


def _shown(row: ProviderRow) -> dict[str, str]:
    fields = {name: str(value) for name, value in asdict(row).items()}
    switches = {name: 'on' if getattr(row, name) else 'off' for name in SWITCHES}
    return fields | switches | {'timeout_s': f'{row.timeout_s:g}'}

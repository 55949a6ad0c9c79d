"""The pages of image servers in Settings: add, change, test and remove one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated
from urllib.parse import urljoin

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.providers import ProviderRow
from app.errors import N_, AppError, InvalidRequest, NotFound
from app.models.request import GenerationRequest
from app.providers.core.base import Dialect
from app.providers.monitor import MonitoredProvider
from app.web.context import Services, TheServices
from app.web.error_pages import failure_json, fields_in_words
from app.web.forms import choice_in, form_fields, form_pairs
from app.web.templates import say_saved, wants_fragment, wants_json
from app.web.views.provider_form import MOST_AT_ONCE, MOST_TIMEOUT_S, NEW, SWITCHES, draft_of
from app.web.views.providers import (
    PAGE,
    key_of,
    offers_json,
    offers_of,
    provider_json,
    provider_view,
    provider_views,
)

LIST = '/settings#servers'
SECRET_FIELDS = ('key', 'headers')
TEST_PROMPT = 'A paper boat on calm water, simple'
USER_IN_ADDRESS = re.compile(r'(?<=//)[^/?#]*@|^[^/?#]*@')  # may hold a password
BACK = ('/', LIST)  # where a button that adds what was found leads
MOVES = {'up': -1, 'down': 1}


async def provider_in(request: Request, services: TheServices) -> MonitoredProvider:
    """Find the provider of an address, with or without `.json` behind it; raise `NotFound`."""
    return _provider(services, str(request.path_params['id']).removesuffix('.json'))


def _provider(services: Services, key: str) -> MonitoredProvider:
    for provider in services.providers.all():
        if key == key_of(provider.settings):
            return provider
    raise NotFound(N_('Server not found.'))


TheProvider = Annotated[MonitoredProvider, Depends(provider_in)]


async def row_in(services: TheServices, provider: TheProvider) -> ProviderRow:
    """Read the provider's row; raise `InvalidRequest` if it comes from the environment."""
    for row in await services.library.providers.all():
        if row.id == provider.settings.id:
            return row
    raise InvalidRequest(N_('This server is set by environment variables. Change it there.'))


TheRow = Annotated[ProviderRow, Depends(row_in)]


async def find_servers(request: Request, services: TheServices) -> Response:
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
    listed = [provider_json(one) for one in provider_views(services.providers)]
    return JSONResponse({'providers': listed})


async def new_page(request: Request, services: TheServices) -> Response:
    """Show an empty form; the query may hold name and address."""
    typed = {name: request.query_params.get(name, '')[:2_000] for name in ('name', 'base_url')}
    return _form_page(request, services, _fields_of(NEW) | typed)


async def add(request: Request, services: TheServices) -> Response:
    """Add a provider and test it, or show the form again with what is wrong."""
    pairs = await form_pairs(request)
    fields = dict(pairs)
    try:
        draft = draft_of(pairs).checked()
        provider_id = await services.provider_settings.add(draft.row, draft.secrets)
    except InvalidRequest as error:
        return _form_page(request, services, _fields_of(NEW) | fields, error=error)
    await _provider(services, str(provider_id)).test()
    back = fields.get('back', '')
    to = back if back in BACK else ''
    return await _after_act(request, services, str(provider_id), to, status=201)


async def provider_page(request: Request, services: TheServices, provider: TheProvider) -> Response:
    """Show one provider: a form, or what the environment sets; JSON by its `.json` address."""
    view = provider_view(provider, services.providers)
    if wants_json(request):
        return JSONResponse(provider_json(view))
    fields = {} if view.is_fixed else _fields_of(await row_in(services, provider))
    return _form_page(request, services, fields, provider)


async def change(
    request: Request, services: TheServices, provider: TheProvider, row: TheRow
) -> Response:
    """Change a provider; fields that were not sent stay as they are, the key among them."""
    pairs, settings = await form_pairs(request), services.provider_settings
    try:
        draft = draft_of(pairs, row, settings.secrets_of(row)).checked()
        await settings.change(draft.row, draft.secrets)
    except InvalidRequest as error:
        return _form_page(request, services, _fields_of(row) | dict(pairs), provider, error)
    key = key_of(provider.settings)
    if draft.row.enabled:
        await _provider(services, key).test()
    response = await _after_act(request, services, key)
    return say_saved(request, response) if response.status_code == 303 else response


async def delete(request: Request, services: TheServices, row: TheRow) -> Response:
    await services.provider_settings.remove(row.id or 0)
    services.worker.look_again()
    if wants_json(request):
        return JSONResponse({'deleted': True})
    return RedirectResponse(LIST, 303)


async def move(request: Request, services: TheServices, row: TheRow) -> Response:
    """Move a provider up or down; raise `InvalidRequest` for another direction."""
    places = choice_in(await form_fields(request), 'by', MOVES)
    await services.provider_settings.move(row.id or 0, places)
    return await list_providers(services) if wants_json(request) else RedirectResponse(LIST, 303)


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
    return await _after_act(request, services, key_of(provider.settings), '#test')


async def forget(request: Request, services: TheServices, provider: TheProvider) -> Response:
    await services.providers.memory.forget(provider.settings.base_url)
    return await _after_act(request, services, key_of(provider.settings), '#learned')


async def _after_act(
    request: Request, services: Services, key: str, to: str = '', *, status: int = 200
) -> Response:
    """Return the provider as it is now: as JSON, as a fragment, or by a redirect to its page.

    `to` is where else the redirect leads, as seen from that page.
    """
    services.worker.look_again()
    view = next(one for one in provider_views(services.providers) if one.key == key)
    if wants_json(request):
        return JSONResponse(provider_json(view), status)
    if wants_fragment(request):
        return services.renderer.page(request, 'provider/status.html', status=status, server=view)
    return RedirectResponse(urljoin(f'{PAGE}/{key}', to), 303)


def _form_page(
    request: Request,
    services: Services,
    fields: Mapping[str, str],
    provider: MonitoredProvider | None = None,
    error: AppError | None = None,
) -> Response:
    """Show the form, after an error without secrets; raise the error where a program asks."""
    if error and wants_json(request):
        raise error
    if error and wants_fragment(request):
        failure = failure_json(error, services.language(request))
        return JSONResponse({'error': failure}, error.status)
    if error:
        fields = {name: value for name, value in fields.items() if name not in SECRET_FIELDS}
        fields['base_url'] = USER_IN_ADDRESS.sub('', fields['base_url'])
    return services.renderer.page(
        request,
        'pages/provider.html',
        status=error.status if error else 200,
        server=provider_view(provider, services.providers) if provider else None,
        fields=fields,
        wrong=fields_in_words(error, services.language(request)),
        dialects=list(Dialect),
        most_at_once=MOST_AT_ONCE,
        most_timeout_s=MOST_TIMEOUT_S,
    )


def _fields_of(row: ProviderRow) -> dict[str, str]:
    fields = {name: str(value) for name, value in asdict(row).items()}
    switches = {name: 'on' if getattr(row, name) else 'off' for name in SWITCHES}
    return fields | switches | {'timeout_s': f'{row.timeout_s:g}'}

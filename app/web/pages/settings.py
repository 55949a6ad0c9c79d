"""A visitor's own settings, and what the operator set, to look at."""

from __future__ import annotations

import shutil
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app import __version__
from app.errors import N_, InvalidRequest
from app.messages import LANGUAGES
from app.web.context import Services, services_of
from app.web.forms import form_fields
from app.web.security.permissions import visitor_of
from app.web.templates import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    language_of,
    theme_of,
    wants_json,
)
from app.web.views.found_servers import offers_json, offers_of
from app.web.views.provider_status import provider_json, provider_views

TheServices = Annotated[Services, Depends(services_of)]

COOKIE_S = 400 * 24 * 3600


async def settings_page(request: Request, services: TheServices) -> Response:
    """Show language and theme, the provider, and where everything is kept."""
    own = {'language': language_of(request), 'theme': theme_of(request)}
    if not visitor_of(request).owner:
        return _guests_page(request, services, own)
    everything = await services.library.images.facets('all')
    shown = {
        'version': __version__,
        'data': str(services.config.data),
        'images': everything[0].images if everything else 0,
        'free_bytes': shutil.disk_usage(services.config.data).free,
    }
    if wants_json(request):
        configured = {
            'api_url': services.config.api_url,
            'api_model': services.config.api_model,
            'timeout_s': services.config.timeout_s,
            'providers': [provider_json(one) for one in provider_views(services.providers)],
        }
        return JSONResponse(shown | configured | offers_json(services) | own)
    return services.renderer.page(
        request,
        'pages/settings.html',
        shown=shown,
        standings=provider_views(services.providers),
        stepped_aside=services.providers.environment
        if services.providers.guess_stepped_aside
        else None,
        offers=offers_of(services),
        local_servers=services.local_servers,
        admission=services.admission,
        chosen_language=request.cookies.get(LANGUAGE_COOKIE, ''),
    )


def _guests_page(request: Request, services: Services, own: dict[str, str]) -> Response:
    """Show a guest what is theirs: how the pages look to them."""
    if wants_json(request):
        return JSONResponse(own)
    return services.renderer.page(
        request, 'pages/settings.html', chosen_language=request.cookies.get(LANGUAGE_COOKIE, '')
    )


async def change_settings(request: Request) -> Response:
    """Keep a visitor's language and theme in their browser.

    Raises:
        InvalidRequest: There is no such language or theme.
    """
    fields = await form_fields(request)
    response = RedirectResponse('/settings', 303)
    over_tls = request.scope['scheme'] == 'https'
    allowed = {'language': (LANGUAGE_COOKIE, LANGUAGES), 'theme': (THEME_COOKIE, THEMES)}
    for field, (cookie, values) in allowed.items():
        value = fields.get(field, '')
        if value in values:
            response.set_cookie(
                cookie, value, COOKIE_S, secure=over_tls, samesite='lax', httponly=True
            )
        elif value:
            raise InvalidRequest(N_('“{value}” can not be chosen here.'), value=value[:40])
        elif field in fields:
            response.delete_cookie(cookie)
    return response


async def health() -> Response:
    """Say that the server is up; asks for no password."""
    return JSONResponse({'status': 'ok', 'version': __version__})

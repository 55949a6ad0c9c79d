"""A visitor's own settings, and what the operator set, to look at."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app import __version__
from app.messages import LANGUAGES
from app.storage.store import free_bytes
from app.web.context import TheServices
from app.web.forms import choice_in, form_fields
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

COOKIE_S = 400 * 24 * 3600
CHOICES = {
    'language': (LANGUAGE_COOKIE, {code: code for code in LANGUAGES}),
    'theme': (THEME_COOKIE, {theme: theme for theme in THEMES}),
}


async def settings_page(request: Request, services: TheServices) -> Response:
    """Show language and theme; the owner also the providers, and where everything is kept."""
    own = {'language': language_of(request), 'theme': theme_of(request)}
    chosen_language = request.cookies.get(LANGUAGE_COOKIE, '')
    if not visitor_of(request).owner:
        if wants_json(request):
            return JSONResponse(own)
        return services.renderer.page(
            request, 'pages/settings.html', chosen_language=chosen_language
        )
    config, providers = services.config, services.providers
    everything = await services.library.images.facets('all')
    shown = {
        'version': __version__,
        'data': str(config.data),
        'images': everything[0].images if everything else 0,
        'free_bytes': free_bytes(config.data),
    }
    if wants_json(request):
        configured = {
            'api_url': config.api_url,
            'api_model': config.api_model,
            'timeout_s': config.timeout_s,
            'providers': [provider_json(one) for one in provider_views(providers)],
        }
        return JSONResponse(shown | configured | offers_json(services) | own)
    return services.renderer.page(
        request,
        'pages/settings.html',
        shown=shown,
        servers=provider_views(providers),
        unused_default=providers.environment if providers.guess_stepped_aside else None,
        offers=offers_of(services),
        local_servers=services.local_servers,
        sharing=services.sharing,
        chosen_language=chosen_language,
    )


async def change_settings(request: Request) -> Response:
    """Keep a visitor's language and theme in their browser; raise `InvalidRequest`."""
    fields = await form_fields(request)
    response = RedirectResponse('/settings', 303)
    over_tls = request.scope['scheme'] == 'https'
    for field, (cookie, values) in CHOICES.items():
        if fields.get(field):
            value = choice_in(fields, field, values)
            response.set_cookie(
                cookie, value, COOKIE_S, secure=over_tls, samesite='lax', httponly=True
            )
        elif field in fields:
            response.delete_cookie(cookie)
    return response


async def health() -> Response:
    """Return that the server is up; asks for no password."""
    return JSONResponse({'status': 'ok', 'version': __version__})

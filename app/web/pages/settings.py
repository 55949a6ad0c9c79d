"""A visitor's own settings, what the operator set, and Easel as an app of its own."""

from __future__ import annotations

import shutil

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app import __version__
from app.database.gallery.filters import Filter
from app.database.spending import Spent
from app.errors import N_
from app.messages import LANGUAGES
from app.net.urls import without_secrets
from app.web.context import Services, TheServices
from app.web.forms import choice_in, form_fields
from app.web.security.headers import PAGE_POLICY
from app.web.security.permissions import visitor_of
from app.web.templates import (
    CANVAS,
    LANGUAGE_COOKIE,
    NOTE_COOKIE,
    THEME_COOKIE,
    THEMES,
    keep_choice,
    language_of,
    say_saved,
    theme_of,
    wants_json,
)
from app.web.views.downloads import DOWNLOAD_COOKIE, PLAIN, wants_plain
from app.web.views.keeping import readable
from app.web.views.providers import offers_json, offers_of, provider_json, provider_views
from app.web.views.spending import by_month, spending_json, spending_of

CHOICES = {
    'language': (LANGUAGE_COOKIE, {code: code for code in LANGUAGES}),
    'theme': (THEME_COOKIE, {theme: theme for theme in THEMES}),
    'download': (DOWNLOAD_COOKIE, {PLAIN: PLAIN}),
    'note': (NOTE_COOKIE, {'closed': 'closed'}),
}
# Only this page may load a manifest: everywhere else `default-src 'none'` refuses one.
INSTALL_POLICY = f"{PAGE_POLICY}; manifest-src 'self'"
ICONS = (
    ('icon-192.png', '192x192', 'any'),
    ('icon-512.png', '512x512', 'any'),
    ('icon-512-maskable.png', '512x512', 'maskable'),
)


async def settings_page(request: Request, services: TheServices) -> Response:
    """Show language and theme; the owner also the providers, and where everything is kept."""
    spent = await spending_of(services, visitor_of(request))
    own = _own_settings(request, spent)
    chosen_language, spending = request.cookies.get(LANGUAGE_COOKIE, ''), by_month(spent)
    if not visitor_of(request).owner:
        if wants_json(request):
            return JSONResponse(own)
        return services.renderer.page(
            request,
            'pages/settings.html',
            chosen_language=chosen_language,
            is_plain=wants_plain(request),
            spending=spending,
        )
    config, providers = services.config, services.providers
    shown = await _what_is_kept(services)
    if wants_json(request):
        configured = {
            'api_url': without_secrets(config.api_url),
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
        unused_default=None if providers.environment in providers.all() else providers.environment,
        offers=offers_of(services),
        local_servers=services.local_servers,
        sharing=services.sharing,
        wrong={},
        chosen_language=chosen_language,
        is_plain=wants_plain(request),
        spending=spending,
    )


def _own_settings(request: Request, spent: tuple[Spent, ...]) -> dict[str, object]:
    """Return what this visitor chose, and what was spent for them."""
    own: dict[str, object] = {
        'language': language_of(request),
        'theme': theme_of(request),
        'downloads_with_settings': not wants_plain(request),
    }
    if spent or visitor_of(request).owner:
        own['spending'] = spending_json(spent)
    return own


async def _what_is_kept(services: Services) -> dict[str, object]:
    data = services.config.data
    return {
        'version': __version__,
        'data': readable(str(data)),
        'images': await services.library.counters.total(Filter()),
        'free_bytes': shutil.disk_usage(data).free,
    }


async def change_settings(request: Request) -> Response:
    """Keep a visitor's own choices in their browser; raise `InvalidRequest`."""
    fields = await form_fields(request)
    is_note = fields.get('back') == '/'
    response: Response = RedirectResponse('/' if is_note else '/settings', 303)
    for field, (cookie, values) in CHOICES.items():
        if fields.get(field):
            keep_choice(request, response, cookie, choice_in(fields, field, values))
        elif field in fields:
            response.delete_cookie(cookie)
    return response if is_note else say_saved(request, response)


async def install_page(request: Request, services: TheServices) -> Response:
    """Show how each browser makes an app of Easel; its JSON twin is the manifest."""
    if wants_json(request):
        return JSONResponse(_manifest(request, services))
    page = services.renderer.page(request, 'pages/install.html')
    page.headers['Content-Security-Policy'] = INSTALL_POLICY
    return page


async def manifest(request: Request, services: TheServices) -> Response:
    """Return the manifest, without asking for a password: it says no more than the sign-in."""
    return JSONResponse(_manifest(request, services), media_type='application/manifest+json')


def _manifest(request: Request, services: Services) -> dict[str, object]:
    """Describe the app in the visitor's language and colours."""
    language, home = services.language(request), services.root.address('/')
    colour = CANVAS['dark' if theme_of(request) == 'dark' else 'light']
    return {
        'id': home,
        'name': 'Easel',
        'short_name': 'Easel',
        'description': language.translate(N_('Pictures from your own image server')),
        'lang': language.code,
        'start_url': home,
        'scope': home,
        'display': 'standalone',
        'theme_color': colour,
        'background_color': colour,
        'icons': [
            {
                'src': services.root.address(services.renderer.static.address(file)),
                'type': 'image/png',
                'sizes': sizes,
                'purpose': purpose,
            }
            for file, sizes, purpose in ICONS
        ],
    }


async def health() -> Response:
    """Return that the server is up; asks for no password."""
    return JSONResponse({'status': 'ok', 'version': __version__})

"""Easel as an app of its own: the manifest, and the one page that names it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import N_
from app.web.context import Services, TheServices
from app.web.security.guard import PAGE_POLICY
from app.web.templates import CANVAS, theme_of, wants_json

# Only this page may load a manifest: everywhere else `default-src 'none'` refuses one.
POLICY = f"{PAGE_POLICY}; manifest-src 'self'"
NAME = 'Easel'
ICONS = (
    ('icon-192.png', '192x192', 'any'),
    ('icon-512.png', '512x512', 'any'),
    ('icon-512-maskable.png', '512x512', 'maskable'),
)


async def install_page(request: Request, services: TheServices) -> Response:
    """Show how each browser makes an app of Easel; its JSON twin is the manifest."""
    if wants_json(request):
        return JSONResponse(_manifest(request, services))
    page = services.renderer.page(request, 'pages/install.html')
    page.headers['Content-Security-Policy'] = POLICY
    return page


async def manifest(request: Request, services: TheServices) -> Response:
    """Return the manifest, without asking for a password: it says no more than the sign-in."""
    return JSONResponse(
        _manifest(request, services),
        headers={'Cache-Control': 'no-store'},
        media_type='application/manifest+json',
    )


def _manifest(request: Request, services: Services) -> dict[str, object]:
    """Describe the app in the visitor's language and colours."""
    language, home = services.language(request), services.root.address('/')
    colour = CANVAS['dark' if theme_of(request) == 'dark' else 'light']
    return {
        'id': home,
        'name': NAME,
        'short_name': NAME,
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

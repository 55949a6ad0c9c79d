"""Easel as an app of its own: the manifest, and the one page that names it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import N_
from app.web.context import Services, services_of
from app.web.security.guard import PAGE_POLICY
from app.web.templates import CANVAS, language_of, theme_of, wants_json

TheServices = Annotated[Services, Depends(services_of)]

# Only this page may load a manifest: everywhere else `default-src 'none'` refuses one.
POLICY = f"{PAGE_POLICY}; manifest-src 'self'"
NAME = 'Easel'
ICONS = (
    ('icon-192.png', '192x192', 'any'),
    ('icon-512.png', '512x512', 'any'),
    ('icon-512-maskable.png', '512x512', 'maskable'),
)


async def install_page(request: Request, services: TheServices) -> Response:
    """Tell how each browser makes an app of Easel; its JSON twin is the manifest."""
    if wants_json(request):
        return JSONResponse(_manifest(request, services))
    page = services.renderer.page(request, 'pages/install.html')
    page.headers['Content-Security-Policy'] = POLICY
    return page


async def manifest(request: Request, services: TheServices) -> Response:
    """Serve the manifest, which asks for no password: it says nothing that the sign-in does not."""
    return JSONResponse(
        _manifest(request, services),
        headers={'Cache-Control': 'no-store'},
        media_type='application/manifest+json',
    )


def _manifest(request: Request, services: Services) -> dict[str, object]:
    """Describe the app in the visitor's language and colours."""
    colour = CANVAS['dark' if theme_of(request) == 'dark' else 'light']
    return {
        'id': services.root.address('/'),
        'name': NAME,
        'short_name': NAME,
        'description': services.language(request).translate(
            N_('Pictures from your own image server')
        ),
        'lang': language_of(request),
        'start_url': services.root.address('/'),
        'scope': services.root.address('/'),
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

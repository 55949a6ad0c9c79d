"""What was asked of a provider: each call of a generation, and partial pictures."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import N_, NotFound
from app.web.context import TheServices
from app.web.security.permissions import OwnGeneration, check_own, visitor_of
from app.web.templates import wants_json
from app.web.views.serializers import attempt_json

PREVIEW_POLICY = "default-src 'none'; sandbox"

_PREVIEW = re.compile(r'(\d{1,18})-(\d{1,3})-(\d{1,18})\.webp')


async def attempts_page(
    request: Request, services: TheServices, generation: OwnGeneration
) -> Response:
    attempts = [attempt_json(one) for one in await services.library.calls.of(generation.id)]
    if wants_json(request):
        return JSONResponse({'attempts': attempts})
    return services.renderer.page(
        request, 'pages/attempts.html', generation=generation, attempts=attempts
    )


async def preview(request: Request, services: TheServices) -> Response:
    """Return a partial picture, as the decoder child wrote it.

    Raises:
        NotFound: There is none, a newer one has taken its place, or it is somebody else's.
    """
    match = _PREVIEW.fullmatch(str(request.path_params['name']))
    shown = services.previews.of(int(match[1])).get(int(match[2])) if match else None
    if match is None or shown is None or shown.serial != int(match[3]):
        raise NotFound(N_('There is no such picture.'))
    if visitor_of(request).guest:
        check_own(request, await services.library.generations.one(int(match[1])))
    headers = {'Content-Security-Policy': PREVIEW_POLICY, 'Cache-Control': 'no-store'}
    return Response(shown.webp, media_type='image/webp', headers=headers)

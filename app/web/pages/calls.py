"""What was asked of a provider and what it said: each call of a generation; partial pictures."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import N_, NotFound
from app.web.context import Services, services_of
from app.web.forms import id_in
from app.web.security.permissions import refuse_others, visitor_of
from app.web.templates import wants_json
from app.web.views.serializers import attempt_json

TheServices = Annotated[Services, Depends(services_of)]
TheId = Annotated[int, Depends(id_in)]

PREVIEW_POLICY = "default-src 'none'; sandbox"

_PREVIEW = re.compile(r'(\d{1,18})-(\d{1,3})-(\d{1,18})\.webp')


async def attempts_page(request: Request, services: TheServices, generation_id: TheId) -> Response:
    """Show every call of a generation: its request, its answer, its time."""
    generation = await services.library.generations.one(generation_id)
    attempts = await services.library.calls.of(generation.id)
    if wants_json(request):
        return JSONResponse({'attempts': [attempt_json(attempt) for attempt in attempts]})
    return services.renderer.page(
        request,
        'pages/attempts.html',
        generation=generation,
        attempts=[attempt_json(attempt) for attempt in attempts],
    )


async def preview(request: Request, services: TheServices) -> Response:
    """Give a partial picture, as the decoder child wrote it.

    Raises:
        NotFound: There is none, a newer one has taken its place, or it is somebody else's.
    """
    match = _PREVIEW.fullmatch(str(request.path_params['name']))
    shown = services.previews.of(int(match[1])).get(int(match[2])) if match else None
    if match is None or shown is None or shown.serial != int(match[3]):
        raise NotFound(N_('There is no such picture.'))
    if visitor_of(request).guest:
        refuse_others(request, await services.library.generations.one(int(match[1])))
    headers = {'Content-Security-Policy': PREVIEW_POLICY, 'Cache-Control': 'no-store'}
    return Response(shown.webp, media_type='image/webp', headers=headers)

"""The editor of masks: a script asks for it when somebody opens it, so no page carries it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.web.context import TheServices


async def mask_editor(request: Request, services: TheServices) -> Response:
    return services.renderer.page(request, 'mask/editor.html')

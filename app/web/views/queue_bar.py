"""The bar of the queue: how much waits or failed, and what can be done with all of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.web.context import Services
from app.web.security.permissions import visitor_of
from app.web.templates import wants_fragment, wants_json


async def show_queue(request: Request, services: Services) -> Response:
    """Return the bar to a script, its numbers to a program; lead a browser to the Create page."""
    backlog = await services.library.backlog.counts(visitor_of(request).guest_id)
    if wants_json(request):
        numbers = {'waiting': backlog.waiting, 'failed': backlog.failed}
        numbers |= {'retryable': backlog.retryable, 'paused': backlog.paused or backlog.held}
        return JSONResponse(numbers)
    if wants_fragment(request):
        return services.renderer.page(request, 'generation/queue_bar.html', backlog=backlog)
    return RedirectResponse('/', 303)

"""The owner's page about storage: what it takes, whether it is whole, and backups of it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.errors import InvalidRequest, StorageFailed
from app.gallery.trash import KEPT_DAYS
from app.log import logger
from app.maintenance.background import Stopped
from app.maintenance.nightly import LAST_HOUR, MOST_KEPT, NightlySettings
from app.web.context import Services, TheServices
from app.web.error_pages import fields_in_words
from app.web.forms import form_fields
from app.web.security.permissions import check_same_site
from app.web.templates import say_saved, wants_fragment, wants_json
from app.web.views.keeping import (
    disk_use_json,
    disk_use_of,
    nightly_json,
    readable,
    verification_json,
    why_failed,
)
from app.web.views.notices import notices_of

log = logger(__name__)

PAGE = '/settings/keeping'
LONGEST_PATH = 4_000


async def keeping_page(request: Request, services: TheServices) -> Response:
    """Show everything; as a fragment, how far the verification is."""
    if wants_fragment(request):
        return _verification(request, services)
    return await _page(request, services, services.maintenance.nightly.settings)


async def verify(request: Request, services: TheServices) -> Response:
    """Begin to compare every picture with its row, unless that is under way."""
    services.maintenance.verifier.start()
    return _verification(request, services)


async def stop_verifying(request: Request, services: TheServices) -> Response:
    services.maintenance.verifier.cancel()
    return _verification(request, services)


async def bring_back(services: TheServices) -> Response:
    """Begin to write rows for the pictures that the gallery does not know."""
    services.recovery.pictures.bring_back()
    return RedirectResponse('/gallery', 303)


async def download_backup(request: Request, services: TheServices) -> Response:
    """Send a backup as it is made. Raises `Conflict` while another one is sent."""
    check_same_site(request)
    log.info('a backup is downloaded')
    return _Download(await services.maintenance.backup())


async def change_nightly(request: Request, services: TheServices) -> Response:
    """Save when and where backups go by themselves."""
    settings = _settings_in(await form_fields(request))
    try:
        await services.maintenance.nightly.change(settings)
    except InvalidRequest as error:
        if wants_json(request):
            raise
        return await _page(request, services, settings, error)
    return say_saved(request, RedirectResponse(f'{PAGE}#nightly', 303))


async def close_notice(request: Request, services: TheServices) -> Response:
    """Leave out a notice that would last until the next start, for everybody."""
    closed = (await form_fields(request)).get('notice', '')
    shown = {str(notice) for notice in notices_of(services) if notice.is_closable}
    services.closed_notices.update(shown & {closed})
    services.changes.announce_notices()
    return Response(status_code=204) if wants_fragment(request) else RedirectResponse('/', 303)


class _Download(StreamingResponse):
    """A tar that is made while it is sent, and given up when the visitor leaves."""

    def __init__(self, blocks: AsyncGenerator[bytes, None]) -> None:
        name = time.strftime('easel-%Y%m%d-%H%M%S.tar')
        headers = {
            'Cache-Control': 'no-store',
            'Content-Disposition': f'attachment; filename="{name}"',
        }
        super().__init__(blocks, headers=headers, media_type='application/x-tar')
        self._blocks = blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the connection breaks off with it, so that nobody takes it for whole."""
        async with aclosing(self._blocks):
            try:
                await super().__call__(scope, receive, send)
            except (Stopped, StorageFailed) as error:
                log.warning('a backup was not sent to its end: %s', str(error) or 'Easel is ending')


def _verification(request: Request, services: Services) -> Response:
    if not wants_fragment(request):
        return RedirectResponse(f'{PAGE}#verification', 303)
    last = services.maintenance.verifier.last
    return services.renderer.page(request, 'keeping/verification.html', verification=last)


async def _page(
    request: Request,
    services: Services,
    nightly: NightlySettings,
    error: InvalidRequest | None = None,
) -> Response:
    use, language = await disk_use_of(services), services.language(request)
    verification, last = services.maintenance.verifier.last, nightly.last
    if wants_json(request):
        return JSONResponse(
            {
                'data': readable(str(services.config.data)),
                **disk_use_json(use),
                'verification': verification_json(verification, language),
                'nightly': nightly_json(nightly, language),
            }
        )
    return services.renderer.page(
        request,
        'pages/keeping.html',
        status=error.status if error else 200,
        data=readable(str(services.config.data)),
        use=use,
        verification=verification,
        nightly=nightly,
        last=services.maintenance.nightly.settings.last,
        why=why_failed(last, language) if last else '',
        wrong=fields_in_words(error, language),
        empties_itself=await services.trash.empties_itself(),
        kept_days=KEPT_DAYS,
        clock=time.strftime('%H:%M'),
        last_hour=LAST_HOUR,
        most_kept=MOST_KEPT,
    )


def _settings_in(fields: Mapping[str, str]) -> NightlySettings:
    """Read the form; a number that is none is one that is refused."""
    return NightlySettings(
        enabled='enabled' in fields,
        folder=fields.get('folder', '').strip()[:LONGEST_PATH],
        hour=_whole(fields.get('hour', '')),
        keep=_whole(fields.get('keep', '')),
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1

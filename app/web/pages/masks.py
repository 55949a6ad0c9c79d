"""The kept masks, as pictures: white is what may change."""

from __future__ import annotations

import asyncio
import os

from starlette.requests import Request
from starlette.responses import Response

from app.errors import N_, NotFound
from app.models.request import DIGEST
from app.storage.inventory import open_kept
from app.storage.metadata.mime import PNG
from app.web.context import Services, TheServices
from app.web.delivery.files import FILE_POLICY, FOREVER
from app.web.security.permissions import sees_mask, visitor_of


async def mask_file(request: Request, services: TheServices) -> Response:
    """Serve a mask to those who sent it, or see a picture that came of it."""
    digest, _, extension = str(request.path_params['name']).partition('.')
    is_name = DIGEST.fullmatch(digest) and extension == 'png'
    if not is_name or not await sees_mask(visitor_of(request), services, digest):
        raise NotFound(N_('Mask not found.'))
    try:
        content = await asyncio.to_thread(_read, services, digest)
    except FileNotFoundError as error:
        raise NotFound(N_('Mask not found.')) from error
    headers = {'cache-control': FOREVER, 'content-security-policy': FILE_POLICY}
    return Response(content, headers=headers, media_type=PNG)


def _read(services: Services, digest: str) -> bytes:
    with os.fdopen(open_kept(services.config.data, services.store.mask(digest)), 'rb') as file:
        return file.read()

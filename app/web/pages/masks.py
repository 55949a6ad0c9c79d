"""The kept masks, as pictures: white is what may change."""

from __future__ import annotations

import asyncio
import os

from starlette.requests import Request
from starlette.responses import Response

from app.access.visitors import Visitor
from app.errors import N_, NotFound
from app.models.request import DIGEST
from app.storage.inventory import open_kept
from app.storage.metadata.mime import PNG
from app.web.context import Services, TheServices
from app.web.delivery.files import FILE_POLICY, FOREVER
from app.web.security.permissions import seen_of, visitor_of

MOST_LOOKED_AT = 100  # pictures that were made with one mask


async def mask_file(request: Request, services: TheServices) -> Response:
    """Serve a mask to those who sent it, or see a picture that came of it."""
    digest, _, extension = str(request.path_params['name']).partition('.')
    is_name = DIGEST.fullmatch(digest) and extension == 'png'
    if not is_name or not await _sees(visitor_of(request), services, digest):
        raise NotFound(N_('Mask not found.'))
    try:
        content = await asyncio.to_thread(_read, services, digest)
    except FileNotFoundError as error:
        raise NotFound(N_('Mask not found.')) from error
    headers = {'cache-control': FOREVER, 'content-security-policy': FILE_POLICY}
    return Response(content, headers=headers, media_type=PNG)


async def _sees(visitor: Visitor, services: Services, digest: str) -> bool:
    askers = await services.library.masks.askers(digest)
    is_new = visitor.makes and not askers  # its form was refused, and named it to its sender alone
    if visitor.owner or is_new or visitor.guest_id in askers:
        return True
    ids = await services.library.masks.images_with(digest, MOST_LOOKED_AT)
    return bool(await seen_of(visitor, services, await services.library.images.some(ids)))


def _read(services: Services, digest: str) -> bytes:
    with os.fdopen(open_kept(services.config.data, services.store.mask(digest)), 'rb') as file:
        return file.read()

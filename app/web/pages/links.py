"""One picture for whoever has its link: no forms, no cookies, nothing but the picture."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.access.guests import hash_of
from app.errors import N_, NotFound
from app.models import Image
from app.web.context import Services, services_of
from app.web.security.permissions import refuse_guessing
from app.web.views.stripped_picture import BareFile, open_bare

router = APIRouter()
TheServices = Annotated[Services, Depends(services_of)]

BLOCK_BYTES = 256 * 1024
FILE_POLICY = "default-src 'none'; sandbox"
HEADERS = {
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex, nofollow',
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a link shows.

    Attributes:
        prompt: Empty where the owner did not want it told.
    """

    image: Image
    prompt: str


async def shown_by(request: Request, services: TheServices) -> Shown:
    """Find what a link shows.

    Raises:
        TooManyGuesses: Wait first.
        NotFound: Unknown, expired, revoked, deleted: nobody is told which.
    """
    refuse_guessing(request, services.knocks)
    token = hash_of(str(request.path_params['token']))
    row = await services.library.shown.by_hash(token, time.time())
    if row is None:
        raise nowhere()
    image = await services.library.images.one(row.image_id)
    return Shown(image, image.prompt if row.tells_prompt else '')


TheShown = Annotated[Shown, Depends(shown_by)]


def nowhere() -> NotFound:
    """Say the one thing that is said of every link that shows nothing."""
    return NotFound(N_('This link leads nowhere, or does not any more.'))


@router.get('/shared/{token}')
async def shown_page(request: Request, services: TheServices, shown: TheShown) -> Response:
    """Show the picture."""
    (await _open(services, shown)).opened.close()
    address = f'/shared/{request.path_params["token"]}/picture.{shown.image.extension}'
    page = services.renderer.page(request, 'pages/shared.html', shown=shown, address=address)
    page.headers.update(HEADERS)
    return page


@router.get('/shared/{token}/{name}')
async def shown_file(request: Request, services: TheServices, shown: TheShown) -> Response:
    """Give the picture itself, without anything that is written in its file."""
    name = f'picture.{shown.image.extension}'
    if request.path_params['name'] != name:
        raise nowhere()
    bare = await _open(services, shown)
    headers = {
        **HEADERS,
        'Content-Disposition': f'inline; filename="{name}"',
        'Content-Length': str(bare.size_bytes),
        'Content-Security-Policy': FILE_POLICY,
    }
    if bare.size_bytes <= BLOCK_BYTES:
        content = await asyncio.to_thread(lambda: b''.join(bare.blocks()))
        return Response(content, headers=headers, media_type=shown.image.mime)
    return StreamingResponse(bare.blocks(), headers=headers, media_type=shown.image.mime)


async def _open(services: Services, shown: Shown) -> BareFile:
    bare = await asyncio.to_thread(open_bare, services, shown.image)
    if bare is None:
        raise nowhere()
    return bare

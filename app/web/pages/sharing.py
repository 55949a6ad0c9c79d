"""The Share page: whether the network is let in, guests and their links, links to one picture."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.access.guests import Guests, hash_of, new_token
from app.access.sharing import Source
from app.database.links import GuestRow, ShownRow
from app.errors import N_, Conflict, InvalidRequest
from app.log import logger
from app.models import Image
from app.net.lan import origins
from app.web.context import Services, TheServices
from app.web.delivery.stripped import open_stripped
from app.web.forms import LIFETIMES, TheId, choice_in, form_fields, lifetime_in
from app.web.security.permissions import OwnImage, check_still_owner, set_session_cookie, visitor_of
from app.web.templates import host_of, wants_json
from app.web.views.qr_code import qr_code_of

log = logger(__name__)

PAGE = '/share'
LONGEST_NAME = 60
OWN_NAMES = ('localhost', '127.0.0.1', '[::1]')
SHOWN_FIELDS = ('id', 'image_id', 'tells_prompt', 'created_at', 'expires_at')


async def share_page(request: Request, services: TheServices) -> Response:
    """Show how others come in, and who was given a link."""
    sharing, guests = services.sharing, services.guests
    shown = await services.library.shown.all()
    addresses = await _own_addresses(request, services)
    password = sharing.password
    if wants_json(request):
        fields = {
            'shared': sharing.is_shared,
            'addresses': addresses,
            'password': password.source if password else None,
            'guests': [_guest_json(row, guests) for row in guests.all()],
            'pictures': [{name: getattr(row, name) for name in SHOWN_FIELDS} for row in shown],
        }
        return JSONResponse(fields)
    return services.renderer.page(
        request,
        'pages/sharing.html',
        sharing=sharing,
        password=password.kept if password and password.source is Source.MADE else '',
        addresses=addresses,
        code=qr_code_of(f'{addresses[0]}/') if addresses and sharing.is_shared else None,
        guests=[(row, guests.is_valid(row)) for row in guests.all()],
        albums=services.albums,
        pictures=[(row, await services.library.images.one(row.image_id)) for row in shown],
        lifetimes=LIFETIMES,
        now=time.time(),
    )


def _guest_json(row: GuestRow, guests: Guests) -> dict[str, object]:
    return {
        'id': row.id,
        'name': row.name,
        'may_create': row.makes,
        'may_see_all': row.sees_all,
        'album': row.album,
        'valid': guests.is_valid(row),
        'created_at': row.created_at,
        'expires_at': row.expires_at,
    }


async def switch(request: Request, services: TheServices) -> Response:
    """Let the network in, or this machine alone; raise `Conflict` if that cannot be."""
    fields = await form_fields(request)
    change = choice_in(
        fields, 'sharing', {'on': services.sharing.share, 'off': services.sharing.withdraw}
    )
    async with services.sharing.lock:
        check_still_owner(request, services)
        await change()
    services.changes.doubt()
    log.info('%s turned sharing %s', visitor_of(request).address, fields['sharing'])
    response = RedirectResponse(PAGE, 303)
    if services.sessions.needed:  # a first password must not shut out who has just had it made
        set_session_cookie(request, services, response, services.sessions.cookie_for())
    return response


async def invite(request: Request, services: TheServices) -> Response:
    """Make a guest's link, which is shown this once; raise `Conflict` or `InvalidRequest`."""
    if not services.sessions.needed:
        raise Conflict(
            N_('Set a password first: without one, anyone who opens Easel is the owner.')
        )
    fields = await form_fields(request)
    name = ' '.join(fields.get('name', '').split())
    makes, sees_all, album = 'makes' in fields, 'sees_all' in fields, _album_in(fields, services)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(
            N_('Enter a name of up to {most} characters for the link.'), most=LONGEST_NAME
        )
    if not makes and not sees_all and album is None:
        raise InvalidRequest(
            N_('Choose what this link allows: making pictures, viewing the gallery, or both.')
        )
    token = await services.guests.invite(
        name, makes=makes, sees_all=sees_all, album=album, for_s=lifetime_in(fields)
    )
    log.info('a link was made for the guest %s', name)
    return await _link_page(request, services, f'/join/{token}', name=name)


def _album_in(fields: Mapping[str, str], services: Services) -> int | None:
    """Read the one album of a guest, None where there is none; raise `InvalidRequest`."""
    if not fields.get('album'):
        return None
    named = {str(row.id): row for row in services.albums.all()}
    album = choice_in(fields, 'album', named)
    if 'sees_all' in fields:
        raise InvalidRequest(N_('Choose the whole gallery or one album, not both.'))
    if 'makes' in fields and album.q is not None:
        raise InvalidRequest(
            N_(
                "This album fills itself, so a guest's pictures can't go into it. Choose another "
                'album, or let the guest only view it.'
            )
        )
    return album.id


async def revoke_guest(services: TheServices, guest_id: TheId) -> Response:
    """End a guest's link, and every session by it."""
    await services.guests.revoke(guest_id)
    services.changes.doubt()
    return RedirectResponse(f'{PAGE}#guests', 303)


async def show_to_strangers(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Make a link to one picture, which is shown this once; raise `Conflict` if it cannot be."""
    fields = await form_fields(request)
    lifetime_s = lifetime_in(fields)
    if image.deleted_at:
        raise Conflict(N_('This picture is in the trash.'))
    picture = await open_stripped(services, image)
    if picture is None:
        raise Conflict(
            N_(
                "This picture can't be shared by link: the prompt and settings can't be removed "
                'from a file of this format. Download it and send the file yourself.'
            )
        )
    picture.opened.close()
    token, now = new_token(), time.time()
    await services.library.shown.add(
        ShownRow(
            image_id=image.id,
            token_hash=hash_of(token),
            tells_prompt='tells_prompt' in fields,
            created_at=now,
            expires_at=None if lifetime_s is None else now + lifetime_s,
        )
    )
    log.info('a link was made to picture %s', image.id)
    return await _link_page(request, services, f'/shared/{token}', image=image)


async def hide_from_strangers(services: TheServices, shown_id: TheId) -> Response:
    await services.library.shown.revoke(shown_id)
    return RedirectResponse(f'{PAGE}#pictures', 303)


async def _link_page(
    request: Request, services: Services, path: str, *, name: str = '', image: Image | None = None
) -> Response:
    """Show a new link under every address that others may know this machine by."""
    links = [f'{address}{path}' for address in await _own_addresses(request, services)]
    if wants_json(request):
        return JSONResponse({'url': links[0], 'urls': links}, 201)
    return services.renderer.page(
        request,
        'pages/link.html',
        status=201,
        links=links,
        code=qr_code_of(links[0]) if services.sharing.is_shared else None,
        name=name,
        image=image,
        sharing=services.sharing,
    )


async def _own_addresses(request: Request, services: Services) -> list[str]:
    """Return the addresses under which others reach this Easel, without a slash, likeliest first.

    That is the one the owner came by, unless it names this machine alone.
    """
    visitor = visitor_of(request)
    host = host_of(request)
    name = host.rpartition(':')[0].lower() if host[-1:].isdigit() and ':' in host else host.lower()
    found: list[str] = []
    if services.sharing.is_shared:
        found += await asyncio.to_thread(
            origins, services.sharing.listens_on, request.scope['server'][1]
        )
    if name.rstrip('.') not in OWN_NAMES or not found:
        found = [f'{visitor.scheme}://{host}', *found]
    return [f'{origin}{services.root.path}' for origin in dict.fromkeys(found)]

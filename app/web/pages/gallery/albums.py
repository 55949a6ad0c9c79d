"""The albums: their covers, and what is done with them as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.search.query import check_search
from app.errors import N_, InvalidRequest, wrong_field
from app.generation.request import CONTROL
from app.models.request import LONGEST_TEXT
from app.web.context import Services, TheServices
from app.web.error_pages import fields_in_words
from app.web.forms import TheId, form_fields
from app.web.pages.gallery.listed_albums import listed_albums
from app.web.pages.gallery.query import LONGEST_QUESTION
from app.web.security.permissions import visitor_of
from app.web.templates import wants_fragment, wants_json

PAGE = '/albums'


async def albums_page(request: Request, services: TheServices) -> Response:
    """Show the albums that the visitor may look at, those with the newest pictures first."""
    if wants_json(request):
        listed = await listed_albums(visitor_of(request), services)
        return JSONResponse({'albums': [album.as_json() for album in listed]})
    return await _page(request, services, {})


async def create(request: Request, services: TheServices) -> Response:
    """Make an album; one with a search fills itself."""
    fields = await form_fields(request)
    try:
        row = await services.albums.add(*_named(fields))
    except InvalidRequest as error:
        return await _refused(request, services, fields, error)
    return RedirectResponse(f'/gallery?album={row.id}', 303)


async def change(request: Request, services: TheServices, album_id: TheId) -> Response:
    """Give an album another name, and another search where the form has one."""
    row, fields = services.albums.one(album_id), await form_fields(request)
    given = {'name': row.name, 'q': row.q or '', **fields}
    try:
        name, q = _named(given)
        if row.q and not q:
            raise wrong_field('q', InvalidRequest(N_('Enter the search that fills this album.')))
        await services.albums.change(row.id, name, q)
    except InvalidRequest as error:
        return await _refused(request, services, given, error, row.id)
    return RedirectResponse(f'/gallery?album={row.id}', 303)


async def delete(services: TheServices, album_id: TheId) -> Response:
    """Delete an album and none of its pictures."""
    await services.albums.delete(album_id)
    return RedirectResponse(PAGE, 303)


def _named(fields: Mapping[str, str]) -> tuple[str, str | None]:
    """Read a name and a search, None where there is none; raise `InvalidRequest`."""
    name, q = (' '.join(fields.get(one, '').split()) for one in ('name', 'q'))
    if not name or len(name) > LONGEST_TEXT or CONTROL.search(name):
        sentence = N_('Enter a name of up to {most} characters.')
        raise wrong_field('name', InvalidRequest(sentence, most=LONGEST_TEXT))
    if len(q) > LONGEST_QUESTION or CONTROL.search(q):
        sentence = N_('Enter a search of up to {most} characters.')
        raise wrong_field('q', InvalidRequest(sentence, most=LONGEST_QUESTION))
    try:
        check_search(q)
    except InvalidRequest as error:
        raise wrong_field('q', error) from error
    return name, q or None


async def _refused(
    request: Request,
    services: Services,
    fields: Mapping[str, str],
    error: InvalidRequest,
    album_id: int | None = None,
) -> Response:
    """Show the form again with what was typed; raise the error for programs."""
    if wants_json(request) or wants_fragment(request):
        raise error
    return await _page(request, services, fields, error, album_id)


async def _page(
    request: Request,
    services: Services,
    fields: Mapping[str, str],
    error: InvalidRequest | None = None,
    album_id: int | None = None,
) -> Response:
    """Show the albums; above them the form with what is wrong, of a new or of one album."""
    return services.renderer.page(
        request,
        'pages/albums.html',
        status=error.status if error else 200,
        albums=await listed_albums(visitor_of(request), services),
        fields=fields,
        wrong=fields_in_words(error, services.language(request)),
        changed=services.albums.get(album_id) if album_id else None,
        open_to=_guests_of(services),
    )


def _guests_of(services: Services) -> dict[int, int]:
    """Count the guests that each album is open to, of those who were given one alone."""
    valid = [row.album for row in services.guests.all() if services.guests.is_valid(row)]
    return {album: valid.count(album) for album in valid if album is not None}

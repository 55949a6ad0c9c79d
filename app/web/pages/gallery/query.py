"""What an address asks the gallery for: read from it, and written into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from urllib.parse import urlencode

from starlette.requests import Request

from app.database.gallery.albums import no_album
from app.database.gallery.filters import Filter, Order
from app.errors import N_, Forbidden, NotFound
from app.gallery.albums import Albums
from app.models import Image
from app.web.context import Services
from app.web.forms import choice_in, number_in, numbers_in
from app.web.security.permissions import may_open, own_image, sight_of, visitor_of
from app.web.templates import zone_of

PAGE = 60
LONGEST_QUESTION = 500
UNWRITTEN = ('words', 'filled_by', 'zone', 'knows_names')  # in addresses


def read_filter(request: Request) -> Filter:
    """Read what to show, as far as the visitor may see.

    Raises `Forbidden` for the owner's trash, `NotFound` for an album that is not theirs to see.
    """
    query, visitor = request.query_params, visitor_of(request)
    deleted = query.get('deleted', '') == '1'
    if deleted and not visitor.owner:
        raise Forbidden(N_("Your link doesn't give access to this."))
    sort = choice_in({'sort': Order.NEWEST, **query}, 'sort', {order: order for order in Order})
    return replace(
        _sight(request),
        words=query.get('q', '').strip()[:LONGEST_QUESTION],
        model=query.get('model', '')[:LONGEST_QUESTION],
        provider=query.get('provider', '')[:LONGEST_QUESTION],
        favourite=query.get('favourite', '') == '1',
        deleted=deleted,
        sort=sort,
        shuffle=(number_in(request, 'shuffle') or 0) if sort is Order.RANDOM else 0,
        zone=getattr(zone_of(request), 'key', ''),
        knows_names=visitor.owner,
    )


def _sight(request: Request) -> Filter:
    """Read whose pictures and which album to show of those that the visitor may look at."""
    visitor, albums = visitor_of(request), albums_of(request)
    sight, album = sight_of(visitor, albums), number_in(request, 'album')
    if album is not None:
        if not may_open(visitor, album):
            raise no_album(album)
        sight = albums.filter_of(album)
    return replace(sight, guest=number_in(request, 'guest')) if visitor.owner else sight


def albums_of(request: Request) -> Albums:
    services: Services = request.app.state.services
    return services.albums


def write_query(chosen: Filter, **more: int) -> str:
    """Write a filter as a query, `?` included; empty where nothing is chosen."""
    fields = asdict(chosen) | {
        'q': chosen.words,
        'favourite': '1' if chosen.favourite else '',
        'deleted': '1' if chosen.deleted else '',
        'sort': '' if chosen.sort is Order.NEWEST else chosen.sort,
    }
    for name in UNWRITTEN:
        fields.pop(name)
    pairs = {name: value for name, value in (fields | more).items() if value}
    return f'?{urlencode(pairs)}' if pairs else ''


def beyond_sight(chosen: Filter, sight: Filter) -> Filter:
    """Return a filter without what it has from its visitor, who did not choose it."""
    return replace(
        chosen,
        guest=None if sight.guest else chosen.guest,
        album=None if sight.album else chosen.album,
    )


def compared_in(request: Request) -> tuple[int, ...]:
    """Read which pictures are compared; raise `InvalidRequest` for what is no id."""
    return numbers_in(request, 'image')


def comparison(ids: Sequence[int], chosen: Filter, **more: int) -> str:
    """Return the address that compares pictures of a search; that of a picture, for one alone."""
    query = write_query(chosen, **more)
    if len(ids) == 1:
        return f'/images/{ids[0]}{query}'
    return f'/compare?{urlencode([("image", one) for one in ids])}{query.replace("?", "&", 1)}'


def page_from(chosen: Filter, newer: tuple[Image, ...], shown: int) -> str:
    """Return the page that begins with `shown` newer pictures; the first where there are few.

    `newer` are the nearest newer pictures, nearest first; fewer than `PAGE` are all there are.
    """
    if len(newer) < PAGE:
        return f'/gallery{write_query(chosen)}'
    return f'/gallery{write_query(chosen, at=newer[shown - 1].id)}'


async def just_deleted(request: Request, services: Services) -> Image | None:
    """Return the picture that the last act put into the trash, if this visitor may undo that."""
    number = number_in(request, 'undo')
    if number is None:
        return None
    try:
        image = await own_image(request, services, number)
    except NotFound:
        return None
    return image if image.deleted_at else None

"""What the gallery is asked to show: read from an address, and written into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import urlencode

from starlette.requests import Request

from app.database.gallery.filters import Filter, Order
from app.errors import N_, Forbidden
from app.models import Image
from app.web.forms import choice_in, number_in, numbers_in
from app.web.security.permissions import visitor_of
from app.web.templates import zone_of

PAGE = 60
LONGEST_QUESTION = 500
UNWRITTEN = ('words', 'filled_by', 'zone', 'knows_names')  # in addresses


def read_filter(request: Request) -> Filter:
    """Read what to show, as far as the visitor may see; raise `Forbidden` for the owner's trash."""
    query, visitor = request.query_params, visitor_of(request)
    deleted = query.get('deleted', '') == '1'
    if deleted and not visitor.owner:
        raise Forbidden(N_("Your link doesn't give access to this."))
    sort = choice_in({'sort': Order.NEWEST, **query}, 'sort', {order: order for order in Order})
    return Filter(
        words=query.get('q', '').strip()[:LONGEST_QUESTION],
        model=query.get('model', '')[:LONGEST_QUESTION],
        provider=query.get('provider', '')[:LONGEST_QUESTION],
        favourite=query.get('favourite', '') == '1',
        deleted=deleted,
        guest=number_in(request, 'guest') if visitor.owner else visitor.only,
        album=number_in(request, 'album'),
        sort=sort,
        shuffle=(number_in(request, 'shuffle') or 0) if sort is Order.RANDOM else 0,
        zone=getattr(zone_of(request), 'key', ''),
        knows_names=visitor.owner,
    )


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

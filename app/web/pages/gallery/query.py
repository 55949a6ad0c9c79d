"""What the gallery is asked to show: read from an address, and written into one."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlencode

from starlette.requests import Request

from app.database.gallery.filters import Filter, Order
from app.errors import N_, Forbidden
from app.models import Image
from app.web.forms import choice_in, number_in
from app.web.security.permissions import visitor_of

PAGE = 60
LONGEST_QUESTION = 500


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
    )


def write_query(chosen: Filter, **more: int) -> str:
    """Write a filter as a query, `?` included; empty where nothing is chosen."""
    fields = asdict(chosen) | {
        'q': chosen.words,
        'favourite': '1' if chosen.favourite else '',
        'deleted': '1' if chosen.deleted else '',
        'sort': '' if chosen.sort is Order.NEWEST else chosen.sort,
    }
    fields.pop('words')
    pairs = {name: value for name, value in (fields | more).items() if value}
    return f'?{urlencode(pairs)}' if pairs else ''


def page_from(chosen: Filter, newer: tuple[Image, ...], shown: int) -> str:
    """Return the page that begins with `shown` newer pictures; the first where there are few.

    `newer` are the nearest newer pictures, nearest first; fewer than `PAGE` are all there are.
    """
    if len(newer) < PAGE:
        return f'/gallery{write_query(chosen)}'
    return f'/gallery{write_query(chosen, at=newer[shown - 1].id)}'

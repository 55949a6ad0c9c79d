"""What hangs in the gallery: one page of pictures in sections, and the months beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import groupby

from starlette.requests import Request

from app.database.gallery.filters import Filter, Order
from app.database.gallery.images import Images
from app.database.gallery.selection import is_searched
from app.errors import N_
from app.models import Image
from app.web.context import Services
from app.web.forms import number_in
from app.web.pages.gallery.query import PAGE, page_from, write_query
from app.web.templates import Language, zone_of

DENSITY_COOKIE = 'easel-density'
DENSITIES = ('small', 'medium', 'large')
SPARSE_FROM, SPARSE_A_DAY = 6, 2  # pictures of a search that has months as headings
YEARS = range(1971, 9999)  # whose moments every machine can tell
FEWEST_MONTHS = 2  # of one there is nothing to choose
MONTHS = (
    N_('January {year}'), N_('February {year}'), N_('March {year}'), N_('April {year}'),
    N_('May {year}'), N_('June {year}'), N_('July {year}'), N_('August {year}'),
    N_('September {year}'), N_('October {year}'), N_('November {year}'), N_('December {year}'),
)  # fmt: skip
SHORT_MONTHS = (
    N_('Jan'), N_('Feb'), N_('Mar'), N_('Apr'), N_('May'), N_('Jun'),
    N_('Jul'), N_('Aug'), N_('Sep'), N_('Oct'), N_('Nov'), N_('Dec'),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One page of the wall: its pictures, the one that follows, and those before it."""

    images: tuple[Image, ...]
    following: Image | None
    before: tuple[Image, ...]  # the nearest first, at most a page
    is_first: bool


@dataclass(frozen=True, slots=True)
class Section:
    """The pictures of one day or month, which is empty where they stand in no order of time."""

    day: str  # `2026-11-28` or `2026-11`
    name: str
    images: list[Image]


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the rail; how many pictures it has is None where nothing counts them."""

    month: str
    name: str
    images: int | None

    @property
    def year(self) -> str:
        return self.month[:4]


async def read_part(request: Request, images: Images, chosen: Filter) -> Part:
    """Read the page that an address asks for: by its first picture, the last before, or a month."""
    at, before = number_in(request, 'at'), number_in(request, 'before')
    if month := _month_in(request, chosen):
        at = await images.nearest(chosen, _edge_of(month, chosen, zone_of(request)))
    edge = at or before
    found = await images.page(chosen, edge, PAGE + 1, with_edge=bool(at))
    shown = found[:PAGE]
    above = await images.newer(chosen, shown[0].id, PAGE) if edge and shown else ()
    is_first = not edge or bool(shown and not above)
    return Part(shown, found[PAGE] if len(found) > PAGE else None, above, is_first)


def older_query(chosen: Filter, part: Part) -> str | None:
    return write_query(chosen, before=part.images[-1].id) if part.following else None


def part_values(
    request: Request, language: Language, chosen: Filter, part: Part
) -> dict[str, object]:
    """Return what the template of a page of the wall is given."""
    zone, older = zone_of(request), older_query(chosen, part)
    heading = _heading(chosen, part.images, zone)

    def day_of(image: Image) -> str:
        moment = image.deleted_at if chosen.deleted else image.created_at
        return datetime.fromtimestamp(moment or image.created_at, zone).strftime(heading)

    sections = [
        Section(day, _name_of(day, language, zone), list(images))
        for day, images in groupby(part.images, key=day_of)
    ]
    return {
        'sections': sections,
        'continues': part.following and day_of(part.following) == sections[-1].day,
        'newer': '' if part.is_first else page_from(chosen, part.before, PAGE),
        'older': f'/gallery{older}' if older else None,
    }


async def rail_values(
    request: Request, services: Services, chosen: Filter, part: Part
) -> dict[str, object]:
    """Return the months to go to; those of a search are those of its other filters, uncounted."""
    if chosen.sort is Order.RANDOM or chosen.deleted or not part.images:
        return {'years': ()}
    is_counted = not is_searched(chosen)
    counted = replace(
        chosen, words='', filled_by='', album=None if chosen.filled_by else chosen.album
    )
    translate = services.language(request).translate
    months = [
        Month(
            facet.value,
            translate(SHORT_MONTHS[int(facet.value[5:]) - 1]),
            facet.images if is_counted else None,
        )
        for facet in await services.library.counters.months(counted)
    ]
    if chosen.sort is Order.OLDEST:
        months.reverse()
    first = datetime.fromtimestamp(part.images[0].created_at, zone_of(request))
    return {
        'years': _by_year(months) if len(months) >= FEWEST_MONTHS else (),
        'current_month': first.strftime('%Y-%m'),
    }


def density_of(request: Request) -> str:
    kept = request.cookies.get(DENSITY_COOKIE, '')
    return kept if kept in DENSITIES else 'medium'


def _by_year(months: Sequence[Month]) -> list[tuple[str, list[Month]]]:
    return [(year, list(found)) for year, found in groupby(months, key=lambda month: month.year)]


def _heading(chosen: Filter, images: tuple[Image, ...], zone: tzinfo | None) -> str:
    """Return the format of what heads a section: of days, of months where few are of one day."""
    if chosen.sort is Order.RANDOM:
        return ''
    is_all = not write_query(replace(chosen, guest=None, sort=Order.NEWEST))
    days = {datetime.fromtimestamp(image.created_at, zone).date() for image in images}
    is_sparse = len(images) >= SPARSE_FROM and len(images) < SPARSE_A_DAY * len(days)
    return '%Y-%m' if is_sparse and not is_all and not chosen.deleted else '%Y-%m-%d'


def _name_of(day: str, language: Language, zone: tzinfo | None) -> str:
    year, _, rest = day.partition('-')
    if not rest:
        return ''
    if '-' not in rest:
        return language.translate(MONTHS[int(rest) - 1]).format(year=year)
    noon = datetime.fromisoformat(day).replace(tzinfo=zone) + timedelta(hours=12)
    return language.day(noon.timestamp(), zone)


def _month_in(request: Request, chosen: Filter) -> tuple[int, int] | None:
    """Read the month of an address; None where there is none, or no order of time."""
    try:
        first = datetime.strptime(request.query_params.get('month', ''), '%Y-%m')
    except ValueError:
        return None
    has_months = chosen.sort is not Order.RANDOM and not chosen.deleted
    return (first.year, first.month) if has_months and first.year in YEARS else None


def _edge_of(month: tuple[int, int], chosen: Filter, zone: tzinfo | None) -> float:
    """Return the moment at which a month begins, or ends where the newest stands first."""
    year, number = month
    ahead = number - (chosen.sort is Order.OLDEST)
    return datetime(year + ahead // 12, ahead % 12 + 1, 1, tzinfo=zone).timestamp()

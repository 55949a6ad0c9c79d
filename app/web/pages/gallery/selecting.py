"""What the gallery shows for selecting pictures, and above those of the trash."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.database.acts.kinds import Act
from app.database.gallery.counters import Room
from app.database.gallery.filters import Filter, Order
from app.errors import NotFound
from app.gallery.trash import KEPT_DAYS
from app.web.context import Services, TheServices
from app.web.forms import number_in
from app.web.pages.gallery.query import just_deleted, read_filter, write_query
from app.web.pages.gallery.wall import Part
from app.web.security.permissions import visitor_of
from app.web.templates import zone_of


@dataclass(frozen=True, slots=True)
class SelectionForm:
    """What the form of a selection holds."""

    question: str  # as a query; another one begins with nothing selected, another order does not
    top: int  # the newest id there is: what comes later is not among all that match
    fields: tuple[tuple[str, str], ...]  # the question of the gallery, for all that match
    leaving: str  # the acts after which a picture is no longer on this page


@dataclass(frozen=True, slots=True)
class Trash:
    """What is in the trash, what of it are favourites, and whether it empties itself."""

    whole: Room
    favourites: Room
    empties_itself: bool

    @property
    def others(self) -> Room:
        return self.whole - self.favourites


async def exact_total(request: Request, services: TheServices) -> Response:
    """Tell how many pictures match, also where a search finds more than are counted for a page."""
    total = await services.library.counters.exact_total(read_filter(request))
    return JSONResponse({'total': total})


async def selecting_values(
    request: Request, services: Services, chosen: Filter
) -> dict[str, object]:
    """Return what the template of the gallery is given for what is selected and done with it."""
    return {
        'just_deleted': await just_deleted(request, services),
        'last_act': await _last_act(request, services),
        'selection': await _form_of(services, chosen) if visitor_of(request).makes else None,
        'trash': await _trash_of(services, chosen),
        'kept_days': KEPT_DAYS,
    }


async def days_left(
    request: Request, services: Services, chosen: Filter, part: Part
) -> dict[str, int]:
    """Return by days of deletion how long their pictures stay in a trash that empties itself."""
    if not chosen.deleted or not await services.trash.empties_itself():
        return {}
    zone = zone_of(request)
    today = datetime.now(zone).date()
    days = {datetime.fromtimestamp(image.deleted_at or 0, zone).date() for image in part.images}
    return {day.isoformat(): max(KEPT_DAYS - (today - day).days, 0) for day in days}


async def _form_of(services: Services, chosen: Filter) -> SelectionForm:
    top = await services.library.images.newest_id()
    question = write_query(replace(chosen, sort=Order.NEWEST, shuffle=0))
    fields = (*parse_qsl(question.removeprefix('?')), ('top', str(top)))
    return SelectionForm(question, top, fields, _leaving(chosen))


async def _last_act(request: Request, services: Services) -> Act | None:
    """Return the act that led to a page, if it is this visitor's."""
    number = number_in(request, 'act')
    if number is None:
        return None
    try:
        act = await services.library.acts.one(number)
    except NotFound:
        return None
    return act if visitor_of(request).may_change(act.guest) else None


async def _trash_of(services: Services, chosen: Filter) -> Trash | None:
    """Return what the trash holds where that is what is shown."""
    if not chosen.deleted:
        return None
    counters = services.library.counters
    return Trash(
        await counters.trash(),
        await counters.trashed_favourites(),
        await services.trash.empties_itself(),
    )


def _leaving(chosen: Filter) -> str:
    if chosen.deleted:
        return 'restore destroy'
    acts = {'delete': True, 'remove': chosen.album is not None, 'unfavourite': chosen.favourite}
    return ' '.join(name for name, leaves in acts.items() if leaves)

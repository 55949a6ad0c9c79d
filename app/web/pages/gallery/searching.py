"""The search field of the gallery: what it suggests, and what is said of what it finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.database.gallery.counters import MOST_COUNTED
from app.database.gallery.filters import Filter
from app.database.gallery.suggestions import Suggestion, WayOut
from app.database.search.query import KEYS, Key, proposal_for, refusals_in, replaced
from app.web.context import Services, TheServices
from app.web.pages.gallery.query import LONGEST_QUESTION, beyond_sight, read_filter, write_query
from app.web.security.permissions import sight_of, visitor_of
from app.web.templates import wants_json, zone_of


@dataclass(frozen=True, slots=True)
class Misread:
    """A part of a search that is not understood, what is wrong with it, and what to use instead."""

    before: str  # in the sentence about the term
    term: str
    after: str
    instead: str  # a term; empty where none is known
    words: str  # the search with it


async def suggestions(request: Request, services: TheServices) -> Response:
    """Return how a search may go on, as it is typed."""
    typed = request.query_params.get('q', '').lstrip()[:LONGEST_QUESTION]
    chosen = replace(read_filter(request), words=typed)
    found = await services.library.suggestions.going_on(chosen, _today(request))
    if wants_json(request):
        return JSONResponse({'suggestions': [_suggestion_json(one) for one in found]})
    hidden = () if visitor_of(request).owner else (Key.BY, Key.ALBUM)
    keys = [key for key in KEYS if key not in hidden]
    return services.renderer.page(
        request, 'gallery/suggestions.html', suggestions=found, keys=keys, most=MOST_COUNTED
    )


async def search_values(
    request: Request, services: Services, chosen: Filter, *, finds: bool
) -> dict[str, object]:
    """Return what the filters of a page show; `finds`: the page shows pictures."""
    visitor, library = visitor_of(request), services.library
    sight = sight_of(visitor, services.albums)
    own = chosen if visitor.owner else beyond_sight(chosen, sight)
    everything = replace(
        chosen,
        words='',
        model='',
        provider='',
        favourite=False,
        guest=None if visitor.owner else chosen.guest,
    )
    is_exact = request.query_params.get('total') == 'exact'
    counted = library.counters.exact_total if is_exact else library.counters.total
    found, total = await counted(chosen), await library.counters.total(everything)
    return {
        'found': found,
        'total': total,
        'most_counted': MOST_COUNTED,
        'models': await library.counters.models(sight) if visitor.sees_all else (),
        'guests': services.guests.all() if visitor.owner else (),
        'misread': _misread(request, services, chosen),
        'way_out': WayOut() if finds else await _way_out(services, chosen),
        'with_words': lambda words: write_query(replace(own, words=words)),
    }


async def search_json(
    request: Request, services: Services, chosen: Filter, *, finds: bool
) -> dict[str, object]:
    """Return how many pictures match, and where nothing is found what may be meant."""
    told: dict[str, object] = {'total': await services.library.counters.total(chosen)}
    if misread := _misread(request, services, chosen):
        told['not_understood'] = [
            {
                'term': one.term,
                'message': f'{one.before}{one.term}{one.after}',
                'instead': one.instead or None,
            }
            for one in misread
        ]
    if not finds and (meant := (await _way_out(services, chosen)).meant):
        told['did_you_mean'] = [one.words for one in meant]
    return told


def _misread(request: Request, services: Services, chosen: Filter) -> list[Misread]:
    """Return what of a search is not understood, in words for a person."""
    language, today = services.language(request), _today(request)
    told = []
    for refusal in refusals_in(chosen.words):
        instead = proposal_for(refusal.term, today)
        words = replaced(chosen.words, refusal.term, instead) if instead else ''
        before, after = language.translate(refusal.reason).split('{term}')
        told.append(Misread(before, refusal.typed, after, instead, words))
    return told


async def _way_out(services: Services, chosen: Filter) -> WayOut:
    if not chosen.words or refusals_in(chosen.words):
        return WayOut()
    return await services.library.suggestions.way_out(chosen)


def _suggestion_json(suggestion: Suggestion) -> dict[str, object]:
    images = suggestion.images
    told = None if images is None or images > MOST_COUNTED else images
    return asdict(suggestion) | {'images': told}


def _today(request: Request) -> date:
    return datetime.now(zone_of(request)).date()

"""Acts on many pictures: those that are ticked, all that match, or the whole trash."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.database.acts.kinds import ABOVE_ALL, Act, ActKind, NewAct
from app.database.gallery.filters import Filter
from app.database.search.query import check_search
from app.errors import N_, Conflict, Forbidden, InvalidRequest, NotFound
from app.gallery.albums import check_album
from app.web.context import Services, TheServices
from app.web.delivery.zips import pictures_among, zip_of
from app.web.forms import TheId, choice_in, form_fields, form_pairs, is_number, numbers_among
from app.web.pages.gallery.query import read_filter, write_query
from app.web.security.permissions import OwnImage, choosable_albums, seen_of, visitor_of
from app.web.templates import say_saved, wants_fragment, wants_json

Pairs = tuple[tuple[str, str], ...]

MOST_CHOSEN = 5_000
MOST_FIELDS = 100_000  # a form of 1 MB has no more; too many pictures are refused in words
ZIP = 'zip'
KINDS = {kind.value: kind for kind in ActKind}
OF_ALBUMS = (ActKind.ADD, ActKind.REMOVE)
OF_THE_OWNER = (ActKind.DESTROY, *OF_ALBUMS)
TOLD = ('id', 'state', 'total', 'handled', 'changed', 'missing', 'undoable')  # as JSON
ANSWERS = {'': False, '0': True, '1': False}  # whether favourites are spared


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an act is about, as lists of ids in JSON, and where one comes back to."""

    parts: tuple[str, ...]
    shown: Filter
    place: dict[str, int]  # of the page in the gallery

    @property
    def ids(self) -> Iterator[int]:
        return (image for part in self.parts for image in json.loads(part))


TRASH = Chosen((), Filter(deleted=True), {})


async def act_on_selection(request: Request, services: TheServices) -> Response:
    """Do one thing with many pictures; ask first before favourites are deleted for good."""
    pairs = await form_pairs(request, MOST_FIELDS)
    fields, visitor = dict(pairs), visitor_of(request)
    if fields.get('act') == ZIP:
        chosen = await read_choice(request, services, pairs)
        return zip_of(request, services, pictures_among(services, chosen.ids))
    kind = choice_in(fields, 'act', KINDS)
    if not visitor.makes or (kind in OF_THE_OWNER and not visitor.owner):
        raise Forbidden(N_("Your link doesn't give access to this."))
    if kind is ActKind.ADD and 'ask' in request.query_params:
        return _ask_album(request, services, pairs)
    new = NewAct(
        kind=kind,
        guest=visitor.guest_id,
        album=_album_in(services, pairs) if kind in OF_ALBUMS else None,
        spares_favourites=choice_in({'favourites': '', **fields}, 'favourites', ANSWERS),
    )
    chosen = await read_choice(request, services, pairs, new)
    if kind is ActKind.DESTROY and 'favourites' not in fields:
        favourites = await services.library.acts.favourites_in_trash(chosen.parts)
        if favourites:
            return ask_first(request, services, '/images/selection', pairs, favourites)
    act = await services.acts.begin(new, chosen.parts)
    if fields.get('then') == 'picture' and chosen.parts and not wants_fragment(request):
        query = write_query(chosen.shown)
        return RedirectResponse(f'/images/{next(chosen.ids)}{query}', 303)
    return _answer(request, services, act, chosen)


async def follow(request: Request, services: TheServices, act_id: TheId) -> Response:
    """Tell how far an act is."""
    act = await _own_act(request, services, act_id)
    return _answer(request, services, act, Chosen((), Filter(), {}))


async def undo(request: Request, services: TheServices, act_id: TheId) -> Response:
    """Take an act back; `query` is that of the gallery to come back to."""
    query = (await form_fields(request)).get('query', '').removeprefix('?')
    shown = read_filter(Request({**request.scope, 'query_string': query.encode()}))
    act = await services.acts.undo((await _own_act(request, services, act_id)).id)
    return _answer(request, services, act, Chosen((), shown, {}))


async def destroy(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Delete a picture of the trash for good; one that is a favourite only if that is said."""
    if image.deleted_at is None:
        raise Conflict(N_('Move the picture to the trash first.'))
    fields = await form_fields(request)
    if image.favourite and fields.get('favourites') != '1':
        return ask_first(request, services, f'/images/{image.id}/destruction', (), 1)
    new = NewAct(kind=ActKind.DESTROY)
    act = await services.acts.begin(new, services.library.acts.listed([image.id]))
    return _answer(request, services, act, TRASH)


async def empty_trash(request: Request, services: TheServices) -> Response:
    """Delete all of the trash for good, without favourites unless that is said."""
    spares = (await form_fields(request)).get('favourites') != '1'
    parts = await services.library.acts.chosen(TRASH.shown, ABOVE_ALL)
    new = NewAct(kind=ActKind.DESTROY, spares_favourites=spares)
    act = await services.acts.begin(new, parts)
    return _answer(request, services, act, TRASH)


async def switch_trash(request: Request, services: TheServices) -> Response:
    """Have the trash empty itself, by the field `empties_itself`, or no more."""
    fields = await form_fields(request)
    await services.trash.switch(on='empties_itself' in fields)
    is_setting = fields.get('back') == 'settings'
    place = '/settings/keeping#trash' if is_setting else f'/gallery{write_query(TRASH.shown)}'
    return say_saved(request, RedirectResponse(place, 303))


def ask_first(
    request: Request, services: Services, address: str, pairs: Pairs, favourites: int
) -> Response:
    """Show a form that repeats an act with the answer; raise `Conflict` to a program."""
    if wants_json(request):
        raise Conflict(
            N_('Favourites are among them: {count}. Send favourites=1 to delete them too.'),
            count=favourites,
        )
    fragment, page = 'gallery/favourites_asked.html', 'pages/favourites_asked.html'
    return services.renderer.page(
        request,
        fragment if wants_fragment(request) else page,
        status=Conflict.status,
        act_address=address,
        pairs=pairs,
        favourites=favourites,
    )


def _ask_album(request: Request, services: Services, pairs: Pairs) -> Response:
    """Show a form that repeats an act with the album to add to, for those without scripts."""
    albums = choosable_albums(visitor_of(request), services)
    return services.renderer.page(request, 'pages/album_asked.html', pairs=pairs, albums=albums)


async def read_choice(
    request: Request, services: Services, pairs: Pairs, new: NewAct | None = None
) -> Chosen:
    """Read which pictures are meant. Raise `InvalidRequest`, or `NotFound` where there is none."""
    fields, rows = dict(pairs), services.library.acts
    asked = Request({**request.scope, 'query_string': urlencode(_query_in(pairs, new)).encode()})
    place = {
        name: int(fields[name]) for name in ('before', 'at') if is_number(fields.get(name, ''))
    }
    shown = read_filter(asked)
    check_search(shown.words)
    if fields.get('all') == '1':
        top = numbers_among(pairs, 'top')
        if not top:
            raise InvalidRequest(N_('“{name}” must be a positive number.'), name='top')
        return Chosen(await rows.chosen(shown, top[0]), shown, place)
    images = tuple(dict.fromkeys(numbers_among(pairs, 'image')))
    if not images:
        raise InvalidRequest(N_('Select pictures first.'))
    if len(images) > MOST_CHOSEN:
        raise InvalidRequest(
            N_('Select at most {most} pictures, or all that match.'), most=MOST_CHOSEN
        )
    parts = rows.listed(images)
    are_any = rows.are_any(parts, new.guest) if new else _are_seen(request, services, images)
    if not await are_any:
        raise NotFound(N_('Picture {id} not found.'), id=images[0])
    return Chosen(parts, shown, place)


async def _are_seen(request: Request, services: Services, image_ids: Iterable[int]) -> bool:
    """Whether the visitor may look at any of some pictures."""
    visitor = visitor_of(request)
    async for some in pictures_among(services, image_ids):
        if await seen_of(visitor, services, some):
            return True
    return False


def _query_in(pairs: Pairs, new: NewAct | None) -> Pairs:
    """Return the fields of a form that are the gallery's; `album` may be that of the act."""
    albums = [pair for pair in pairs if pair[0] == 'album']
    if new and new.kind in OF_ALBUMS:
        albums = albums[:-1]
    return (*(pair for pair in pairs if pair[0] not in ('image', 'album')), *albums[:1])


def _album_in(services: Services, pairs: Pairs) -> int:
    """Read the album of an act: the last one named, since the gallery's question may name one."""
    albums = numbers_among([pair for pair in pairs if pair[0] == 'album'][-1:], 'album')
    if not albums:
        raise InvalidRequest(N_('Choose an album.'))
    return check_album(services.albums.one(albums[0])).id


async def _own_act(request: Request, services: Services, act_id: int) -> Act:
    """Return an act; raise `NotFound` for one of somebody else."""
    act = await services.library.acts.one(act_id)
    if not visitor_of(request).may_change(act.guest):
        raise NotFound(N_("This can't be undone any more."))
    return act


def _answer(request: Request, services: Services, act: Act, chosen: Chosen) -> Response:
    """Show the act to a script, tell it to a program, lead a browser back to the gallery."""
    query = write_query(chosen.shown)
    if wants_fragment(request):
        return services.renderer.page(request, 'gallery/act_done.html', last_act=act, query=query)
    if wants_json(request) and request.method == 'GET':
        return JSONResponse({name: getattr(act, name) for name in TOLD} | {'act': act.kind})
    place = write_query(chosen.shown, act=act.id, **chosen.place)
    return RedirectResponse(f'/gallery{place}#act-{act.id}', 303)  # it stands below the pictures

"""What is deleted for good: one picture, the whole trash, and what has been in it for long."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.database.gallery.act_pieces import ABOVE_ALL, ActKind, NewAct
from app.database.gallery.filters import Filter
from app.errors import N_, Conflict
from app.web.context import TheServices
from app.web.forms import form_fields
from app.web.pages.gallery.query import write_query
from app.web.pages.gallery.selection import ask_first
from app.web.security.permissions import OwnImage
from app.web.templates import say_saved, wants_fragment

TRASH = Filter(deleted=True)


async def destroy(request: Request, services: TheServices, image: OwnImage) -> Response:
    """Delete a picture of the trash for good; one that is a favourite only if that is said."""
    if image.deleted_at is None:
        raise Conflict(N_('Move the picture to the trash first.'))
    fields = await form_fields(request)
    if image.favourite and fields.get('favourites') != '1':
        return ask_first(request, services, f'/images/{image.id}/destruction', (), 1)
    new = NewAct(kind=ActKind.DESTROY)
    act = await services.acts.begin(new, services.library.acts.listed([image.id]))
    if wants_fragment(request):
        return services.renderer.page(
            request, 'gallery/act_done.html', act=act, query=write_query(TRASH)
        )
    return RedirectResponse(f'/gallery{write_query(TRASH, act=act.id)}', 303)


async def empty(request: Request, services: TheServices) -> Response:
    """Delete all of the trash for good, without favourites unless that is said."""
    spares = (await form_fields(request)).get('favourites') != '1'
    parts = await services.library.acts.chosen(TRASH, ABOVE_ALL)
    new = NewAct(kind=ActKind.DESTROY, spares_favourites=spares)
    act = await services.acts.begin(new, parts)
    if wants_fragment(request):
        return services.renderer.page(
            request, 'gallery/act_done.html', act=act, query=write_query(TRASH)
        )
    return RedirectResponse(f'/gallery{write_query(TRASH, act=act.id)}', 303)


async def switch(request: Request, services: TheServices) -> Response:
    """Have the trash empty itself, by the field `empties_itself`, or no more."""
    await services.trash.switch(on='empties_itself' in await form_fields(request))
    return say_saved(request, RedirectResponse(f'/gallery{write_query(TRASH)}', 303))

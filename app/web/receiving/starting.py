"""What the form of the Create page starts with, by its address and by what was asked for last."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.requests import Request

from app.errors import N_, InvalidRequest, NotFound
from app.generation.request import OF_SOURCES, form_fields_of
from app.models import Image
from app.models.request import DIGEST, LONGEST_PROMPT, LONGEST_TEXT, MOST_SOURCES
from app.web.context import Services
from app.web.forms import number_in, numbers_in
from app.web.security.permissions import check_own, seen_of, visitor_of

SOURCE, MASK = 'source', 'mask'
CHANGEABLE = ('provider', 'model', 'size', 'n', 'quality', 'steps', 'guidance', 'sampler')
BRINGS = ('', 'all', 'prompt', 'settings')  # the first: all but the seed
ROLL = 'roll'
MOST_SEED_DIGITS = MOST_ID_DIGITS = 20
ROLLED_SEED_BITS = 31  # some servers read a seed as a signed number of 32 bits
NO_SOURCES = dict.fromkeys((SOURCE, *OF_SOURCES), '')


@dataclass(frozen=True, slots=True)
class Start:
    """What a form starts with; `given`: it outweighs what was typed before."""

    fields: dict[str, str]
    images: tuple[Image, ...]  # to start from, in their order
    given: bool


async def start_of(request: Request, services: Services) -> Start:
    """Read the address; raise `InvalidRequest`, or `NotFound` at what the visitor may not see.

    Of the pictures that a generation started from, those come that are still there.
    """
    fields, given = await _fields(request, services)
    brought = [int(one) for one in fields.get(SOURCE, '').split()]
    named = list(dict.fromkeys(numbers_in(request, SOURCE)))[:MOST_SOURCES]
    images = await services.library.images.some(named or brought)
    seen = await seen_of(visitor_of(request), services, images)
    ids = [image.id for image in seen]
    for missing in [one for one in named if one not in ids][:1]:
        raise NotFound(N_('Picture {id} not found.'), id=missing)
    if not ids:
        return Start(fields | NO_SOURCES, (), given)
    mask = request.query_params.get(MASK, '')
    mask = mask if DIGEST.fullmatch(mask) else ''
    if not mask and ids[:1] == brought[:1]:
        mask = fields[MASK]
    own = {SOURCE: ' '.join(map(str, ids)), MASK: mask}
    other_size = {} if brought or 'size' in request.query_params else {'size': ''}  # of another one
    return Start(fields | own | other_size, tuple(seen), given)


async def _fields(request: Request, services: Services) -> tuple[dict[str, str], bool]:
    """Choose the fields, and whether they outweigh what was typed before."""
    query, source = request.query_params, number_in(request, 'from')
    last = await services.library.generations.last_asked(visitor_of(request).guest_id)
    fields = form_fields_of(last) | {'provider': ''} | NO_SOURCES if last else {}
    fields |= {'album': query['album'][:MOST_ID_DIGITS]} if 'album' in query else {}
    kept = {'album': fields.get('album', '')}  # which is the visitor's choice, not the picture's
    bring = query.get('bring', '')
    if bring not in BRINGS:
        raise InvalidRequest(N_('Choose all, prompt or settings, not “{value}”.'), value=bring[:40])
    if source is not None and bring != 'prompt':
        brought = await _brought(request, services, source)
        seed = {'seed': _seed(query.get('seed', ''))} if bring == '' else {}
        own = {'prompt': '', **NO_SOURCES} if bring == 'settings' else {}
        return brought | seed | kept | own, True
    prompt = query.get('prompt', '')[:LONGEST_PROMPT]
    if source is None and bring == 'prompt':
        return {'prompt': prompt, **kept}, True
    if source is not None:
        prompt = (await _brought(request, services, source))['prompt']
    return {**fields, 'prompt': prompt}, bool(prompt) or 'album' in query


def _changes_in(request: Request) -> dict[str, str]:
    """Return the settings that an address names beside the generation that it starts from."""
    query = request.query_params
    return {name: query[name][:LONGEST_TEXT] for name in CHANGEABLE if name in query}


async def _brought(request: Request, services: Services, source: int) -> dict[str, str]:
    """Return the fields that ask for what a generation asked for, as far as one may see them."""
    generation = await services.library.generations.one(source)
    if not await seen_of(visitor_of(request), services, generation.images):
        check_own(request, generation)  # else its prompt is in the gallery
    return form_fields_of(generation.request) | _changes_in(request)


def _seed(asked: str) -> str:
    """Return the seed that an address asks for; a rolled one is known before it is sent."""
    return str(secrets.randbits(ROLLED_SEED_BITS)) if asked == ROLL else asked[:MOST_SEED_DIGITS]

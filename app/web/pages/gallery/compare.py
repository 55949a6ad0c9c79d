"""Two to four pictures beside each other, with what differs in how they were made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.access.visitors import Visitor
from app.database.gallery.filters import Filter
from app.errors import N_, InvalidRequest
from app.gallery.word_diff import Part, marked
from app.models import Image
from app.web.context import Services, TheServices
from app.web.pages.gallery.lineage import sources_of
from app.web.pages.gallery.query import (
    compared_in,
    comparison,
    just_deleted,
    read_filter,
    write_query,
)
from app.web.security.permissions import seen_of, visible_image, visitor_of
from app.web.templates import wants_fragment, wants_json, zone_of
from app.web.views.serializers import image_json, public_server_name, sees_cost

LEAST, MOST = 2, 4
LETTERS = 'ABCD'
CHOICES = 8  # how many neighbours on each side are offered to be added
TEXTS = ('prompt', 'negative_prompt', 'revised_prompt')

Value = str | int | float | tuple[int, ...] | tuple[Image | None, ...] | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the pictures, and where the acts with its place lead."""

    letter: str
    image: Image
    without: str  # the address that shows the others
    earlier: str  # the address that shows it before its neighbour; empty at the first


@dataclass(frozen=True, slots=True)
class Setting:
    """What each of the pictures has for one setting, texts in parts."""

    name: str
    values: Sequence[Value | tuple[Part, ...]]


async def compare_page(request: Request, services: TheServices) -> Response:
    """Show the pictures that an address names; raise `InvalidRequest` for too few or too many."""
    ids, chosen, viewer = compared_in(request), read_filter(request), visitor_of(request)
    if not LEAST <= len(ids) <= MOST:
        sentence = N_('Choose from {least} to {most} pictures to compare.')
        raise InvalidRequest(sentence, least=LEAST, most=MOST)
    if len(set(ids)) < len(ids):
        raise InvalidRequest(N_('The same picture was chosen twice. Choose another one.'))
    images = [await visible_image(request, services, one) for one in ids]
    settings = [await _settings(services, image, viewer) for image in images]
    if wants_json(request):
        listed = [image_json(image, services.root, viewer) for image in images]
        return JSONResponse({'images': listed, **_differences(settings)})
    language, zone = services.language(request), zone_of(request)
    shown = [
        own
        | {'created_at': language.date(image.created_at, zone)}
        | {'sources': await sources_of(viewer, services, image) or None}
        for own, image in zip(settings, images, strict=True)
    ]
    return services.renderer.page(
        request,
        'gallery/compare.html' if wants_fragment(request) else 'pages/compare.html',
        compared=_in_order(images, chosen),
        differing=await asyncio.to_thread(_differing, shown),
        same={name: value for name, value in shown[0].items() if _is_same(name, shown)},
        just_deleted=await just_deleted(request, services),
        query=f'?{comparison(ids, chosen).partition("?")[2]}',
        is_full=len(ids) == MOST,
        choices=await _choices(services, viewer, chosen, images[0]),
        back=write_query(chosen, at=ids[0]),
    )


async def _settings(services: Services, image: Image, viewer: Visitor) -> dict[str, Value]:
    """Return what is known of how a picture was made, in the order of the table."""
    generation = await services.library.generations.one(image.generation_id)
    asked, size = generation.request, f'{image.width}x{image.height}'
    own: dict[str, Value] = {
        'prompt': image.prompt,
        'negative_prompt': image.negative_prompt or None,
        'revised_prompt': image.revised_prompt if image.revised_prompt != image.prompt else None,
        'model': image.model,
        'provider': public_server_name(image.provider, viewer),
        'size': size,
        'asked_size': image.asked_size if image.asked_size != size else None,
        'seed': generation.seed_of(image),
    }
    own |= {name: getattr(asked, name) for name in ('steps', 'guidance', 'sampler', 'quality')}
    own |= {
        'sources': image.sources or None,
        'strength': asked.strength,
        'changed_outside_mask': image.changed_outside_mask,
        'took_s': None if image.took_s is None else round(image.took_s, 1),  # as it is shown
        'cost': str(image.cost) if image.cost and sees_cost(image, viewer) else None,
        'guest': image.guest if viewer.owner else None,
        'mime': image.mime,
        'created_at': image.created_at,
    }
    return own


def _is_same(name: str, settings: Sequence[Mapping[str, Value]]) -> bool:
    return all(own[name] == settings[0][name] for own in settings)


def _differences(settings: Sequence[Mapping[str, Value]]) -> dict[str, object]:
    """Return the settings for programs: those that differ with every value, and the others."""
    names = settings[0].keys()
    differing = [name for name in names if not _is_same(name, settings)]
    return {
        'differing': {name: [own[name] for own in settings] for name in differing},
        'same': {name: settings[0][name] for name in names if name not in differing},
    }


def _differing(settings: Sequence[Mapping[str, Value]]) -> list[Setting]:
    """Return a row for each setting that differs, the words that differ in texts marked."""
    rows = []
    for name in settings[0]:
        values = [own[name] for own in settings]
        if _is_same(name, settings):
            continue
        texts = [value if isinstance(value, str) else '' for value in values]
        rows.append(Setting(name, marked(texts) if name in TEXTS else values))
    return rows


def _in_order(images: Sequence[Image], chosen: Filter) -> list[Compared]:
    ids = [image.id for image in images]
    found = []
    for place, image in enumerate(images):
        others = [*ids[:place], *ids[place + 1 :]]
        earlier = [*others[: place - 1], image.id, *others[place - 1 :]] if place else []
        found.append(
            Compared(
                LETTERS[place],
                image,
                comparison(others, chosen),
                comparison(earlier, chosen) if earlier else '',
            )
        )
    return found


async def _choices(
    services: Services, viewer: Visitor, chosen: Filter, image: Image
) -> list[Image]:
    """Return the pictures of the same prompt, and those that stand around one, to choose from."""
    newer = await services.library.images.newer(chosen, image.id, CHOICES)
    older = await services.library.images.page(chosen, image.id, CHOICES)
    generation = await services.library.generations.one(image.generation_id)
    return [*await seen_of(viewer, services, generation.images), *newer, *older]

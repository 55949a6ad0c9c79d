"""The tiles of generations: what to expect of one that is not finished, and the words of each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import N_
from app.generation.runner import is_fetchable
from app.generation.scheduler import Prospect
from app.models import Generation, Image, Status
from app.net.urls import names_a_host
from app.providers.core.base import WIRE_NAMES
from app.web.context import Services
from app.web.templates import wants_fragment
from app.web.views.providers import server_pages

SAMPLES = 20
REFRESH_S = 3
NEWS = {Status.DONE: N_('Picture ready'), Status.FAILED: N_('Failed')}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of a generation beforehand, by the queue and by the provider's own past."""

    prospect: Prospect
    low_s: float | None  # a quarter of its like took less; None: nothing is known
    high_s: float | None  # a quarter of its like took more
    previews: Mapping[int, str]  # addresses of partial pictures, by position
    is_held: bool  # whether a picture of it came, and waits for the storage
    wait_s: int  # how much longer its server asked to be left alone


async def tile_values(services: Services, generations: Sequence[Generation]) -> dict[str, object]:
    """Return what tiles need; `refresh_s`: when a page without scripts loads again."""
    unfinished = [one for one in generations if one.status is not Status.DONE]
    fetchable = [one for one in generations if is_fetchable(one)]
    failed = [one for one in unfinished if not one.status.unfinished]
    return {
        'generations': generations,
        'estimates': {one.id: await _estimate(services, one) for one in unfinished},
        'calls': {one.id: await services.library.generations.calls_of(one.id) for one in failed},
        'server_pages': server_pages(services.providers),
        'news': NEWS,
        'fetchable': {one.id for one in fetchable},
        'instead': {one.id: _instead_of(one) for one in unfinished},
        'elsewhere': {one.id: _elsewhere(services, one) for one in failed},
        'origins': await _origins_of(services, unfinished),
        'private_origins': {one.id: [] for one in generations} | _private_origins(fetchable),
        'now': time.time(),
        'refresh_s': REFRESH_S if any(one.status.unfinished for one in generations) else None,
    }


def _elsewhere(services: Services, generation: Generation) -> dict[str, bool]:
    """Return the other servers that an edit can be tried at; of each, whether it names a host."""
    if not generation.request.sources:
        return {}
    names = (one.name for one in services.providers.enabled())
    return {name: names_a_host(name) for name in names if name != generation.provider}


async def _origins_of(
    services: Services, generations: Sequence[Generation]
) -> dict[int, list[Image | None]]:
    """Return what generations start from, None for what is gone."""
    named = {source for one in generations for source in one.request.sources}
    images = await services.library.images.some([*named]) if named else ()
    found = {image.id: image for image in images}
    return {one.id: [found.get(source) for source in one.request.sources] for one in generations}


def _instead_of(generation: Generation) -> dict[str, str]:
    """Return, by what its server would take in place of what it refused, where to ask for that."""
    failure = generation.error
    if failure is None or not failure.offers:
        return {}
    name = failure.param or 'model'
    field = WIRE_NAMES.get(name, name)
    brought = {'from': generation.id, 'bring': 'all'}
    return {one: f'/?{urlencode(brought | {field: one})}' for one in failure.offers}


def _private_origins(fetchable: Sequence[Generation]) -> dict[int, list[str]]:
    if not fetchable:
        return {}
    from app.web.views.private_origins import private_origins_of  # few pages have any to fetch

    return {one.id: private_origins_of(one) for one in fetchable}


async def tiles(
    request: Request, services: Services, *generations: Generation, status: int = 200
) -> Response:
    """Return the generations' tiles to a script; lead a browser to the first one's."""
    if not wants_fragment(request):
        return RedirectResponse(f'/#generation-{generations[0].id}', 303)
    values = await tile_values(services, generations)
    return services.renderer.page(request, 'generation/list.html', status=status, **values)


async def _estimate(services: Services, generation: Generation) -> Estimate:
    prospect, took, queue = Prospect(), list[float](), services.library.queue
    if generation.status is Status.QUEUED:
        prospect = await services.worker.scheduler.prospect_of(generation.id)
    elif generation.status is Status.RUNNING:
        model = generation.request.model or services.providers.model_of(generation.provider)
        count = generation.request.count
        took = sorted(await queue.durations(generation.provider, model, count, SAMPLES))
    previews = {
        position: f'/previews/{generation.id}-{position}-{preview.serial}.webp'
        for position, preview in services.previews.of(generation.id).items()
    }
    low_s, high_s = (took[len(took) // 4], took[(3 * len(took)) // 4]) if took else (None, None)
    is_held = generation.id in services.storage_monitor.held
    return Estimate(prospect, low_s, high_s, previews, is_held, _wait_s(generation))


def _wait_s(generation: Generation) -> int:
    asked_s = (generation.error and generation.error.retry_after_s) or 0
    left_s = (generation.finished_at or 0) + asked_s - time.time()
    return max(0, ceil(min(left_s, asked_s)))

"""The tiles of generations: what to expect of one that is not finished, and the words of each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.errors import N_
from app.models import Generation, Status
from app.web.context import Services

SAMPLES = 20
NEWS = {Status.DONE: N_('Picture ready'), Status.FAILED: N_('Failed')}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of a generation beforehand, by the provider's own past.

    Attributes:
        before: How many wait before it.
        low_s: A quarter of its like took less; None where nothing is known.
        high_s: A quarter of its like took more.
        previews: Addresses of partial pictures, by position; a newer one has another.
    """

    before: int
    low_s: float | None
    high_s: float | None
    previews: Mapping[int, str]


async def tile_values(services: Services, generations: Sequence[Generation]) -> dict[str, object]:
    """Return what the template of a tile needs, for each of the generations."""
    return {
        'generations': generations,
        'estimates': {
            one.id: await _estimate(services, one)
            for one in generations
            if one.status is not Status.DONE
        },
        'news': NEWS,
        'now': time.time(),
    }


async def _estimate(services: Services, generation: Generation) -> Estimate:
    before, took = 0, list[float]()
    if generation.status is Status.QUEUED:
        before = await services.library.queue.queued_before(generation.id)
    elif generation.status is Status.RUNNING:
        model = generation.request.model or services.providers.model_of(generation.provider)
        took = sorted(
            await services.library.queue.durations(
                generation.provider, model, generation.request.count, SAMPLES
            )
        )
    previews = {
        position: f'/previews/{generation.id}-{position}-{preview.serial}.webp'
        for position, preview in services.previews.of(generation.id).items()
    }
    return Estimate(
        before,
        took[len(took) // 4] if took else None,
        took[(3 * len(took)) // 4] if took else None,
        previews,
    )

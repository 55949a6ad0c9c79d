"""What to expect of a generation that is not finished: its place in the queue, its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.models import Generation, Status
from app.web.context import Services

SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known beforehand.

    Attributes:
        before: How many wait before it.
        low_s: A quarter of its like took less; None where nothing is known.
        high_s: A quarter of its like took more.
        previews: Addresses of partial pictures, by position.
    """

    before: int = 0
    low_s: float | None = None
    high_s: float | None = None
    previews: Mapping[int, str] = field(default_factory=dict)


async def estimates_of(
    services: Services, generations: Iterable[Generation]
) -> dict[int, Estimate]:
    """Look ahead for those that are not done; the time is from the provider's own past."""
    found: dict[int, Estimate] = {}
    for generation in generations:
        if generation.status is Status.QUEUED:
            before = await services.library.queue.queued_before(generation.id)
            found[generation.id] = Estimate(before=before)
        elif generation.status is Status.RUNNING:
            found[generation.id] = await _expected(services, generation)
        elif generation.status is not Status.DONE:
            found[generation.id] = Estimate()
        if generation.id in found:
            previews = preview_addresses(services, generation.id)
            found[generation.id] = replace(found[generation.id], previews=previews)
    return found


def preview_addresses(services: Services, generation_id: int) -> dict[int, str]:
    """Return the address of each partial picture, by position; a newer one has another."""
    return {
        position: f'/previews/{generation_id}-{position}-{preview.serial}.webp'
        for position, preview in services.previews.of(generation_id).items()
    }


async def _expected(services: Services, generation: Generation) -> Estimate:
    model = generation.request.model or services.providers.model_of(generation.provider)
    took = sorted(
        await services.library.queue.durations(
            generation.provider, model, generation.request.count, SAMPLES
        )
    )
    if not took:
        return Estimate()
    return Estimate(low_s=took[len(took) // 4], high_s=took[(3 * len(took)) // 4])

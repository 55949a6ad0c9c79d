"""One fresh server process, from prompt to done: measures itself, prints one JSON object.

Started by `bench.proxy`, once for each round, so that no earlier picture's memory is in the way.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.cli.serve import run
from app.config import config_from
from app.main import open_services
from app.models import Status
from app.models.request import GenerationRequest
from app.web.context import Services
from bench.measure import Beats, beating, children, forget_peak, memory_kb

SEVERAL = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """What drawing one or several large pictures at once took.

    Attributes:
        peak_kb: CapabilityStore of the server process, over what it held before.
        left_kb: CapabilityStore that it still held afterwards, over what it held before.
    """

    took_s: float
    peak_kb: int
    left_kb: int
    worst_stall_ms: float
    worst_own_stall_ms: float


@dataclass(frozen=True, slots=True)
class Whole:
    """One process's numbers."""

    one: Drawn
    several: Drawn
    child_peak_kb: int


def whole_from(said: Mapping[str, Any]) -> Whole:
    """Read what a fresh process printed."""
    return Whole(Drawn(**said['one']), Drawn(**said['several']), said['child_peak_kb'])


def main() -> int:
    """Measure with the stub at the first argument and the data folder at the second."""
    url, data = sys.argv[1:]

    async def measure() -> int:
        config = config_from({'EASEL_API_URL': url}, data=data)
        async with open_services(config) as services:
            await services.worker.start()
            await drawn(services, 'small', 1)
            one = await drawn(services, 'large', 1)
            [child] = children()
            child_peak_kb = memory_kb('VmHWM', child)
            several = await drawn(services, 'large', SEVERAL)
        sys.stdout.write(json.dumps(asdict(Whole(one, several, child_peak_kb))))
        return 0

    return run(measure())


async def drawn(services: Services, prompt: str, count: int) -> Drawn:
    """Submit that many prompts at once, and wait until all are done."""
    before_kb = memory_kb('VmRSS')
    forget_peak()
    beats = Beats()
    began = time.perf_counter()
    async with beating(beats), services.changes.listening() as listener:
        waited_for = {
            (await services.worker.submit(GenerationRequest(prompt=prompt))).generation.id
            for _ in range(count)
        }
        while waited_for:
            for changed in await listener.wait(60):
                generation = await services.library.generations.one(changed)
                if not generation.status.unfinished:
                    assert generation.status is Status.DONE, generation.error
                    waited_for.discard(changed)
        took_s = time.perf_counter() - began
    return Drawn(
        took_s=took_s,
        peak_kb=memory_kb('VmHWM') - before_kb,
        left_kb=memory_kb('VmRSS') - before_kb,
        worst_stall_ms=beats.worst_ms,
        worst_own_stall_ms=beats.worst_own_ms,
    )


if __name__ == '__main__':
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    sys.exit(main())

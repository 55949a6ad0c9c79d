"""Hostile answers of servers, one after the other, and another page that is asked for beside each.

Run as `python -m bench.upstream_faults [--only PATTERN]`. Easel runs in this process, so that a
task that ticks on its own loop sees what holds it; only time that this process computed counts, not
what others took from it. Each answer ends as a failure with a kind that fits it, or with its
picture kept.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from app.cli.serve import run
from app.messages import describe
from app.models import Generation
from app.models.request import GenerationRequest
from app.web.context import Services
from bench.fault_modes import MODES, SLOW
from bench.measure import Beats, Claim, beating, forget_peak, judge, memory_kb, print_table
from bench.upstream import upstream
from tests.support.raw_requests import HOME, knock, open_door

MOST_STALL_MS = 100.0
MOST_P99_MS = 100.0
MOST_MB = 64.0
PATIENCE_S = {True: '3', False: '120'}  # by whether only a time-out ends it
PAUSE_S = 0.01


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one answer, and of another page meanwhile."""

    name: str
    kind: str  # of the failure; empty for a picture
    sentence: str
    stall_ms: float
    p99_ms: float
    grown_mb: float
    took_s: float

    @property
    def row(self) -> tuple[str, ...]:
        numbers = (self.stall_ms, self.p99_ms, self.grown_mb, self.took_s)
        return (self.name, self.kind, *(f'{one:.1f}' for one in numbers), self.sentence)

    @property
    def is_wrong(self) -> bool:
        return self.kind not in (MODES[self.name].kinds.split() or [''])


def main() -> int:
    """Run all of it; exit status 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', default='', help='a pattern that the names of answers hold')
    return run(_measure(parser.parse_args().only))


async def _measure(only: str) -> int:
    seen: list[Seen] = []
    with tempfile.TemporaryDirectory() as folder, upstream('bench.fault_modes') as url:
        for is_slow, patience_s in PATIENCE_S.items():
            data = Path(folder) / patience_s
            settings = {'EASEL_API_URL': url, 'EASEL_TIMEOUT_S': patience_s}
            async with open_door(data, **settings) as (app, services):
                await services.worker.draw_now(GenerationRequest(prompt='closes at once'))
                names = [one for one in MODES if (SLOW in one) is is_slow and re.search(only, one)]
                seen += [await _one(name, app, services) for name in names]
    titles = ('answer', 'kind', 'stall ms', 'p99 ms', 'MB', 's', 'sentence')
    print_table(f'{len(seen)} answers', [titles, *(one.row for one in seen)])
    wrong = [one.name for one in seen if one.is_wrong]
    print(f'ended otherwise than they may: {wrong}')
    return judge(
        [
            Claim('ended otherwise than they may', len(wrong), 0, ''),
            Claim('the longest stall', max(one.stall_ms for one in seen), MOST_STALL_MS, 'ms'),
            Claim("another page's worst p99", max(one.p99_ms for one in seen), MOST_P99_MS, 'ms'),
            Claim('the most memory', max(one.grown_mb for one in seen), MOST_MB, 'MB'),
        ]
    )  # fmt: skip


async def _one(name: str, app: ASGIApp, services: Services) -> Seen:
    gc.collect()
    forget_peak()
    before_kb, beats, times, began = memory_kb('VmRSS'), Beats(), list[float](), time.monotonic()
    async with beating(beats), _visiting(app, times):
        ended = await services.worker.draw_now(GenerationRequest(prompt=name))
    ordered = sorted(times)
    return Seen(
        name=name,
        kind=_kind_of(ended),
        sentence=describe(ended.error, str).whole if ended.error else f'{len(ended.images)} kept',
        stall_ms=beats.worst_own_ms,
        p99_ms=ordered[int(len(ordered) * 0.99)] * 1000,
        grown_mb=(memory_kb('VmHWM') - before_kb) / 1024,
        took_s=time.monotonic() - began,
    )


def _kind_of(ended: Generation) -> str:
    return str(ended.error.kind) if ended.error else ''


@asynccontextmanager
async def _visiting(app: ASGIApp, times: list[float]) -> AsyncIterator[None]:
    """Ask for a page again and again; `times` takes what this process computed until it came."""

    async def visit() -> None:
        while True:
            began, computed = time.perf_counter(), time.process_time()
            await knock(app, 'GET', '/gallery', HOME)
            took_s = time.perf_counter() - began
            times.append(min(took_s, time.process_time() - computed))
            await asyncio.sleep(PAUSE_S)

    visitor = asyncio.create_task(visit())
    await asyncio.sleep(2 * PAUSE_S)
    try:
        yield
    finally:
        await asyncio.sleep(2 * PAUSE_S)
        visitor.cancel()
        await asyncio.gather(visitor, return_exceptions=True)


if __name__ == '__main__':
    sys.exit(main())

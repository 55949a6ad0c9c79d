"""Claims: what passing a picture on costs, beside httpx alone.

A 20 MB picture from request to renamed and synced file takes at most twice as long as the same
client's plain download, 4 MB more memory, and stalls the loop for at most 15 ms more than an idle
one is stalled; a small call gains at most 3 ms over a direct one. The decoder is a process of its
own and outside the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from app.cli.serve import run
from bench.measure import (
    Beats,
    Claim,
    beating,
    gained_ms,
    judge,
    middle_ms,
    middle_ratio,
    print_table,
)
from bench.roads import Roads, Taken, roads_to
from bench.upstream import ROOT, upstream
from bench.whole import Whole, whole_from

MOST_RATIO = 2.0
MOST_MEMORY_MB = 4.0
MOST_STALL_MS = 15.0
MOST_SMALL_GAIN_MS = 3.0
IDLE_S = 0.15  # about as long as a large picture takes
NO_DISK = Path('/dev/shm')  # where a sync costs nothing, so that the rest shows

Road = Callable[[str], Awaitable[Taken]]


@dataclass(frozen=True, slots=True)
class Stalls:
    """The beats of all rounds, and the worst one of each round."""

    every: Beats = field(default_factory=Beats)
    worst_ms: list[float] = field(default_factory=list)

    def add(self, beats: Beats) -> None:
        """Add a round."""
        self.every.late_s.extend(beats.late_s)
        self.every.own_s.extend(beats.own_s)
        self.worst_ms.append(beats.worst_ms)

    def row(self, name: str) -> tuple[str, ...]:
        """Lay out one line of the table."""
        return (
            name,
            f'{median(self.worst_ms):.1f}',
            f'{self.every.quantile_ms(0.999):.1f}',
            f'{self.every.worst_ms:.1f}',
            f'{self.every.worst_own_ms:.1f}',
        )


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--folder', type=Path, default=Path(tempfile.gettempdir()))
    chosen = parser.parse_args()
    claims: list[Claim] = []
    with upstream() as url:
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            claims += speed(url, Path(folder), chosen.rounds, 'disk')
            claims += stalls(url, Path(folder), chosen.rounds)
            claims += memory(url, Path(folder), chosen.rounds)
        with tempfile.TemporaryDirectory(dir=NO_DISK) as folder:
            speed(url, Path(folder), chosen.rounds, 'memory, where a sync is free: not judged')
    return judge(claims)


def speed(url: str, folder: Path, rounds: int, where: str) -> list[Claim]:
    """Time the roads in turn, and compare them pair by pair."""
    large: dict[str, list[Taken]] = {}
    chunked: dict[str, list[Taken]] = {}
    small: dict[str, list[Taken]] = {}

    async def measure() -> int:
        async with roads_to(url, folder) as roads:
            await in_turn(roads, 'small', 3)
            large.update(await in_turn(roads, 'large', rounds))
            chunked.update(await in_turn(roads, 'chunked', rounds))
            small.update(await in_turn(roads, 'small', rounds * 9))
        return 0

    run(measure())
    _print_roads(f'20 MB, ms, to {where}', large)
    _print_roads(f'20 MB in chunks, ms, to {where}', chunked)
    _print_roads(f'49 kB, ms, to {where}', small)
    ratio = middle_ratio(_placed(large['ours']), _placed(large['plain']))
    gain_ms = gained_ms(_placed(small['ours']), _placed(small['direct']))
    return [
        Claim('20 MB, to the plain download', ratio, MOST_RATIO, 'times'),
        Claim('49 kB, over a direct call', gain_ms, MOST_SMALL_GAIN_MS, 'ms'),
    ]


async def in_turn(roads: Roads, prompt: str, rounds: int) -> dict[str, list[Taken]]:
    """Walk the three roads in turn, in another order each round."""
    ways: list[tuple[str, Road]] = [
        ('ours', roads.ours),
        ('plain', roads.plain),
        ('direct', roads.direct),
    ]
    taken: dict[str, list[Taken]] = {name: [] for name, _ in ways}
    for _ in range(rounds):
        for name, way in ways:
            taken[name].append(await way(prompt))
        ways.append(ways.pop(0))
    return taken


def stalls(url: str, folder: Path, rounds: int) -> list[Claim]:
    """Beat while nothing happens, while ours works and while httpx alone does, in turn."""
    idle, ours, plain = Stalls(), Stalls(), Stalls()

    async def measure() -> int:
        async with roads_to(url, folder) as roads:
            await in_turn(roads, 'large', 1)
            for _ in range(rounds * 2):
                idle.add(await _beats_during(asyncio.sleep(IDLE_S)))
                ours.add(await _beats_during(roads.ours('large')))
                plain.add(await _beats_during(roads.plain('large')))
        return 0

    run(measure())
    head = ('', 'median worst', 'p99.9', 'worst', 'worst of our own')
    rows = [idle.row('idle'), ours.row('ours'), plain.row('plain download')]
    print_table('how late the beats of the loop come, 20 MB, ms', [head, *rows])
    own_ms = ours.every.worst_own_ms - idle.every.worst_own_ms
    usual_ms = median(ours.worst_ms) - median(idle.worst_ms)
    return [
        Claim('longest stall that is our own, over idle', own_ms, MOST_STALL_MS, 'ms'),
        Claim("a round's longest stall over idle, median", usual_ms, MOST_STALL_MS, 'ms'),
    ]


async def _beats_during(work: Awaitable[object]) -> Beats:
    beats = Beats()
    async with beating(beats):
        await work
    return beats


def memory(url: str, folder: Path, rounds: int) -> list[Claim]:
    """Run whole servers, each fresh, and take what they say of themselves."""
    wholes = [_fresh(url, folder / f'whole-{number}') for number in range(rounds)]
    ones, severals = [whole.one for whole in wholes], [whole.several for whole in wholes]
    rows = [('', 'prompt to done, ms', 'peak, MB', 'left, MB', 'longest stall, ms', 'of our own')]
    for name, drawn in (('1 x 20 MB', ones), ('4 x 20 MB at once', severals)):
        rows.append(
            (
                name,
                f'{middle_ms(each.took_s for each in drawn):.0f}',
                f'{median(each.peak_kb for each in drawn) / 1024:.2f}',
                f'{median(each.left_kb for each in drawn) / 1024:.2f}',
                f'{median(each.worst_stall_ms for each in drawn):.1f}',
                f'{median(each.worst_own_stall_ms for each in drawn):.1f}',
            )
        )
    child_mb = median(whole.child_peak_kb for whole in wholes) / 1024
    print_table(f'the whole worker, decoder and all (its peak: {child_mb:.0f} MB)', rows)
    peak_mb = median(one.peak_kb for one in ones) / 1024
    return [Claim('20 MB, memory of the server', peak_mb, MOST_MEMORY_MB, 'MB')]


def _fresh(url: str, data: Path) -> Whole:
    said = subprocess.run(
        [sys.executable, '-m', 'bench.whole', url, str(data)],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        check=True,
    )
    return whole_from(json.loads(said.stdout))


def _print_roads(title: str, taken: dict[str, list[Taken]]) -> None:
    head = ('', 'bytes there', 'in place', 'to plain', 'to direct')
    rows = [
        (
            name,
            f'{middle_ms(one.arrived_s for one in each):.1f}',
            f'{middle_ms(_placed(each)):.1f}',
            f'{middle_ratio(_placed(each), _placed(taken["plain"])):.2f}',
            f'{gained_ms(_placed(each), _placed(taken["direct"])):+.2f}',
        )
        for name, each in taken.items()
    ]
    print_table(title, [head, *rows])


def _placed(taken: list[Taken]) -> list[float]:
    return [each.placed_s for each in taken]


if __name__ == '__main__':
    sys.exit(main())

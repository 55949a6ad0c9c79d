"""What the benches share: claims and their verdict, a table, a heartbeat, a process's memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

BEAT_S = 0.001


@dataclass(frozen=True, slots=True)
class Claim:
    """One stated limit, and what was measured against it."""

    name: str
    measured: float
    limit: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether the measured value is within the limit."""
        return self.measured <= self.limit


@dataclass(slots=True)
class Beats:
    """How late each beat of a loop came, in seconds.

    Attributes:
        own_s: What of that this process itself computed; the rest is the machine's.
    """

    late_s: list[float] = field(default_factory=list)
    own_s: list[float] = field(default_factory=list)

    @property
    def worst_ms(self) -> float:
        """The longest stall."""
        return max(self.late_s, default=0.0) * 1000

    @property
    def worst_own_ms(self) -> float:
        """The longest stall that no other process made."""
        return max(self.own_s, default=0.0) * 1000

    def quantile_ms(self, share: float) -> float:
        """Give the stall that this share of the beats stays under."""
        ordered = sorted(self.late_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


@contextlib.asynccontextmanager
async def beating(beats: Beats) -> AsyncIterator[None]:
    """Beat every millisecond on the running loop for as long as the block lasts."""

    async def beat() -> None:
        before, computed_before = time.perf_counter(), time.process_time()
        while True:
            await asyncio.sleep(BEAT_S)
            now, computed = time.perf_counter(), time.process_time()
            late_s = max(0.0, now - before - BEAT_S)
            beats.late_s.append(late_s)
            beats.own_s.append(min(late_s, computed - computed_before))
            before, computed_before = now, computed

    task = asyncio.create_task(beat())
    await asyncio.sleep(2 * BEAT_S)  # so that the first beat is under way
    try:
        yield
    finally:
        await asyncio.sleep(2 * BEAT_S)  # so that a stall at the end is seen
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def forget_peak() -> None:
    """Let this process's peak memory start again from what it holds now. Linux only."""
    Path('/proc/self/clear_refs').write_text('5', encoding='ascii')


def memory_kb(name: str, pid: int | str = 'self') -> int:
    """Read one line of a process's status in kB: `VmRSS`, or `VmHWM` for the peak. Linux only."""
    for line in Path(f'/proc/{pid}/status').read_text(encoding='ascii').splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1])
    raise ValueError(name)


def children() -> list[int]:
    """Give the processes that the main thread of this one started. Linux only."""
    text = Path(f'/proc/self/task/{os.getpid()}/children').read_text(encoding='ascii')
    return [int(pid) for pid in text.split()]


def middle_ms(seconds: Iterable[float]) -> float:
    """Give the median, in milliseconds."""
    return median(seconds) * 1000


def middle_ratio(above: Iterable[float], below: Iterable[float]) -> float:
    """Give the median of the ratios, pair by pair: what slowed one slowed the other."""
    return median(one / other for one, other in zip(above, below, strict=True))


def gained_ms(above: Iterable[float], below: Iterable[float]) -> float:
    """Give the median of the differences, pair by pair, in milliseconds."""
    return middle_ms(one - other for one, other in zip(above, below, strict=True))


def judge(claims: Sequence[Claim]) -> int:
    """Print each claim with its verdict; returns the exit status."""
    rows = [
        (
            'PASS' if claim.holds else 'FAIL',
            claim.name,
            f'{claim.measured:.2f} {claim.unit}',
            f'at most {claim.limit:g} {claim.unit}',
        )
        for claim in claims
    ]
    print_table('claims', rows)
    return 0 if all(claim.holds for claim in claims) else 1


def print_table(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(f'\n{title}')
    for row in rows:
        print('  ' + '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))

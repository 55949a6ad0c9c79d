"""Proves that another page stays quick while four pictures of 20 MB arrive.

The real server asks an API that sends as fast as the socket takes; a visitor loads the gallery
again and again, first with nothing else to do, then while four generations are under way.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from bench.measure import Claim, judge, print_table
from bench.upstream import upstream
from tests.support.servers import Easel, executed, running_easel

AT_ONCE = 4
MOST_BEYOND_MS = 30.0
IDLE_S = 3.0
PAUSE_S = 0.005
LONGEST_ROUND_S = 60.0


def main() -> int:
    """Run it; exit status 1 if the claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5)
    rounds = parser.parse_args().rounds
    alone: list[float] = []
    beside: list[float] = []
    with tempfile.TemporaryDirectory() as folder, upstream() as url:
        environment = {'EASEL_API_URL': url, 'EASEL_LOG': 'error'}
        with running_easel(Path(folder) / 'data', environment, executed) as easel:
            easel.draw(prompt='small')
            for _ in range(rounds):
                alone += visits(easel, IDLE_S)
                drawn = [easel.submit(prompt='large') for _ in range(AT_ONCE)]
                beside += visits(easel, LONGEST_ROUND_S, partial(_are_done, easel, drawn))
    return judge_beside(alone, beside)


def visits(
    easel: Easel, seconds: float, is_over: Callable[[], bool] = lambda: False
) -> list[float]:
    """Load the page until the time, or what goes on beside, is over; seconds each took."""
    times: list[float] = []
    ending = time.monotonic() + seconds
    with httpx.Client(base_url=easel.url, trust_env=False, timeout=30) as client:
        while time.monotonic() < ending:
            began = time.perf_counter()
            client.get('/gallery').raise_for_status()
            times.append(time.perf_counter() - began)
            time.sleep(PAUSE_S)
            if len(times) % 10 == 0 and is_over():
                break
    return times


def judge_beside(alone: list[float], beside: list[float], *more: Claim) -> int:
    """Print what the visits took, and judge that with more claims; returns the exit status."""
    rows = [('idle', *_row(alone)), ('beside', *_row(beside))]
    print_table('GET /gallery', [('', 'visits', 'median ms', 'p99 ms'), *rows])
    beyond_ms = _quantile_ms(beside, 0.99) - _quantile_ms(alone, 0.99)
    return judge([Claim("the page's p99 beyond idle", beyond_ms, MOST_BEYOND_MS, 'ms'), *more])


def _are_done(easel: Easel, generations: list[int]) -> bool:
    return all(easel.generation(one)['status'] == 'done' for one in generations)


def _row(times: list[float]) -> tuple[str, str, str]:
    return (str(len(times)), f'{_quantile_ms(times, 0.5):.1f}', f'{_quantile_ms(times, 0.99):.1f}')


def _quantile_ms(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


if __name__ == '__main__':
    sys.exit(main())

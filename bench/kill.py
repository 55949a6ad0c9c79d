"""Ends the server with SIGKILL, again and again, and accounts for everything it had accepted.

Run as `python -m bench.kill [--random 300] [--seed 1] [--only-random]`: at random moments, then at
each open, write, fsync, rename and unlink of one whole generation (needs a C compiler). At the end
`rebuild` must bring back the gallery as it was.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.injection import KINDS, Injection
from bench.ledger import Ledger, faults_of, gallery, keeping_account, wait_until_settled
from bench.measure import Claim, judge
from tests.support.servers import (
    ROOT,
    Easel,
    clean_environment,
    executed,
    running_easel,
    start_easel,
)

AT_ONCE = 3
LONGEST_LIFE_S = 1.5
SETTLES_WITHIN_S = 30.0
CHECKED_EVERY = 25


def main() -> int:
    """Run all of it; exit status 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--random', type=int, default=300)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--only-random', action='store_true')
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        faults = list(_at_random(scratch / 'random', chosen.random, random.Random(chosen.seed)))
        if not chosen.only_random:
            faults += _at_each_call(scratch)
    for fault in faults:
        print(f'  {fault}')
    return judge([Claim('lost, asked twice, partial, unattached, not rebuilt', len(faults), 0, '')])


def _at_random(data: Path, kills: int, chance: random.Random) -> Iterator[str]:
    data.parent.mkdir(exist_ok=True)
    with keeping_account() as ledger:
        settings = {'EASEL_API_URL': ledger.url, 'EASEL_LOG': 'error'}
        prompts = (f'picture {number}' for number in itertools.count())
        for number in range(1, kills + 1):
            easel = start_easel(data, settings, by=executed)
            _live(easel, ledger, prompts, chance.uniform(0, LONGEST_LIFE_S))
            easel.stop(signal.SIGKILL)
            if number % CHECKED_EVERY == 0 or number == kills:
                yield from _checked(data, settings, ledger)
                print(f'{number} kills, {len(ledger.accepted)} accepted', flush=True)
        yield from _rebuilt(data)


def _live(easel: Easel, ledger: Ledger, prompts: Iterator[str], seconds: float) -> None:
    """Send prompts until the life is over."""
    ending = time.monotonic() + seconds
    with easel.client() as client:
        sent = 0
        while time.monotonic() < ending:
            if sent < AT_ONCE:
                ledger.submit(client, next(prompts))
                sent += 1
            time.sleep(0.01)


def _checked(data: Path, settings: dict[str, str], ledger: Ledger) -> list[str]:
    with running_easel(data, settings, by=executed) as easel:
        wait_until_settled(easel, ledger, SETTLES_WITHIN_S)
        return faults_of(easel, ledger)


def _rebuilt(data: Path) -> Iterator[str]:
    """Rebuild a copy, and compare the galleries."""
    copy = data.with_name(f'{data.name}-copy')
    shutil.copytree(data, copy)
    before = gallery(copy)
    command = [sys.executable, '-m', 'app', 'rebuild', '--data', str(copy)]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), check=False)
    if done.returncode:
        yield f'rebuild ended with {done.returncode}'
    after = gallery(copy)
    yield from (f'not rebuilt: {row}' for row in before if row not in after)
    yield from (f'rebuilt, but was not there: {row}' for row in after if row not in before)
    print(f'rebuilt {len(after)} of {len(before)}', flush=True)


def _at_each_call(scratch: Path) -> list[str]:
    injection = Injection(scratch)
    faults = []
    with keeping_account() as ledger:
        settings = {'EASEL_API_URL': ledger.url, 'EASEL_LOG': 'error', **injection.environment}
        counts = _calls_of_one(scratch, settings, injection, ledger)
        print(f'calls of one generation: {counts}', flush=True)
        for kind in KINDS:
            for before in range(counts[kind]):
                where = f'{kind} {before + 1}'
                faults += [
                    f'killed at {where}: {fault}'
                    for fault in _one_kill(scratch, settings, injection, ledger, kind, before)
                ]
    return faults


def _calls_of_one(
    scratch: Path, settings: dict[str, str], injection: Injection, ledger: Ledger
) -> dict[str, int]:
    with running_easel(scratch / 'calls', settings, by=executed) as easel:
        easel.draw(prompt='the first makes the folders')
        injection.count(scratch / 'calls')
        easel.draw(prompt='counted')
        injection.end()
    return injection.counts


def _one_kill(
    scratch: Path,
    settings: dict[str, str],
    injection: Injection,
    ledger: Ledger,
    kind: str,
    before: int,
) -> list[str]:
    data = scratch / 'calls'
    easel = start_easel(data, settings, by=executed)
    injection.kill(data, kind, before)
    with easel.client() as client:
        ledger.submit(client, f'killed at {kind} {before}')
    with contextlib.suppress(subprocess.TimeoutExpired):
        easel.process.wait(3)
    injection.end()
    if easel.process.poll() is None:
        easel.stop(signal.SIGKILL)
    return _checked(data, settings, ledger)


if __name__ == '__main__':
    sys.exit(main())

"""Cuts the power of a server at random moments: what was told as done must still be there.

Run as `python -m bench.power [--cuts 50] [--seed 1]`; needs `pip install mfusepy`,
`fusermount3` and Linux. The data folder lies on `bench.volatile_disk`, which forgets what was not
synced.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.ledger import Ledger, keeping_account, wait_until_settled
from bench.measure import Claim, judge
from tests.support.servers import ROOT, Easel, executed, running_easel, start_easel

LONGEST_LIFE_S = 2.0
AT_ONCE = 3
MOUNTED_WITHIN_S = 5.0
SETTLES_WITHIN_S = 30.0


@dataclass(slots=True)
class Told:
    """What a server had answered before the cut: accepted ids, and digests of what was done."""

    accepted: set[int] = field(default_factory=set)
    done: dict[int, set[str]] = field(default_factory=dict)


def main() -> int:
    """Run all of it; exit status 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--cuts', type=int, default=50)
    parser.add_argument('--seed', type=int, default=1)
    chosen = parser.parse_args()
    chance, lost, told = random.Random(chosen.seed), list[str](), Told()
    with tempfile.TemporaryDirectory() as folder, keeping_account() as ledger:
        content = Path(folder) / 'content 0'
        content.mkdir()
        prompts = (f'picture {number}' for number in itertools.count())
        for cut in range(1, chosen.cuts + 1):
            left = Path(folder) / f'content {cut}'
            with _mounted(Path(folder) / 'mount', content, chance) as disk:
                _live(disk, left, ledger, prompts, told, chance)
            shutil.rmtree(content)
            content = left
            if cut % 10 == 0 or cut == chosen.cuts:
                lost += _lost(content, ledger, told)
                print(f'{cut} cuts, {len(told.accepted)} accepted, {len(told.done)} told as done')
    for one in lost:
        print(f'  {one}')
    return judge([Claim('lost of what was told', len(lost), 0, '')])


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted volatile disk."""

    mount: Path
    process: subprocess.Popen[str]

    def cut(self, left: Path) -> None:
        """Write what a power cut at this moment leaves."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f'{left}\n')
        self.process.stdin.flush()
        self.process.stdout.readline()


@contextlib.contextmanager
def _mounted(mount: Path, content: Path, chance: random.Random) -> Iterator[Disk]:
    mount.mkdir(exist_ok=True)
    arguments = [str(mount), str(content), str(chance.randrange(1 << 30))]
    process = subprocess.Popen(
        [sys.executable, '-m', 'bench.volatile_disk', *arguments],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    ending = time.monotonic() + MOUNTED_WITHIN_S
    while not mount.is_mount():
        if time.monotonic() > ending:
            raise TimeoutError(mount)
        time.sleep(0.02)
    try:
        yield Disk(mount, process)
    finally:
        subprocess.run(['fusermount3', '-u', '-z', str(mount)], check=True)
        process.wait(MOUNTED_WITHIN_S)


def _live(
    disk: Disk,
    left: Path,
    ledger: Ledger,
    prompts: Iterator[str],
    told: Told,
    chance: random.Random,
) -> None:
    """Run a server on the disk for a while, note what it tells, and cut the power."""
    settings = {'EASEL_API_URL': ledger.url, 'EASEL_LOG': 'error'}
    easel = start_easel(disk.mount, settings, by=executed)
    try:
        ending = time.monotonic() + chance.uniform(0.2, LONGEST_LIFE_S)
        with easel.client() as client:
            for _ in range(AT_ONCE):
                if number := ledger.submit(client, next(prompts)):
                    told.accepted.add(number)
            while time.monotonic() < ending:
                _note(client, told)
        disk.cut(left)
    finally:
        easel.stop(signal.SIGKILL)


def _note(client: httpx.Client, told: Told) -> None:
    for shown in client.get('/generations.json').json()['generations']:
        if shown['status'] == 'done':
            told.done[shown['id']] = {image['digest'] for image in shown['images']}


def _lost(content: Path, ledger: Ledger, told: Told) -> Iterator[str]:
    """Name what a server that starts with what is left does not have."""
    with running_easel(content, {'EASEL_API_URL': ledger.url}, by=executed) as easel:
        wait_until_settled(easel, ledger, SETTLES_WITHIN_S)
        with easel.client() as client:
            for number in sorted(told.accepted):
                if client.get(f'/generations/{number}.json').status_code != httpx.codes.OK:
                    yield f'{number} was accepted'
            for number, digests in told.done.items():
                yield from _not_whole(easel, number, digests)


def _not_whole(easel: Easel, number: int, digests: set[str]) -> Iterator[str]:
    with easel.client() as client:
        for digest in digests:
            content = client.get(f'/files/{digest}.png').content
            if hashlib.sha256(content).hexdigest() != digest:
                yield f'{number} was told as done, and its picture is not whole'


if __name__ == '__main__':
    sys.exit(main())

"""Lets the storage of a running server fail in many ways, and accounts for every picture.

Run as `python -m bench.faults [--count 200] [--seed 1]`. Each fault is one `errno` at some kinds of
calls on a part of the data folder, for a while; then a volume that fills (needs root, for a tmpfs)
and a database that another program locks for 12 s. Needs a C compiler. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import itertools
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.injection import Injection
from bench.ledger import Ledger, faults_of, keeping_account, wait_until_settled
from bench.measure import Claim, judge
from tests.support.servers import Easel, executed, running_easel

AT_ONCE = 4  # calls of one server, as it is set where nobody set it
SENT = 6
LASTS_S = 2.0
RESUMES_WITHIN_S = 10.0
MOST_PAGE_S = 1.0
LOCKED_S = 12.0
VOLUME_MB = 12
LARGE_SIDE = 590  # pixels of noise: 1 MB
PAGES = ('/', '/gallery', '/generations', '/settings')
ERRORS = {
    errno.EIO: ('open', 'write', 'fsync'),
    errno.ENOSPC: ('open', 'write', 'mkdir'),
    errno.EMFILE: ('open',),
    errno.EROFS: ('open', 'rename', 'unlink', 'mkdir'),
    errno.EXDEV: ('rename',),
    errno.EACCES: ('open', 'rename', 'unlink', 'mkdir'),
}
PLACES = ('', 'images', 'arriving', 'thumbs', 'easel.db', 'cache')


@dataclass(slots=True)
class Found:
    """What must not be, and the worst of each limit.

    Attributes:
        most_asked: Calls during one fault whose pictures were not kept while it lasted.
    """

    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    most_asked: int = 0
    longest_resume_s: float = 0.0


def main() -> int:
    """Run all of it; exit status 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--only', choices=['calls', 'volume', 'lock'], default='')
    chosen = parser.parse_args()
    found = Found()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if chosen.only in ('', 'calls'):
            _failing_calls(scratch, chosen.count, random.Random(chosen.seed), found)
        if chosen.only in ('', 'volume'):
            _full_volume(scratch / 'volume', found)
        if chosen.only in ('', 'lock'):
            _locked_database(scratch / 'locked', found)
    for fault in found.faults:
        print(f'  {fault}')
    return judge(
        [
            Claim('accepted pictures lost, and what else must not be', len(found.faults), 0, ''),
            Claim('the slowest page', found.slowest_s, MOST_PAGE_S, 's'),
            Claim('calls asked into broken storage', found.most_asked, AT_ONCE, ''),
            Claim('resumed after', found.longest_resume_s, RESUMES_WITHIN_S, 's'),
        ]
    )


def _failing_calls(scratch: Path, count: int, chance: random.Random, found: Found) -> None:
    injection, data = Injection(scratch), scratch / 'data'
    prompts = (f'picture {number}' for number in itertools.count())
    with keeping_account() as ledger:
        settings = {'EASEL_API_URL': ledger.url, 'EASEL_LOG': 'error', **injection.environment}
        with running_easel(data, settings, by=executed) as easel:
            easel.draw(prompt='the first makes the folders')
            for number in range(1, count + 1):
                error = chance.choice(list(ERRORS))
                kinds = [kind for kind in ERRORS[error] if chance.random() < 0.6] or ERRORS[error]
                place = chance.choice(PLACES)
                name = f'{number} {errno.errorcode[error]} at {"+".join(kinds)} in {place or "all"}'
                begin = lambda: injection.fail(data / place, kinds, error)  # noqa: B023, E731
                _one(easel, ledger, prompts, begin, injection.end, LASTS_S, name, found)
                if number % 20 == 0:
                    print(f'{number} faults, {len(found.faults)} not as it must be', flush=True)


def _full_volume(data: Path, found: Found) -> None:
    data.mkdir()
    filler = data / 'filler'
    mount = ['mount', '-t', 'tmpfs', '-o', f'size={VOLUME_MB}m', 'tmpfs', str(data)]
    subprocess.run(mount, check=True)
    try:
        with keeping_account(side=LARGE_SIDE) as ledger:
            prompts = (f'picture {number}' for number in itertools.count())
            settings = {'EASEL_API_URL': ledger.url, 'EASEL_LOG': 'error'}
            with running_easel(data, settings, by=executed) as easel:
                easel.draw(prompt='the first makes the folders')
                _one(
                    easel, ledger, prompts, lambda: _fill(filler), filler.unlink, LASTS_S,
                    'full volume', found,
                )  # fmt: skip
    finally:
        subprocess.run(['umount', str(data)], check=True)


def _fill(filler: Path) -> None:
    with filler.open('wb', buffering=0) as opened, contextlib.suppress(OSError):
        while True:
            opened.write(bytes(4096))


def _locked_database(data: Path, found: Found) -> None:
    prompts = (f'picture {number}' for number in itertools.count())
    with keeping_account() as ledger:
        settings = {'EASEL_API_URL': ledger.url, 'EASEL_LOG': 'error'}
        with running_easel(data, settings, by=executed) as easel:
            easel.draw(prompt='the first makes the folders')
            holder = sqlite3.connect(data / 'easel.db', isolation_level=None, timeout=10)
            _one(
                easel, ledger, prompts, lambda: holder.execute('begin immediate'),
                lambda: holder.execute('rollback'), LOCKED_S, 'database locked', found,
            )  # fmt: skip
            holder.close()


def _one(
    easel: Easel,
    ledger: Ledger,
    prompts: Iterator[str],
    begin: Callable[[], object],
    end: Callable[[], object],
    lasts_s: float,
    name: str,
    found: Found,
) -> None:
    """Let one fault begin while a picture is under way, send more, and see what becomes of them."""
    with easel.client() as client:
        ledger.submit(client, next(prompts))
        before = len(ledger.began)
        begin()
        try:
            ending = time.monotonic() + lasts_s
            for number in itertools.count():
                if time.monotonic() >= ending:
                    break
                if number < SENT:
                    _timed(found, name, lambda: ledger.submit(client, next(prompts)))
                _timed(found, name, lambda: client.get(PAGES[number % len(PAGES)]))  # noqa: B023
                time.sleep(0.02)
            asked = len(ledger.began) - before
            kept = sum(easel.generation(one)['status'] == 'done' for one in ledger.accepted)
            found.most_asked = max(found.most_asked, asked - kept)
        finally:
            end()
    ended = time.monotonic()
    wait_until_settled(easel, ledger, RESUMES_WITHIN_S)
    found.longest_resume_s = max(found.longest_resume_s, time.monotonic() - ended)
    found.faults += [f'{name}: {fault}' for fault in faults_of(easel, ledger)]
    ledger.accepted.clear()


def _timed(found: Found, name: str, ask: Callable[[], object]) -> None:
    began = time.monotonic()
    try:
        answer = ask()
    except httpx.HTTPError as error:
        found.faults.append(f'{name}: a page was not answered: {error!r}')
        return
    if isinstance(answer, httpx.Response) and answer.is_server_error:
        found.faults.append(f'{name}: {answer.url.path} is {answer.status_code}')
    took_s = time.monotonic() - began
    if took_s > MOST_PAGE_S:
        print(f'{name}: a page took {took_s:.1f} s', flush=True)
    found.slowest_s = max(found.slowest_s, took_s)


if __name__ == '__main__':
    sys.exit(main())

"""Rebuilds a database of 10,000 pictures, and ends that with SIGKILL at ten moments.

Run as `python -m bench.rebuild [--pictures 10000]`. After each kill the old database must be in
use, whole and with its favourites, which no file tells (or the new one, whole as well, where the
kill came after the one step that replaces it); at the end every picture must come back with its
ids. The times are printed, not judged.
"""

from __future__ import annotations

import argparse
import contextlib
import operator
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from app.storage.metadata.copies import embed
from app.storage.metadata.label import Label
from bench.ledger import gallery
from bench.measure import Claim, judge
from tests.support.fakes import picture
from tests.support.servers import ROOT, clean_environment

PARTS = 6  # of the time that a rebuild takes
LOOKS_EVERY_S = 0.001
FAVOURITE_EVERY = 7
OF_ONE_GENERATION = 3
JOURNAL_BYTES = 100_000
DATABASE = 'easel.db'
FIRST_S = 1_767_225_600.0  # 2026-01-01


def main() -> int:
    """Run all of it; exit status 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pictures', type=int, default=10_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        _draw(data, chosen.pictures)
        print(f'the first, which makes thumbnails: {_rebuilt_s(data):.1f} s', flush=True)
        before = gallery(data)
        told = [(number, *_place(number)) for number in range(1, chosen.pictures + 1)]
        faults = [] if [row[:3] for row in before] == told else ['not everything was rebuilt']
        took_s = _rebuilt_s(data)
        print(f'another: {took_s:.1f} s', flush=True)
        marked = _mark(data)
        for name, is_reached in _moments(data, took_s):
            _kill(data, is_reached)
            in_use = _favourites(data)
            print(f'killed {name}: the {"old" if in_use else "new"} one is in use', flush=True)
            if gallery(data) != before or in_use not in (0, marked):
                faults.append(f'killed {name}: {in_use} of {marked} favourites, or not the gallery')
            marked = _mark(data)
        _rebuilt_s(data)
        faults += [] if gallery(data) == before else ['not everything came back at the end']
        faults += [f'{path.name} is left' for path in data.glob('easel-rebuilt*')]
    for fault in faults:
        print(f'  {fault}')
    return judge([Claim('lost, or half a database in use', len(faults), 0, '')])


def _draw(data: Path, pictures: int) -> None:
    """Write pictures as Easel names them, without a database."""
    source = data / 'source.png'
    source.write_bytes(picture(64, 48))
    for number in range(1, pictures + 1):
        path = data / 'images' / f'2026/01/{number // 1000 + 1:02}/{number:06}-a-fox.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        embed(source, path, _label(number))
    source.unlink()


def _label(number: int) -> Label:
    generation_id, position = _place(number)
    return Label(
        prompt=f'a fox, number {generation_id}',
        provider='bench',
        created_at=FIRST_S + number,
        generation_id=generation_id,
        position=position,
        image_id=number,
        seed=number,
    )


def _place(number: int) -> tuple[int, int]:
    return (number - 1) // OF_ONE_GENERATION + 1, (number - 1) % OF_ONE_GENERATION


def _start(data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, '-m', 'app', 'rebuild', '--data', str(data)]
    environment, quiet = clean_environment(), subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)


def _rebuilt_s(data: Path) -> float:
    began = time.monotonic()
    if status := _start(data).wait():
        raise SystemExit(f'rebuild ended with {status}')
    return time.monotonic() - began


def _mark(data: Path) -> int:
    """Mark favourites, which only the old database knows; give how many."""
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as db, db:
        done = db.execute('update images set favourite = 1 where id % ? = 0', (FAVOURITE_EVERY,))
        return done.rowcount


def _moments(data: Path, took_s: float) -> Iterator[tuple[str, Callable[[float], bool]]]:
    """Yield when to kill: parts of the usual time, then by what is on the disk."""
    for part in range(1, PARTS + 1):
        moment_s = took_s * part / (PARTS + 1)
        yield f'after {moment_s:.1f} s', partial(operator.le, moment_s)
    rebuilt = data / 'easel-rebuilt.db'
    yield 'as the new one appears', lambda _: rebuilt.exists()
    yield 'as its journal grows', lambda _: _size(data / 'easel-rebuilt.db-wal') > JOURNAL_BYTES
    yield 'as the new one is whole', lambda _: _size(rebuilt) > JOURNAL_BYTES
    kept = len([*data.glob('before-rebuild-*')])
    yield 'as the old one is kept', lambda _: len([*data.glob('before-rebuild-*')]) > kept


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _kill(data: Path, is_reached: Callable[[float], bool]) -> None:
    began = time.monotonic()
    with _start(data) as running:
        while running.poll() is None and not is_reached(time.monotonic() - began):
            time.sleep(LOOKS_EVERY_S)
        running.kill()


def _favourites(data: Path) -> int:
    """Count the favourites of a database that is whole; -1 for any other."""
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as db:
        [check] = db.execute('pragma quick_check(1)').fetchone()
        [favourites] = db.execute('select count(*) from images where favourite = 1').fetchone()
    return int(favourites) if check == 'ok' else -1


if __name__ == '__main__':
    sys.exit(main())

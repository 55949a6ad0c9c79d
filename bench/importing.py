"""Imports 10,000 pictures, and stops that with SIGKILL at eight moments and once with Ctrl+C.

Run as `python -m bench.importing [--pictures 10000]`. After each stop the database must be whole,
every row with its file; at the end every picture must be there once, byte for byte, with the
prompt and the date of its own, and no file without a row. The times and the memory are printed,
not judged.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from PIL import Image, PngImagePlugin

from bench.measure import Claim, judge
from tests.support.servers import ROOT, clean_environment

STOPS = 8
A_FOLDER = 500  # pictures
FIRST_S = 1_600_000_000
LOOKS_EVERY_S = 0.05
DATABASE = 'easel.db'
PARAMETERS = 'a fox, number {n}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {n}, Size: 64x48'
Row = tuple[str, str, str, int, float]  # file, digest, prompt, seed, date


def main() -> int:
    """Run all of it; exit status 1 if anything was lost or came twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pictures', type=int, default=10_000)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder:
        source, data = Path(folder) / 'from', Path(folder) / 'data'
        wanted = _draw(source, count)
        faults = []
        for stop in range(STOPS + 1):
            kind = signal.SIGINT if stop == STOPS // 2 else signal.SIGKILL
            _stop(source, data, count * (stop + 1) // (STOPS + 2), kind)
            rows = _rows(data)
            print(f'{kind.name} at {len(rows)} pictures', flush=True)
            faults += _wrong(data, rows)
        faults += _finish(source, data, count)
        rows = _rows(data)
        faults += _wrong(data, rows)
        told = Counter((digest, prompt, seed, made_at) for _, digest, prompt, seed, made_at in rows)
        faults += [] if told == wanted else [f'{len(told)} of {count} as they were']
        named = {row[0] for row in rows}
        images = data / 'images'
        kept = {path.relative_to(images).as_posix() for path in images.rglob('*.png')}
        faults += [f'{file} has no row' for file in kept - named]
        faults += [f'{path.name} is left' for path in (data / 'arriving').iterdir()]
    for fault in faults[:20]:
        print(f'  {fault}')
    return judge([Claim('lost, or came twice', len(faults), 0, '')])


def _draw(source: Path, count: int) -> Counter[tuple[str, str, int, float]]:
    """Write pictures as other programs do; return what must come of them."""
    wanted: Counter[tuple[str, str, int, float]] = Counter()
    for number in range(1, count + 1):
        path = source / f'{number // A_FOLDER:03}' / f'{number:06}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        info = PngImagePlugin.PngInfo()
        info.add_text('parameters', PARAMETERS.format(n=number))
        colour = (number % 256, number // 256 % 256, 90)
        Image.new('RGB', (64, 48), colour).save(path, pnginfo=info)
        os.utime(path, (FIRST_S + number, FIRST_S + number))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        wanted[digest, f'a fox, number {number}', number, float(FIRST_S + number)] += 1
    return wanted


def _start(source: Path, data: Path) -> subprocess.Popen[str]:
    command = [sys.executable, '-m', 'app', 'import', str(source), '--data', str(data)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _stop(source: Path, data: Path, at: int, kind: signal.Signals) -> None:
    """Import until there are so many rows, or it is at its end; then stop it."""
    with _start(source, data) as running:
        while running.poll() is None and _count(data) < at:
            time.sleep(LOOKS_EVERY_S)
        running.send_signal(kind)


def _finish(source: Path, data: Path, count: int) -> list[str]:
    """Import the rest, then all once more, which must change nothing."""
    faults = []
    for said in ('the rest', 'once more'):
        before, began, most_kb = _count(data), time.monotonic(), 0
        with _start(source, data) as running:
            while running.poll() is None:
                most_kb = max(most_kb, _memory_kb(running.pid))
                time.sleep(LOOKS_EVERY_S)
            text = running.stdout.read() if running.stdout else ''
        took_s, new = time.monotonic() - began, _count(data) - before
        print(f'{said}: {new} in {took_s:.1f} s, {most_kb // 1024} MB; {text.strip()}', flush=True)
        faults += [f'{said}: exit status {running.returncode}'] if running.returncode else []
    return faults if _count(data) == count else [*faults, f'{_count(data)} rows of {count}']


def _memory_kb(pid: int) -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f'/proc/{pid}/status').read_text(encoding='ascii').splitlines()
        return int(next(line for line in lines if line.startswith('VmHWM')).split()[1])
    return 0


def _count(data: Path) -> int:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_opened(data)) as db:
        return int(db.execute('select count(*) from images').fetchone()[0])
    return 0


def _rows(data: Path) -> list[Row]:
    sql = """
        select file, digest, prompt, images.seed, images.created_at
        from images
        join generations on generations.id = images.generation_id
    """
    with contextlib.closing(_opened(data)) as db:
        [check] = db.execute('pragma quick_check(1)').fetchone()
        return list(db.execute(sql)) if check == 'ok' else []


def _opened(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(f'file:{data / DATABASE}?mode=ro', uri=True)


def _wrong(data: Path, rows: list[Row]) -> list[str]:
    """Name the rows whose file is not there whole, and what came twice."""
    faults = []
    for file, digest, *_ in rows:
        path = data / 'images' / file
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            faults.append(f'{file} is not whole')
    twice = len(rows) - len({digest for _, digest, *_ in rows})
    return [*faults, *([f'{twice} came twice'] if twice else [])]


if __name__ == '__main__':
    sys.exit(main())

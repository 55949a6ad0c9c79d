"""Proves that a backup of 10,000 pictures lets everybody else go on, and brings everything back.

The real server generates without a pause while a visitor loads pages; then a backup is made beside
that, by the command and as a download from Settings. Both are restored and verified.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.measure import Claim, judge, print_table
from bench.upstream import noise_png, upstream
from tests.support.servers import (
    ROOT,
    Easel,
    clean_environment,
    executed,
    running_easel,
    start_easel,
)

MOST_BEYOND_MS = 100.0
DISTINCT = 16  # files that the pictures share
SIDE = 96  # pixels; of noise: 28 kB
AT_ONCE = 2  # generations that are kept waiting
PAUSE_S = 0.005
IDLE_S = 10.0
PAGES = ('/gallery', '/generations', '/images/17', '/health')


def main() -> int:
    """Run it; exit status 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pictures', type=int, default=10_000)
    pictures = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder, upstream() as url:
        scratch = Path(folder)
        environment = {'EASEL_API_URL': url, 'EASEL_LOG': 'error'}
        fill(scratch / 'data', pictures, environment)
        with running_easel(scratch / 'data', environment, executed) as easel:
            alone = visited(easel, lambda: time.sleep(IDLE_S))
            with generating(easel):
                loaded = visited(easel, lambda: time.sleep(IDLE_S))
                by_command = visited(easel, lambda: command(easel, 'backup', scratch / 'one.tar'))
                by_page = visited(easel, lambda: download(easel, scratch / 'two.tar'))
        missing = sum(not_restored(scratch, scratch / name) for name in ('one.tar', 'two.tar'))
        size_mb = (scratch / 'one.tar').stat().st_size / 1e6
    measured = {'idle': alone, 'load': loaded, 'backup': by_command, 'download': by_page}
    rows = [(name, *row_of(times)) for name, times in measured.items()]
    title = f'other pages while {pictures} pictures, {size_mb:.0f} MB, are backed up'
    print_table(title, [('', 'visits', 'median ms', 'p99 ms', 'longest ms'), *rows])
    claims = [
        Claim(f"p99 beside the {name}, beyond idle's", p99_ms(times) - p99_ms(alone), limit, 'ms')
        for name, times, limit in (
            ('command', by_command, MOST_BEYOND_MS),
            ('download', by_page, MOST_BEYOND_MS),
        )
    ]
    return judge([*claims, Claim('rows or files that did not come back', missing, 0, '')])


def fill(data: Path, pictures: int, environment: dict[str, str]) -> None:
    """Make a folder that a server would have made, its pictures hard links to a few files."""
    data.mkdir()
    start_easel(data, environment, by=executed).stop()
    contents = [noise_png(SIDE)[: -16 - number] + bytes(16 + number) for number in range(DISTINCT)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    for number, content in enumerate(contents):
        (data.parent / f'{number}.png').write_bytes(content)
    rows = []
    for number in range(1, pictures + 1):
        one = number % DISTINCT
        file = f'{2017 + number % 10}/{number % 12 + 1:02}/{number % 28 + 1:02}/{number}-a-fox.png'
        place = data / 'images' / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(data.parent / f'{one}.png')
        rows.append((number, number, digests[one], file, SIDE, SIDE, len(contents[one])))
    database = sqlite3.connect(data / 'easel.db')
    database.executemany(
        'insert into generations (id, status, prompt, asked_provider, provider, created_at) '
        "values (?, 'done', 'a fox in the snow', '', 'studio', 1.0)",
        [(number,) for number in range(1, pictures + 1)],
    )
    database.executemany(
        'insert into images (id, generation_id, position, digest, file, mime, width, height, '
        'size_bytes, mean_colour, provider, created_at) '
        "values (?, ?, 0, ?, ?, 'image/png', ?, ?, ?, '#808080', 'studio', 1.0)",
        rows,
    )
    database.commit()
    database.close()


@contextmanager
def generating(easel: Easel) -> Iterator[None]:
    """Keep generations under way for as long as the block lasts."""
    ending = threading.Event()

    def generate() -> None:
        while not ending.is_set():
            for one in [easel.submit(prompt='small') for _ in range(AT_ONCE)]:
                easel.wait(one)

    thread = threading.Thread(target=generate)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def visited(easel: Easel, work: Callable[[], None]) -> list[float]:
    """Load pages, one after another, while work is done; return the seconds each took."""
    working = threading.Thread(target=work)
    times: list[float] = []
    with httpx.Client(base_url=easel.url, trust_env=False, timeout=30) as client:
        for page in PAGES:
            client.get(page).raise_for_status()
        working.start()
        while working.is_alive():
            began = time.perf_counter()
            client.get(PAGES[len(times) % len(PAGES)]).raise_for_status()
            times.append(time.perf_counter() - began)
            time.sleep(PAUSE_S)
    return times


def command(easel: Easel, name: str, file: Path) -> None:
    run(name, str(file), '--data', str(easel.data))


def run(*arguments: str) -> str:
    """Run a command of Easel's; return what it printed. Raises CalledProcessError."""
    return subprocess.run(
        [sys.executable, '-m', 'app', *arguments],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def download(easel: Easel, file: Path) -> None:
    address = f'{easel.url}/settings/backup.tar'
    with (
        file.open('wb') as output,
        httpx.stream('GET', address, trust_env=False, timeout=30) as response,
    ):
        response.raise_for_status()
        for block in response.iter_raw():
            output.write(block)


def not_restored(scratch: Path, archive: Path) -> int:
    """Restore and verify; count what was in the folder before the backup, and is not there."""
    restored = archive.with_suffix('')
    run('restore', str(archive), '--data', str(restored))
    run('verify', '--data', str(restored))
    made = sqlite3.connect(restored / 'easel.db').execute('select id, file, digest from images')
    came_back = {row for row in made.fetchall() if (restored / 'images' / row[1]).is_file()}
    before = sqlite3.connect(scratch / 'data' / 'easel.db').execute(
        'select id, file, digest from images where created_at = 1.0'
    )
    return len(set(before.fetchall()) - came_back)


def row_of(times: list[float]) -> tuple[str, ...]:
    ordered = sorted(times)
    middle, longest = ordered[len(ordered) // 2] * 1000, ordered[-1] * 1000
    return (str(len(times)), f'{middle:.1f}', f'{p99_ms(times):.1f}', f'{longest:.1f}')


def p99_ms(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)] * 1000


if __name__ == '__main__':
    sys.exit(main())

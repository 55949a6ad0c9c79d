"""Claims: a gallery of a million pictures answers as one of a thousand does.

Three servers, with 1,000, 100,000 and a million pictures, are asked the same in turns: the median
at a million is at most 1.2 times that at a thousand, and the 99th percentile at most 5 ms more;
the server's memory stays below 90 MB. Then one thing is done with 100,000 pictures at once, and
undone: each answers within a second, and meanwhile no page takes more than 100 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import gallery_rows
from bench.gallery_questions import Gallery, questions
from bench.measure import Claim, judge, memory_kb, print_table
from tests.support.servers import executed, running_easel

SIZES = (1_000, 100_000, 1_000_000)
MOST_MEMORY_MB = 90
ACTED_ON = 100_000
MOST_ANSWER_MS, MOST_OTHER_MS = 1_000.0, 100.0
PAUSE_S, LOOK_EVERY_S = 0.01, 0.2
OTHERS = ('/gallery', '/gallery.json?q=detailed', '/health', '/gallery.json?deleted=1')


def main() -> int:
    """Fill, or measure, print and judge."""
    parser = argparse.ArgumentParser(prog='python -m bench.gallery', description=__doc__)
    commands = parser.add_subparsers(dest='command')
    filling = commands.add_parser('fill', help='fill a data folder that has no pictures yet')
    filling.add_argument('data', type=Path)
    filling.add_argument('rows', type=int)
    parser.add_argument('--folders', type=Path, help='where folders of each size are, or are made')
    parser.add_argument('--sizes', type=int, nargs='+', default=SIZES)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', default='', help='questions by a pattern; `act` is the act alone')
    chosen = parser.parse_args()
    if chosen.command == 'fill':
        gallery_rows.main(chosen.data, chosen.rows)
        return 0
    claims = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = chosen.folders or Path(scratch)
        for rows in chosen.sizes:
            if not (folders / str(rows)).exists():
                gallery_rows.main(folders / str(rows), rows)
        if chosen.only != 'act':
            claims += asked(folders, chosen.sizes, chosen.rounds, chosen.only)
        if chosen.only in ('', 'act') and ACTED_ON in chosen.sizes:
            claims += acted(folders / str(ACTED_ON))
    return judge(claims)


def asked(folders: Path, sizes: Sequence[int], rounds: int, only: str) -> list[Claim]:
    """Ask every gallery every question, in turns."""
    first, *others = questions()
    wanted = [first, *(one for one in others if re.search(only, one.name))]
    claims = []
    with contextlib.ExitStack() as closing:
        galleries = [closing.enter_context(opened(folders / str(rows), rows)) for rows in sizes]
        for _ in range(rounds):
            for question in wanted:
                for gallery in galleries:
                    question.ask(gallery)
        for gallery in galleries:
            used_mb = memory_kb('VmRSS', gallery.easel.process.pid) / 1024
            name = f'memory with {gallery.rows} pictures'
            claims.append(Claim(name, used_mb, MOST_MEMORY_MB, 'MB'))
    head = ('median/p99 ms', *(f'{rows:,}' for rows in sizes), 'images')
    print_table('questions', [head, *(one.row(sizes) for one in wanted)])
    small, large = min(sizes), max(sizes)
    return claims + [claim for one in wanted for claim in one.claims(small, large, first)]


@contextlib.contextmanager
def opened(data: Path, rows: int) -> Iterator[Gallery]:
    with running_easel(data, {'EASEL_LOG': 'error'}, executed) as easel:
        gallery = Gallery.of(rows, easel)
        try:
            yield gallery
        finally:
            gallery.connection.close()


def acted(data: Path) -> list[Claim]:
    """Mark all pictures as favourites, and take that back, while others look at pages."""
    claims = []
    with opened(data, ACTED_ON) as gallery:
        [newest, *_] = json.loads(gallery.ask('/gallery.json')[1])['images']
        fields = {'act': 'favourite', 'all': 1, 'top': newest['id']}
        act = ''
        for name in ('an act on 100,000', 'its undo'):
            with looking(gallery) as times:
                if act:
                    took_s, _ = gallery.post(f'/acts/{act}/undoing')
                else:
                    took_s, led = gallery.post('/images/selection', **fields)
                    act = led.rpartition('act=')[2].partition('#')[0]
                whole_s = took_s + ended_s(gallery, act)
            worst_ms = max(times) * 1000
            print(f'{name}: {whole_s:.1f} s; {len(times)} other pages, {worst_ms:.0f} ms at most')
            claims += [
                Claim(f'{name}: its answer', took_s * 1000, MOST_ANSWER_MS, 'ms'),
                Claim(f'{name}: the longest other page', worst_ms, MOST_OTHER_MS, 'ms'),
            ]
    return claims


@contextlib.contextmanager
def looking(gallery: Gallery) -> Iterator[list[float]]:
    """Look at pages for as long as the block lasts; give the seconds that each took."""
    other, ending = Gallery.of(gallery.rows, gallery.easel), threading.Event()
    for page in OTHERS:
        other.ask(page)
    times: list[float] = []

    def look() -> None:
        for page in itertools.cycle(OTHERS):
            times.append(other.ask(page)[0])
            if ending.wait(PAUSE_S):
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield times
    finally:
        ending.set()
        thread.join()
        other.connection.close()


def ended_s(gallery: Gallery, act: str) -> float:
    """Wait until an act is done, or undone; give the seconds that took."""
    began = time.perf_counter()
    while True:
        time.sleep(LOOK_EVERY_S)
        state = json.loads(gallery.ask(f'/acts/{act}', 'application/json')[1])['state']
        if state in ('done', 'undone'):
            return time.perf_counter() - began


if __name__ == '__main__':
    sys.exit(main())

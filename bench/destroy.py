"""Ends the server with SIGKILL while it deletes pictures for good, and accounts for each picture.

Run as `python -m bench.destroy [--kills 100] [--pictures 15000] [--seed 1]`. After each kill no
file may count as a stranger or as missing; after the next start each picture must be there with
its row, file, label beside it and thumbnails, or have left none of them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import httpx

from app.config import DATABASE
from app.database import Library
from app.maintenance.verification import find_faults
from app.storage.metadata.container import sidecar_of
from app.storage.store import IMAGES, THUMB_WIDTHS, THUMBS
from bench.measure import Claim, judge
from tests.support.many_pictures import many
from tests.support.servers import Easel, executed, running_easel, start_easel

DESTROYED_AT_ONCE = 150
LONGEST_LIFE_S = 0.1  # from the row of the act on
SETTLES_WITHIN_S = 60.0
SETTINGS = {'EASEL_LOG': 'error', 'EASEL_API_URL': 'http://127.0.0.1:9/v1'}


def main() -> int:
    """Run all of it; exit status 1 if anything was left half, or nothing was killed midway."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=100)
    parser.add_argument('--pictures', type=int, default=15_000)
    parser.add_argument('--seed', type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / 'data'
        _fill(data, chosen.pictures)
        cut, faults = 0, list[str]()
        chance = random.Random(chosen.seed)
        for number in range(1, chosen.kills + 1):
            known = _pictures(data)
            cut += _killed(data, chance, list(known))
            faults += [f'kill {number}: {fault}' for fault in _faults(data, known)]
            if number % 10 == 0:
                print(
                    f'{number} kills, {cut} in the middle, {len(_pictures(data))} left', flush=True
                )
        faults += _emptied(data)
    for fault in faults:
        print(f'  {fault}')
    return judge(
        [
            Claim('half destroyed, missing or a stranger', len(faults), 0, ''),
            Claim(
                'kills that met nothing in the middle', chosen.kills - cut, chosen.kills * 3 / 4, ''
            ),
        ]
    )


def _fill(data: Path, count: int) -> None:
    """Keep small pictures, all of them in the trash, with labels beside them and thumbnails."""
    rows = []
    for number in range(1, count + 1):
        content = f'picture {number}'.encode()
        digest, file = hashlib.sha256(content).hexdigest(), f'2026/11/{number % 28}/{number}.png'
        for path in _files_of(data, file, digest):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        rows.append([number, file, digest, len(content)])
    asyncio.run(_write(data, rows))


async def _write(data: Path, rows: list[list[object]]) -> None:
    library = await Library.open(data / DATABASE)
    await many(library, len(rows))
    await library.database.run(
        """
        update images
        set deleted_at = 5.0, file = own.value ->> 1, digest = own.value ->> 2,
          size_bytes = own.value ->> 3
        from json_each(:rows) as own
        where images.id = own.value ->> 0
        """,
        rows=json.dumps(rows),
    )
    await library.close()


def _killed(data: Path, chance: random.Random, ids: list[int]) -> bool:
    """Live through a part of a destruction; returns whether anything was left to be done."""
    easel = start_easel(data, SETTINGS, by=executed)
    some = chance.sample(ids, min(len(ids), DESTROYED_AT_ONCE))
    asking = threading.Thread(target=_ask, args=(easel, some))
    acts = _count(data)
    asking.start()
    ending = time.monotonic() + SETTLES_WITHIN_S
    while _count(data) == acts and time.monotonic() < ending:
        time.sleep(0.002)
    time.sleep(chance.uniform(0, LONGEST_LIFE_S))
    easel.stop(signal.SIGKILL)
    asking.join()
    return bool(_left(data))


def _ask(easel: Easel, ids: list[int]) -> None:
    fields = {'act': 'destroy', 'image': [str(number) for number in ids], 'favourites': '1'}
    with contextlib.suppress(httpx.HTTPError), easel.client() as client:
        client.post('/images/selection', data=fields)


def _faults(data: Path, known: dict[int, list[Path]]) -> Iterator[str]:
    """Look before the next start as well as after it."""
    yield from (f'before the start: {fault}' for fault in find_faults(data))
    with running_easel(data, SETTINGS, by=executed):
        _settle(data)
    rows = _pictures(data)
    for number, paths in known.items():
        there = [path.exists() for path in paths]
        if there != [number in rows] * len(paths):
            yield f'picture {number}: row {number in rows}, files {there}'
    yield from (f'after the start: {fault}' for fault in find_faults(data))


def _emptied(data: Path) -> Iterator[str]:
    with running_easel(data, SETTINGS, by=executed) as easel, easel.client() as client:
        client.post('/trash/deletion', data={'favourites': '1'})
        _settle(data)
    for folder in (IMAGES, THUMBS):
        yield from (f'{path} is left' for path in (data / folder).rglob('*') if path.is_file())


def _settle(data: Path) -> None:
    ending = time.monotonic() + SETTLES_WITHIN_S
    while _left(data) and time.monotonic() < ending:
        time.sleep(0.02)


def _left(data: Path) -> list[tuple[apsw.SQLiteValue, ...]]:
    """Return the acts and the removals that have not come to their end."""
    unfinished = "select id from acts where state in ('choosing', 'running', 'undoing')"
    return _asked(data, f'{unfinished} union all select file from removals')


def _count(data: Path) -> int:
    """Return how many acts there were."""
    return len(_asked(data, 'select id from acts'))


def _pictures(data: Path) -> dict[int, list[Path]]:
    """Return the files of each picture that has a row."""
    rows = _asked(data, 'select id, file, digest from images')
    return {int(str(row[0])): _files_of(data, str(row[1]), str(row[2])) for row in rows}


def _files_of(data: Path, file: str, digest: str) -> list[Path]:
    original = data / IMAGES / file
    thumbs = [data / THUMBS / digest[:2] / f'{digest}-{width}.webp' for width in THUMB_WIDTHS]
    return [original, sidecar_of(original), *thumbs]


def _asked(data: Path, sql: str) -> list[tuple[apsw.SQLiteValue, ...]]:
    with contextlib.closing(apsw.Connection(str(data / DATABASE))) as connection:
        connection.set_busy_timeout(2_000)
        return list(connection.execute(sql))


if __name__ == '__main__':
    sys.exit(main())

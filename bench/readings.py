"""Proves that twelve readings of a picture that is slow to read hold up no picture that is drawn.

Through the real reader and decoder with their children: pictures are kept alone, then while twelve
visitors, and then one visitor twelve times, have the slow picture read for its settings.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from app.cli.serve import run
from app.config import child_environment
from app.errors import QueueFull
from app.storage.decoding.decoder import Decoder
from app.storage.metadata.label import Label
from app.storage.reader import READ_TIMEOUT_S, SettingsReader
from app.storage.store import Store
from bench.measure import Claim, judge, print_table
from tests.support.fakes import picture, received_in
from tests.support.hostile_pictures import SLOW

READINGS, PICTURES = 12, 8
MOST_TIMES_ALONE = 2.0
LABEL = Label(prompt='a', provider='a', created_at=1.0, generation_id=1, position=0)


def main() -> int:
    return run(_measure())


async def _measure() -> int:
    """Return the exit status, 1 if a claim does not hold."""
    slow, drawn = SLOW['PNG of 200 large frames'](), picture(1024, 1024)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), Decoder(child_environment()))
        store.prepare()
        reader = SettingsReader(Decoder(child_environment(), READ_TIMEOUT_S))
        await _keep(store, drawn)
        rows = {'alone': await _keep(store, drawn)}
        for name, visitors in (('twelve visitors', READINGS), ('one visitor', 1)):
            readings = [
                asyncio.create_task(_read(store, reader, slow, str(number % visitors)))
                for number in range(READINGS)
            ]
            rows[name] = await _keep(store, drawn)
            refused = sum(await asyncio.gather(*readings))
            print(f'{name}: {refused} of {READINGS} readings were refused')
        await reader.close()
        await store.decoder.close()
    table = [(name, f'{median(times):.2f}', f'{max(times):.2f}') for name, times in rows.items()]
    print_table(f'{PICTURES} pictures kept', [('', 'median s', 'longest s'), *table])
    times_alone = max(map(median, rows.values())) / median(rows['alone'])
    return judge([Claim('the median beside readings', times_alone, MOST_TIMES_ALONE, 'x alone')])


async def _keep(store: Store, content: bytes) -> list[float]:
    """Keep pictures one after the other; seconds each took."""
    times = []
    for _ in range(PICTURES):
        began = time.perf_counter()
        await store.keep(received_in(store, content), LABEL)
        times.append(time.perf_counter() - began)
    return times


async def _read(store: Store, reader: SettingsReader, content: bytes, who: str) -> bool:
    """Have a picture read; whether that was refused."""
    try:
        await reader.read(received_in(store, content), who)
    except QueueFull:
        return True
    return False


if __name__ == '__main__':
    sys.exit(main())

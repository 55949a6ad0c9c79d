"""A thousand hostile pictures and all bombs through the real decoder child, measured.

Run as `python -m bench.hostile [--files 1000] [--seed 20240806]`. Each file is kept as a picture
that just came would be. A child's own limits end what takes too long; the clock on the wall is
printed and not judged, since it is the machine's and not the file's.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.serve import run
from app.config import child_environment
from app.errors import ProviderError
from app.models import Received
from app.storage.decoding.decoder import Decoder
from app.storage.metadata.label import Label
from app.storage.store import Store
from bench.measure import Claim, children, judge
from tests.support.hostile_pictures import BOMBS, SEED, mutations, small_png

MOST_CPU_S = 5.2  # the limit of 5 s, and the start of the next child
MOST_MB = 512.0
TICKS_A_S = os.sysconf('SC_CLK_TCK')


@dataclass(slots=True)
class Found:
    """What became of the files.

    Attributes:
        faults: Anything else than kept or refused with a reason.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    longest_cpu_s: float = 0.0
    longest_wall_s: float = 0.0
    worst: str = ''


def main() -> int:
    """Run all of it; exit status 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--files', type=int, default=1_000)
    parser.add_argument('--seed', type=int, default=SEED)
    chosen = parser.parse_args()
    return run(_measure(chosen.files, chosen.seed))


async def _measure(files: int, seed: int) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), Decoder(child_environment()))
        store.prepare()
        mutated = await _all(
            store, ((str(one.number), one.content) for one in mutations(files, seed))
        )
        bombs = await _all(store, _bombs())
        left = len(list(store.arriving.iterdir()))
        await _keep_one(store, 'a good picture', small_png(), last := Found())
        await store.decoder.close()
    longest_cpu_s = max(mutated.longest_cpu_s, bombs.longest_cpu_s)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    for name, found in (('mutated', mutated), ('bombs', bombs)):
        print(f'{name}: {sum(found.outcomes.values())} files, {dict(found.outcomes)}')
        print(f'  longest: {found.longest_wall_s:.1f} s on the wall ({found.worst})')
    print(f'seed {seed}, {time.monotonic() - began:.0f} s in all')
    return judge(
        [
            Claim('faults', len(mutated.faults + bombs.faults + last.faults), 0, ''),
            Claim('the longest, of processor', longest_cpu_s, MOST_CPU_S, 's'),
            Claim('most memory of a child', peak_mb, MOST_MB, 'MB'),
            Claim('files left behind', left, 0, ''),
            Claim('good pictures refused at the end', 1 - last.outcomes['kept'], 0, ''),
        ]
    )  # fmt: skip


def _bombs() -> Iterator[tuple[str, bytes]]:
    for name, make in BOMBS.items():
        yield name, make()


async def _all(store: Store, files: Iterable[tuple[str, bytes]]) -> Found:
    found = Found()
    for name, content in files:
        await _keep_one(store, name, content, found)
    return found


async def _keep_one(store: Store, name: str, content: bytes, found: Found) -> None:
    temp_file = store.new_temp_file()
    temp_file.write(content)
    began, cpu_began = time.monotonic(), _cpu_s()
    outcome = await _outcome(store, temp_file.received())
    wall_s = time.monotonic() - began
    if outcome not in ('kept', 'bad_image', 'not_an_image'):
        found.faults.append(f'{name}: {outcome}')
    found.outcomes[outcome] += 1
    found.longest_cpu_s = max(found.longest_cpu_s, _cpu_s() - cpu_began)
    if wall_s > found.longest_wall_s:
        found.longest_wall_s, found.worst = wall_s, name


async def _outcome(store: Store, received: Received) -> str:
    label = Label(prompt='a', provider='a', created_at=1.0, generation_id=1, position=0)
    try:
        await store.keep(received, label)
    except ProviderError as error:
        return str(error.failure.kind)
    return 'kept'


def _cpu_s() -> float:
    """Add up what all children have used so far, the living one included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = ended.ru_utime + ended.ru_stime
    for child in children():
        with suppress(OSError):
            fields = (
                Path(f'/proc/{child}/stat').read_text(encoding='ascii').rpartition(')')[2].split()
            )
            used += sum(map(int, fields[11:15])) / TICKS_A_S  # its own, and its children's
    return used


if __name__ == '__main__':
    sys.exit(main())

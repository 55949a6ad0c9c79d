"""Proves that sixteen pictures of 48 MB to start from take no memory, and slow no other page.

They come with the form, are kept, made ready and sent to an API that takes them as fast as they
come, while a visitor loads the gallery again and again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench.beside import judge_beside, visits
from bench.measure import Claim, memory_kb
from bench.upstream import SMALL_SIDE, noise_png, upstream
from tests.support.servers import Easel, executed, running_easel

SIDE = 4_000  # pixels; of noise, three bytes each: 48.0 MB
MOST_MEMORY_MB = 8.0
IDLE_S = 10.0
LONGEST_S = 600.0
POLL_S = 0.5


def main() -> int:
    """Run it; exit status 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pictures', type=int, default=16)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder, upstream() as url:
        small = _pictures(Path(folder), SMALL_SIDE, 2)
        large = _pictures(Path(folder), SIDE, count)
        environment = {'EASEL_API_URL': url, 'EASEL_LOG': 'error'}
        with running_easel(Path(folder) / 'data', environment, executed) as easel:
            _edit(easel, small)  # what is loaded at the first time is loaded
            alone = visits(easel, IDLE_S)
            before_kb = _forget_peak(easel)
            with ThreadPoolExecutor() as pool:
                editing = pool.submit(_edit, easel, large)
                beside = visits(easel, LONGEST_S, editing.done)
                editing.result()
            more_mb = (memory_kb('VmHWM', easel.process.pid) - before_kb) / 1024
    memory = Claim('memory beyond idle', more_mb, MOST_MEMORY_MB, 'MB')
    return judge_beside(alone, beside, memory)


def _pictures(folder: Path, side: int, count: int) -> list[Path]:
    paths = [folder / f'{side}-{number}.png' for number in range(count)]
    for path in paths:
        path.write_bytes(noise_png(side))
    return paths


def _edit(easel: Easel, pictures: list[Path]) -> None:
    """Start from pictures, and wait for the result."""
    with ExitStack() as stack, easel.client() as client:
        files = [('source_file', stack.enter_context(path.open('rb'))) for path in pictures]
        answer = client.post(
            '/generations', data={'prompt': 'small'}, files=files, timeout=LONGEST_S
        )
    assert answer.status_code == 303, answer.text
    generation_id = int(answer.headers['location'].rpartition('-')[2])
    ending = time.monotonic() + LONGEST_S
    while time.monotonic() < ending:
        found = easel.generation(generation_id)
        if found['status'] not in ('queued', 'running'):
            assert found['status'] == 'done', found
            return
        time.sleep(POLL_S)
    raise TimeoutError(generation_id)


def _forget_peak(easel: Easel) -> int:
    """Let its peak memory start again from what it holds now, in kB. Linux only."""
    pid = easel.process.pid
    Path(f'/proc/{pid}/clear_refs').write_text('5', encoding='ascii')
    return memory_kb('VmRSS', pid)


if __name__ == '__main__':
    sys.exit(main())

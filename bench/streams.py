"""Claims: what open pages cost that wait for changes.

500 open `/events` streams take at most 35 kB each, hear of a change within 50 ms at the 99th
percentile, and leave nothing behind when they close; 2,000 work. The clock of a broadcast runs
from the answer to the act that made the change until an event's first bytes have been read.
"""

from __future__ import annotations

import argparse
import http.client
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import Claim, judge, memory_kb, print_table
from bench.readers import Readers, Told, told_by
from bench.start import environment, first_byte, free_port, running

STREAMS = 500
MANY_STREAMS = 2_000
WARM_STREAMS = 50
MOST_KB = 35.0
MOST_P99_MS = 50.0
MOST_LOST_KB = 0.3  # a listener kept by mistake is 1.3 kB, partly in memory that is free
WAVES = 4
MOST_FILES = 4_096
SETTLE_S = 0.7
GIVE_UP_S = 30.0
LISTENING, WAITING = '0A', '06'  # states in /proc/net/tcp


@dataclass(slots=True)
class Held:
    """What a server holds at a moment. Linux only."""

    rss_kb: int
    files: int
    threads: int
    connections: int


@dataclass(frozen=True, slots=True)
class Round:
    """One fresh server with that many streams."""

    before: Held
    opened: Held
    used: Held
    closed: Held
    waves: Held
    again: Held
    told: Told
    alone: Told
    stop_s: float
    count: int

    @property
    def each_kb(self) -> float:
        """The memory of one stream after it was told of every change."""
        return (self.used.rss_kb - self.before.rss_kb) / self.count

    @property
    def left(self) -> int:
        """What is still there after all streams closed."""
        connections = self.closed.connections - self.before.connections
        return max(connections, self.closed.files - self.before.files, 0)

    @property
    def lost_kb(self) -> float:
        """What each stream that was opened and closed later on cost for good."""
        return (self.waves.rss_kb - self.closed.rss_kb) / (WAVES * self.count)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--many-rounds', type=int, default=3)
    parser.add_argument('--broadcasts', type=int, default=20)
    chosen = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES, most))  # the servers inherit it
    rounds: dict[int, list[Round]] = {STREAMS: [], MANY_STREAMS: []}
    for count, times in ((STREAMS, chosen.rounds), (MANY_STREAMS, chosen.many_rounds)):
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                rounds[count].append(measured(Path(folder), count, chosen.broadcasts))
    print_memory(rounds)
    print_times(rounds)
    few, many = rounds.values()
    return judge(
        [
            Claim('500 streams, memory of each', _middle(few, _each_kb), MOST_KB, 'kB'),
            Claim('500 streams, p99 of a broadcast', _middle(few, _p99_ms), MOST_P99_MS, 'ms'),
            Claim('500 streams, left after close', max(each.left for each in few), 0, 'files'),
            Claim('500 streams, lost by each', _middle(few, _lost_kb), MOST_LOST_KB, 'kB'),
            Claim('500 streams, events missed', _missing(few), 0, 'events'),
            Claim('2,000 streams, left after close', max(each.left for each in many), 0, 'files'),
            Claim('2,000 streams, events missed', _missing(many), 0, 'events'),
        ]
    )


def measured(folder: Path, count: int, broadcasts: int) -> Round:
    """Open, tell, close, open again, and stop the server while all of them are open."""
    with serving(folder) as (process, port):
        draw_one(port)
        readers = Readers(port)
        readers.open(WARM_STREAMS)
        told_by(process.pid, readers, 4)
        readers.close()
        alone = told_by(process.pid, readers, broadcasts)
        before = held(process.pid, port)
        readers.open(count)
        opened = held(process.pid, port)
        told = told_by(process.pid, readers, broadcasts)
        used = held(process.pid, port)
        readers.close()
        closed = held(process.pid, port)
        for _ in range(WAVES):
            readers.open(count)
            told_by(process.pid, readers, 2)
            readers.close()
        waves = held(process.pid, port)
        readers.open(count)
        told_by(process.pid, readers, broadcasts)
        again = held(process.pid, port)
        began = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        assert process.wait(GIVE_UP_S) == 0
        stop_s = time.perf_counter() - began
        readers.close()
    return Round(before, opened, used, closed, waves, again, told, alone, stop_s, count)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run Easel with an address that nobody answers at; gives its process and its port."""
    port = free_port()
    command = ['-m', 'app', '--no-browser', '--data', str(folder / 'data'), '--port', str(port)]
    closed = {'EASEL_API_URL': f'http://127.0.0.1:{free_port()}/v1'}
    with running(command, environment(folder, closed)) as process:
        first_byte(port)
        yield process, port


def draw_one(port: int) -> None:
    """Have the demo draw the picture that the acts are about.

    Raises:
        TimeoutError: It does not.
    """
    client = http.client.HTTPConnection('127.0.0.1', port)
    form = {'Content-Type': 'application/x-www-form-urlencoded'}
    client.request('POST', '/generations', 'prompt=sea&provider=demo&size=64x64', form)
    answer = client.getresponse()
    assert answer.status == 303, answer.read()
    answer.read()
    deadline = time.perf_counter() + GIVE_UP_S
    while time.perf_counter() < deadline:
        client.request('GET', '/generations/1.json')
        if json.load(client.getresponse())['status'] == 'done':
            client.close()
            return
        time.sleep(0.1)
    raise TimeoutError


def held(pid: int, port: int) -> Held:
    """Look at a server from outside after it came to rest."""
    time.sleep(SETTLE_S)
    lines = Path(f'/proc/{pid}/net/tcp').read_text(encoding='ascii').splitlines()[1:]
    rows = [line.split() for line in lines]
    local = f':{port:04X}'
    return Held(
        rss_kb=memory_kb('VmRSS', pid),
        files=len(list(Path(f'/proc/{pid}/fd').iterdir())),
        threads=len(list(Path(f'/proc/{pid}/task').iterdir())),
        connections=sum(
            row[1].endswith(local) and row[3] not in (LISTENING, WAITING) for row in rows
        ),
    )


def print_memory(rounds: dict[int, list[Round]]) -> None:
    """Print what streams hold and leave."""
    head = (
        '',
        'opened',
        'told',
        'opened again',
        'left by all',
        'lost by each',
        'connections',
        'files',
        'threads',
    )
    rows = [
        (
            f'{count:,} streams',
            f'{_middle(done, lambda each: _grown(each, each.opened) / each.count):.1f}',
            f'{_middle(done, _each_kb):.1f}',
            f'{_middle(done, lambda each: _grown(each, each.again) / each.count):.1f}',
            f'{_middle(done, lambda each: _grown(each, each.closed)):.0f}',
            f'{_middle(done, _lost_kb):.2f}',
            *(
                f'{_of(done, "before", name)}, {_of(done, "used", name)}, '
                f'{_of(done, "closed", name)}'
                for name in ('connections', 'files', 'threads')
            ),
        )
        for count, done in rounds.items()
    ]
    print_table('memory, kB each; what is there before, open, closed', [head, *rows])


def print_times(rounds: dict[int, list[Round]]) -> None:
    """Print how fast a broadcast is, and where the time goes.

    From the act's answer until the event is read by all readers of all broadcasts, by the `last`
    one of the usual broadcast, and (`own`) until it is in the reader's socket, others' turns
    on the processor left out. `answer` is what comes before, `loop` how long the server's main
    thread works for one broadcast, `queued` how long it is kept from that, `alone` the work for an
    act that nobody hears of.
    """
    head = (
        '',
        'p50',
        'p99',
        'worst',
        'last',
        'own p99',
        'answer',
        'loop',
        'queued',
        'alone',
        'stop',
    )
    rows = [
        (
            f'{count:,} streams',
            f'{_middle(done, lambda each: each.told.read_ms(0.5)):.1f}',
            f'{_middle(done, _p99_ms):.1f}',
            f'{max(each.told.read_ms(1) for each in done):.1f}',
            f'{_middle(done, lambda each: each.told.last_ms):.1f}',
            f'{_middle(done, lambda each: each.told.own_ms(0.99)):.1f}',
            f'{_middle(done, lambda each: each.told.answered_ms):.1f}',
            f'{_middle(done, lambda each: median(each.told.worked_s) * 1000):.1f}',
            f'{_middle(done, lambda each: median(each.told.queued_s) * 1000):.1f}',
            f'{_middle(done, lambda each: median(each.alone.worked_s) * 1000):.1f}',
            f'{_middle(done, lambda each: each.stop_s * 1000):.0f}',
        )
        for count, done in rounds.items()
    ]
    print_table('a broadcast, ms', [head, *rows])


def _middle(done: Sequence[Round], value: Callable[[Round], float]) -> float:
    return median(value(each) for each in done)


def _each_kb(each: Round) -> float:
    return each.each_kb


def _lost_kb(each: Round) -> float:
    return each.lost_kb


def _p99_ms(each: Round) -> float:
    return each.told.read_ms(0.99)


def _missing(done: Sequence[Round]) -> int:
    return sum(each.told.missing for each in done)


def _grown(each: Round, then: Held) -> int:
    return then.rss_kb - each.before.rss_kb


def _of(done: Sequence[Round], moment: str, name: str) -> int:
    return max(int(getattr(getattr(each, moment), name)) for each in done)


if __name__ == '__main__':
    sys.exit(main())

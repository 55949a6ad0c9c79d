"""Five hundred connections that ask as slowly as they can, and one visitor who just asks.

Run as `python -m bench.slow [--connections 500] [--seconds 60] [--seed 1]`. Each slow one is of a
kind by chance: silent, half a first line, a header or a body that trickles, an answer that is not
read. What is closed is opened again, so that there are always so many.
"""

from __future__ import annotations

import argparse
import random
import select
import socket
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import httpx

from bench.measure import Claim, judge
from tests.support.servers import CLOSED_PORT_URL, executed, running_easel

MOST_P99_MS = 200.0
LONGEST_S = 13.0  # the 10 s that head and body have, and how late a busy bench looks
TICK_S = 0.25
PAUSE_S = 0.02
KINDS = {
    'silent': b'',
    'half a line': b'GET / HT',
    'header': b'GET / HTTP/1.1\r\nHost: localhost\r\nX: ',
    'body': b'POST /generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n'
    b'Content-Type: application/x-www-form-urlencoded\r\n\r\n',
    'unread': b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' * 4,
}
TRICKLING = ('header', 'body')


@dataclass(slots=True)
class Slow:
    """One slow connection."""

    kind: str
    socket: socket.socket
    opened_at: float


@dataclass(slots=True)
class Crowd:
    """All of them, and what happened to them.

    Attributes:
        lived_s: The longest that one of a kind stayed open.
    """

    port: int
    chance: random.Random
    open: list[Slow] = field(default_factory=list)
    closed: Counter[str] = field(default_factory=Counter)
    lived_s: dict[str, float] = field(default_factory=dict)

    def fill(self, most: int) -> None:
        """Open connections until there are so many."""
        while len(self.open) < most:
            kind = self.chance.choice(tuple(KINDS))
            connection = socket.create_connection(('127.0.0.1', self.port), timeout=5)
            connection.sendall(KINDS[kind])
            connection.setblocking(False)
            self.open.append(Slow(kind, connection, time.monotonic()))

    def tick(self) -> None:
        """Trickle a byte where that is the kind, and notice who was closed."""
        poll = select.poll()
        by_handle = {slow.socket.fileno(): slow for slow in self.open}
        for slow in self.open:
            watched = select.POLLHUP if slow.kind == 'unread' else select.POLLIN
            poll.register(slow.socket, watched)
        ended = [by_handle[handle] for handle, _ in poll.poll(0)]
        ended += [slow for slow in self.open if slow.kind in TRICKLING and not _trickled(slow)]
        for slow in {id(one): one for one in ended}.values():
            slow.socket.close()
            self.open.remove(slow)
            self.closed[slow.kind] += 1
            lived_s = time.monotonic() - slow.opened_at
            self.lived_s[slow.kind] = max(self.lived_s.get(slow.kind, 0.0), lived_s)


def main() -> int:
    """Run it; exit status 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--connections', type=int, default=500)
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--seed', type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / 'data'
        with running_easel(data, {'EASEL_API_URL': CLOSED_PORT_URL}, executed) as easel:
            port = int(easel.url.rpartition(':')[2])
            crowd = Crowd(port, random.Random(chosen.seed))
            alone = _visits(easel.url, 5.0)
            crowd.fill(chosen.connections)
            among = _visits_among(easel.url, crowd, chosen.connections, chosen.seconds)
    print(f'{chosen.connections} slow connections, {chosen.seconds:g} s, seed {chosen.seed}')
    print(f'closed: {dict(crowd.closed)}')
    print('longest open: ' + ', '.join(f'{k} {v:.1f} s' for k, v in sorted(crowd.lived_s.items())))
    print(f'{len(alone)} visits alone, p99 {_p99_ms(alone):.1f} ms; {len(among)} among the crowd')
    waited_s = max(lived_s for kind, lived_s in crowd.lived_s.items() if kind != 'unread')
    return judge(
        [
            Claim("another visitor's p99", _p99_ms(among), MOST_P99_MS, 'ms'),
            Claim('the longest that a request was waited for', waited_s, LONGEST_S, 's'),
        ]
    )


def _visits_among(url: str, crowd: Crowd, most: int, seconds: float) -> list[float]:
    with ProcessPoolExecutor(1, get_context('spawn')) as elsewhere:
        visiting = elsewhere.submit(_visits, url, seconds)
        while not visiting.done():
            crowd.tick()
            crowd.fill(most)
            wait([visiting], TICK_S)
    for slow in crowd.open:
        slow.socket.close()
    return visiting.result()


def _visits(url: str, seconds: float) -> list[float]:
    """Ask for the page again and again; gives how long each answer took, in seconds."""
    times: list[float] = []
    ending = time.monotonic() + seconds
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        while time.monotonic() < ending:
            began = time.monotonic()
            client.get('/gallery').raise_for_status()
            times.append(time.monotonic() - began)
            time.sleep(PAUSE_S)
    return times


def _trickled(slow: Slow) -> bool:
    try:
        slow.socket.send(b'x')
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def _p99_ms(times: list[float]) -> float:
    ordered = sorted(times)
    return ordered[int(len(ordered) * 0.99)] * 1000


if __name__ == '__main__':
    sys.exit(main())

"""Claims: a long queue costs nobody anything, nor does another program's lock.

With 10,000 prompts of the owner waiting, a guest's prompt begins within two pictures, a submission
takes at most twice as long as into an empty queue (p99), and a restart is ready within two
seconds. While another program holds the database's write lock, every page comes within a second.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import apsw
import httpx

from bench.measure import Claim, judge, memory_kb, print_table
from bench.start import environment, first_byte, free_port, running
from bench.upstream import upstream

MOST_PICTURES_BEFORE = 2
MOST_TIMES_EMPTY = 2.0
MOST_RESTART_S = 2.0
MOST_PAGE_S = 1.0
LOCKED_S = 12.0
SHARE = 0.99
PAGES = ('/', '/gallery', '/generations', '/generations.json')
WAIT_S = 0.05
GIVE_UP_S = 60.0


@dataclass(slots=True)
class Server:
    """A data folder, and the server that runs on it now."""

    folder: Path
    port: int = 0
    pid: int = 0
    ready_s: float = 0.0

    @property
    def database(self) -> Path:
        return self.folder / 'data' / 'easel.db'

    @contextlib.contextmanager
    def serving(self, **variables: str) -> Iterator[httpx.Client]:
        """Run it for as long as the block lasts; gives a client of the owner."""
        self.port = free_port()
        data = str(self.folder / 'data')
        command = ['-m', 'app', '--no-browser', '--data', data, '--port', str(self.port)]
        began = time.perf_counter()
        with running(command, environment(self.folder, variables)) as process:
            self.pid = process.pid
            with self.client() as client:
                if not variables.get('EASEL_PASSWORD'):
                    self.ready_s = first_byte(self.port) - began
                until(lambda: answers(client))
                yield client

    def client(self, **headers: str) -> httpx.Client:
        url = f'http://127.0.0.1:{self.port}'
        own = {'Origin': url, **headers}
        return httpx.Client(base_url=url, headers=own, timeout=60, trust_env=False)

    def fill(self, count: int) -> None:
        """Queue so many prompts of the owner at once."""
        with contextlib.closing(apsw.Connection(str(self.database))) as connection:
            connection.set_busy_timeout(5_000)
            connection.execute(
                """
                with recursive numbers (n) as
                  (select 1 union all select n + 1 from numbers where n < ?)
                insert into generations (status, prompt, asked_provider, provider, created_at)
                select 'queued', 'small', '', 'g4f', unixepoch('subsec') from numbers
                """,
                (count,),
            )

    def number(self, sql: str, *values: int) -> float:
        """Read one number from the database."""
        with contextlib.closing(apsw.Connection(str(self.database))) as connection:
            connection.set_busy_timeout(5_000)
            return cast('float', connection.execute(sql, values).get or 0)

    def invite(self, token: str) -> None:
        """Write a guest's link."""
        with contextlib.closing(apsw.Connection(str(self.database))) as connection:
            connection.execute(
                """
                insert into guests (name, token_hash, makes, sees_all, created_at)
                values ('guest', ?, 1, 0, 1)
                """,
                (hashlib.sha256(token.encode()).hexdigest(),),
            )


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--queued', type=int, default=10_000)
    parser.add_argument('--submissions', type=int, default=300)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        claims = [
            *long_queue(server, chosen.queued, chosen.submissions),
            locked(server),
            late_guest(server),
        ]
    return judge(claims)


def long_queue(server: Server, queued: int, submissions: int) -> list[Claim]:
    """Submit into an empty queue and into a full one, then start again; the queue is paused."""
    with server.serving():
        pass
    with server.serving() as client:
        empty_ready_s = server.ready_s
        client.post('/generations/pause')
        submitted(client, submissions // 5)  # what is loaded with the first ones is
        empty_s: list[float] = []
        full_s: list[float] = []
        for _ in range(3):
            client.post('/generations/cancellation')
            empty_s += submitted(client, submissions // 3)
            server.fill(queued)
            full_s += submitted(client, submissions // 3)
        client.post('/generations/cancellation')
        server.fill(queued)
    with server.serving() as client:
        waiting = client.get('/generations', headers={'X-Fragment': 'true'}).text
        assert f'{queued} waiting' in waiting, waiting
        rss_mb = memory_kb('VmRSS', server.pid) / 1024
    rows = [
        ('', 'p50, ms', 'p99, ms', 'restart, s'),
        _row('empty queue', empty_s, empty_ready_s),
        _row(f'{queued} wait', full_s, server.ready_s),
        ('memory after the restart, MB', f'{rss_mb:.1f}', '', ''),
    ]
    print_table('a submission', rows)
    ratio = quantile(full_s, SHARE) / quantile(empty_s, SHARE)
    return [
        Claim('submission p99, to an empty queue', ratio, MOST_TIMES_EMPTY, 'times'),
        Claim('restart, to the first page', server.ready_s, MOST_RESTART_S, 's'),
    ]


def _row(name: str, times: list[float], ready_s: float) -> tuple[str, str, str, str]:
    middle, late = (f'{quantile(times, share) * 1000:.1f}' for share in (0.5, SHARE))
    return (name, middle, late, f'{ready_s:.2f}')


def locked(server: Server) -> Claim:
    """Open pages while another program holds the write lock and a submission waits for it."""
    slowest_s = 0.0
    with server.serving() as client:
        client.get('/')
        with contextlib.closing(apsw.Connection(str(server.database))) as other:
            other.execute('begin immediate')
            until_s = time.monotonic() + LOCKED_S
            while time.monotonic() < until_s:
                for page in PAGES:
                    began = time.perf_counter()
                    assert client.get(page).status_code == 200
                    slowest_s = max(slowest_s, time.perf_counter() - began)
                time.sleep(WAIT_S)
        client.post('/generations/cancellation')
        client.post('/generations/resumption')
    return Claim('slowest page beside a lock', slowest_s, MOST_PAGE_S, 's')


def late_guest(server: Server) -> Claim:
    """Have a guest submit behind a long queue; counts what begins between that and its own."""
    server.invite('guest')
    server.fill(10_000)
    secret = {'EASEL_PASSWORD': 'of the bench'}
    with upstream() as url, server.serving(EASEL_API_URL=url, **secret):
        until(lambda: server.number("select count(*) > 5 from generations where status = 'done'"))
        with server.client() as guest:
            assert guest.post('/join/guest').status_code == 303
            sent = guest.post('/generations', data={'prompt': 'small'})
            assert sent.status_code == 303, sent.text
            number = int(sent.headers['location'].rpartition('-')[2])
        begun = 'select started_at from generations where id = ?'
        until(lambda: server.number(begun, number))
        before = server.number(
            """
            select count(*)
            from generations as other
            join generations as mine on mine.id = ?
            where other.started_at > mine.created_at and other.started_at < mine.started_at
            """,
            number,
        )
    return Claim('pictures that begin before a late guest', before, MOST_PICTURES_BEFORE, '')


def submitted(client: httpx.Client, count: int) -> list[float]:
    """Submit so many prompts, one after the other; gives the seconds that each took."""
    took_s = []
    for number in range(count):
        began = time.perf_counter()
        answer = client.post('/generations', data={'prompt': f'number {number}'})
        took_s.append(time.perf_counter() - began)
        assert answer.status_code == 303, answer.text
    return took_s


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def answers(client: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return client.get('/health').status_code == 200
    return False


def until(holds: Callable[[], object]) -> None:
    """Wait until a call gives something true. Raises `TimeoutError`."""
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(WAIT_S)
    raise TimeoutError(holds)


if __name__ == '__main__':
    sys.exit(main())

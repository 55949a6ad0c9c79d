"""Claims: what starting costs, beside what nobody can do without.

With bytecode present, the first byte of the first page comes after at most four times what a bare
uvicorn app needs; an idle server holds at most 1.3 times the memory of a process that imports
FastAPI, httpx and Jinja2 and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.measure import Claim, judge, memory_kb, middle_ms, middle_ratio, print_table
from bench.upstream import ROOT

MOST_TIMES_BARE = 4.0
MOST_TIMES_IMPORTS = 1.3
POLL_S = 0.001
GIVE_UP_S = 30.0
SETTLE_S = 2.0
BARE_APP = """
async def app(scope, receive, send):
    await receive()
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'hello'})
"""
IMPORTS = 'import fastapi, httpx, jinja2'
WAIT = 'import sys; print(flush=True); sys.stdin.read()'


@dataclass(slots=True)
class Runs:
    """One program, run several times."""

    first_byte_s: list[float] = field(default_factory=list)
    idle_kb: list[int] = field(default_factory=list)

    def row(self, name: str, bare: Runs, imports: Runs) -> tuple[str, ...]:
        """Lay out one line of the table."""
        first, times_bare = '-', '-'
        if self.first_byte_s:
            first = f'{middle_ms(self.first_byte_s):.0f}'
            times_bare = f'{middle_ratio(self.first_byte_s, bare.first_byte_s):.2f}'
        idle_mb = median(self.idle_kb) / 1024
        times_imports = middle_ratio(self.idle_kb, imports.idle_kb)
        return name, first, times_bare, f'{idle_mb:.1f}', f'{times_imports:.2f}'


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        runs = measured(Path(folder), rounds)
    easel, bare, imports = runs['python -m app'], runs['bare uvicorn'], runs['imports alone']
    head = ('', 'first byte, ms', 'to bare', 'idle, MB', 'to imports')
    print_table('start', [head, *(each.row(name, bare, imports) for name, each in runs.items())])
    times_bare = middle_ratio(easel.first_byte_s, bare.first_byte_s)
    times_imports = middle_ratio(easel.idle_kb, imports.idle_kb)
    return judge(
        [
            Claim('first byte, to bare uvicorn', times_bare, MOST_TIMES_BARE, 'times'),
            Claim('idle memory, to the imports', times_imports, MOST_TIMES_IMPORTS, 'times'),
        ]
    )


def measured(folder: Path, rounds: int) -> dict[str, Runs]:
    """Run all programs in turn, once before the count so that bytecode and data are there."""
    (folder / 'bare.py').write_text(BARE_APP, encoding='utf-8')
    (folder / 'floor.py').write_text(IMPORTS + BARE_APP, encoding='utf-8')
    uvicorn = ['-m', 'uvicorn', '--app-dir', str(folder), '--log-level', 'warning']
    easel = ['-m', 'app', '--no-browser', '--data', str(folder / 'data')]
    closed = {'EASEL_API_URL': f'http://127.0.0.1:{free_port()}/v1'}
    programs: dict[str, tuple[list[str], dict[str, str]]] = {
        'python -m app': (easel, closed),
        'the same, no address set': (easel, {}),
        'bare uvicorn': ([*uvicorn, 'bare:app'], {}),
        'the same and the imports': ([*uvicorn, 'floor:app'], {}),
    }
    runs = {name: Runs() for name in programs}
    imports = Runs()
    for number in range(rounds + 1):
        for name, (command, variables) in programs.items():
            first_byte_s, idle_kb = serve_once(command, environment(folder, variables))
            if number:
                runs[name].first_byte_s.append(first_byte_s)
                runs[name].idle_kb.append(idle_kb)
        idle_kb = import_once(environment(folder, {}))
        if number:
            imports.idle_kb.append(idle_kb)
    return {**runs, 'imports alone': imports}


def serve_once(command: Sequence[str], variables: dict[str, str]) -> tuple[float, int]:
    """Start a server; give the seconds to its first byte, and what it holds when idle, in kB."""
    port = free_port()
    began = time.perf_counter()
    with running([*command, '--port', str(port)], variables) as process:
        took_s = first_byte(port) - began
        time.sleep(SETTLE_S)
        return took_s, memory_kb('VmRSS', process.pid)


def import_once(variables: dict[str, str]) -> int:
    """Start a process that only imports; give what it holds when idle, in kB."""
    with running(['-c', f'{IMPORTS}; {WAIT}'], variables) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(SETTLE_S)
        return memory_kb('VmRSS', process.pid)


@contextlib.contextmanager
def running(
    arguments: Sequence[str], variables: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def first_byte(port: int) -> float:
    """Ask for the page every millisecond until it comes; give the clock at its first byte.

    Raises:
        TimeoutError: It does not come.
    """
    deadline = time.perf_counter() + GIVE_UP_S
    while time.perf_counter() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            return _ask(port)
        time.sleep(POLL_S)
    raise TimeoutError(port)


def _ask(port: int) -> float:
    with socket.create_connection(('127.0.0.1', port)) as connection:
        host = f'127.0.0.1:{port}'
        connection.sendall(f'GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n'.encode())
        start = connection.recv(12)
        now = time.perf_counter()
        assert start == b'HTTP/1.1 200', start
        while connection.recv(65_536):
            pass
    return now


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as listening:
        listening.bind(('127.0.0.1', 0))
        return int(listening.getsockname()[1])


def environment(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    """Give a child our environment, bytecode of its own, and none of Easel's variables."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('EASEL_', 'OPENAI_')) and name != 'PYTHONDONTWRITEBYTECODE'
    }
    return {**ours, 'PYTHONPYCACHEPREFIX': str(folder / 'bytecode'), **variables}


if __name__ == '__main__':
    sys.exit(main())

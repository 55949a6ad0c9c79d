"""Real servers for tests: Easel as a process, the demo provider as an upstream."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import uvicorn

from app.demo.server import create_demo

ROOT = Path(__file__).resolve().parents[2]
START_S = 30
FINISH_S = 30
CLOSED_PORT_URL = 'http://127.0.0.1:9/v1'


def clean_environment(**more: str) -> dict[str, str]:
    """Give this process's environment without what would change Easel's config."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('EASEL_', 'OPENAI_'))
    }
    return {**kept, 'PYTHONPATH': str(ROOT), **more}


@dataclass
class Easel:
    """A running Easel, and a client that talks to it as a browser on the same page would."""

    process: subprocess.Popen[str]
    url: str
    data: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20, trust_env=False)

    def submit(self, **fields: str) -> int:
        with self.client() as client:
            answer = client.post('/generations', data=fields)
        assert answer.status_code == 303, answer.text
        return int(answer.headers['location'].rpartition('-')[2])

    def generation(self, generation_id: int) -> dict[str, object]:
        with self.client() as client:
            answer = client.get(f'/generations/{generation_id}.json')
        shown: dict[str, object] = answer.json()
        return shown

    def wait(self, generation_id: int, *statuses: str) -> dict[str, object]:
        """Wait until a generation has one of the statuses, final ones by default."""
        wanted = statuses or ('done', 'failed', 'cancelled', 'interrupted')
        deadline = time.monotonic() + FINISH_S
        while time.monotonic() < deadline:
            shown = self.generation(generation_id)
            if shown['status'] in wanted:
                return shown
            time.sleep(0.05)
        raise AssertionError(f'generation {generation_id} is still {shown["status"]}')

    def draw(self, **fields: str) -> dict[str, object]:
        return self.wait(self.submit(**fields))

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return self.process.returncode


def start_easel(
    data: Path,
    environment: Mapping[str, str] | None = None,
    port: int = 0,
    log: IO[str] | None = None,
) -> Easel:
    """Start the real server, on a free port unless one is named; the caller stops it."""
    command = [sys.executable, '-m', 'app', '--no-browser', '--data', str(data)]
    process = subprocess.Popen(
        [*command, '--port', str(port)],
        cwd=data.parent,
        env=clean_environment(**(environment or {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if log is None else log,
        text=True,
    )
    assert process.stdout
    said = ''
    for line in process.stdout:
        said += line
        found = re.search(r'open +http://localhost:(\d+)/', line)
        if found:
            return Easel(process, f'http://localhost:{found[1]}', data)
    raise AssertionError(f'Easel ended with {process.wait()}: {said}')


@contextmanager
def running_easel(data: Path, environment: Mapping[str, str] | None = None) -> Iterator[Easel]:
    """Run Easel for as long as the block lasts."""
    easel = start_easel(data, environment)
    try:
        yield easel
    finally:
        if easel.process.poll() is None:
            easel.stop()


@contextmanager
def running_demo() -> Iterator[str]:
    """Run the demo provider as somebody else's server; gives its `/v1` address."""
    config = uvicorn.Config(
        create_demo(), port=0, log_level='critical', lifespan='off', timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f'http://127.0.0.1:{port}/v1'
    finally:
        server.should_exit = True
        thread.join(timeout=10)

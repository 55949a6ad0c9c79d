"""Real servers for tests: Easel as a process, the demo provider as an upstream."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Protocol
from unittest.mock import patch

import httpx
import uvicorn
from PIL import Image

from app.demo import render
from app.demo.server import create_demo
from tests.support.forked_easel import Start, forked

ROOT = Path(__file__).resolve().parents[2]
START_S = 30
FINISH_S = 30
COMMAND_S = 60
STOP_S = 20
CLOSED_PORT_URL = 'http://127.0.0.1:9/v1'
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # certificates take 40 ms a client to read


def clean_environment(**more: str) -> dict[str, str]:
    """Give this process's environment without what would change Easel's config."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('EASEL_', 'OPENAI_'))
    }
    return {**kept, 'PYTHONPATH': str(ROOT), **more}


class Process(Protocol):
    """What `subprocess.Popen` and `Forked` have in common."""

    @property
    def pid(self) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


@dataclass
class Easel:
    """A running Easel, and a client that talks to it as a browser on the same page would."""

    process: Process
    url: str
    data: Path
    output: IO[str]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20, trust_env=False, verify=NO_TLS)

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
        try:
            return self.process.wait(STOP_S)
        finally:
            self.output.close()


def executed(start: Start) -> Process:
    """Start Easel as a person does."""
    source, out, err = start.files
    return subprocess.Popen(
        [sys.executable, '-m', 'app', *start.arguments],
        cwd=start.folder,
        env=start.environment,
        stdin=source,
        stdout=out,
        stderr=err,
    )


Starter = Callable[[Start], Process]
QUICKEST: Starter = executed if sys.platform == 'win32' else forked


def start_easel(
    data: Path,
    environment: Mapping[str, str] | None = None,
    port: int = 0,
    log: IO[str] | None = None,
    by: Starter = QUICKEST,
) -> Easel:
    """Start the real server, on a free port unless one is named; the caller stops it."""
    arguments = ['--no-browser', '--data', str(data), '--port', str(port)]
    reading, writing = os.pipe()
    with Path(os.devnull).open('r+') as nowhere, os.fdopen(writing, 'w'):
        files = nowhere.fileno(), writing, (log or nowhere).fileno()
        process = by(Start(arguments, data.parent, clean_environment(**(environment or {})), files))
    output, said = os.fdopen(reading), ''
    for line in output:
        said += line
        found = re.search(r'open +http://localhost:(\d+)/', line)
        if found:
            return Easel(process, f'http://localhost:{found[1]}', data, output)
    output.close()
    raise AssertionError(f'Easel ended with {process.wait()}: {said}')


@contextmanager
def running_easel(
    data: Path, environment: Mapping[str, str] | None = None, by: Starter = QUICKEST
) -> Iterator[Easel]:
    """Run Easel for as long as the block lasts."""
    easel = start_easel(data, environment, by=by)
    try:
        yield easel
    finally:
        if easel.process.poll() is None:
            easel.process.send_signal(signal.SIGINT)  # the second signal is at once
            easel.stop()


def sketch(prompt: str, seed: int, width: int, height: int) -> Image.Image:
    """Draw another picture for each prompt and seed, as the demo does and without its pains."""
    digest = hashlib.sha256(f'{prompt} {seed}'.encode('utf-8', 'replace')).digest()
    return Image.frombytes('L', (8, 4), digest).convert('RGB').resize((width, height))


Draw = Callable[[str, int, int, int], Image.Image]


@contextmanager
def running_demo(draw: Draw = sketch) -> Iterator[str]:
    """Run the demo provider as somebody else's quick server; gives its `/v1` address."""
    with patch.object(render, 'draw', draw):
        yield from _running_demo()


def _running_demo() -> Iterator[str]:
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


def command(
    *arguments: str, environment: Mapping[str, str] | None = None, typed: str = ''
) -> subprocess.CompletedProcess[str]:
    """Run a command of Easel in the checkout until it ends."""
    with ExitStack() as stack:
        source, out, err = (stack.enter_context(TemporaryFile('w+')) for _ in range(3))
        source.write(typed)
        source.seek(0)
        files = source.fileno(), out.fileno(), err.fileno()
        variables = clean_environment(**(environment or {}))
        code = QUICKEST(Start(arguments, ROOT, variables, files)).wait(COMMAND_S)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())

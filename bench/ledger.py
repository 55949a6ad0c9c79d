"""Keeps account: what was accepted, asked and delivered, and what a data folder makes of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer

import httpx

from bench.upstream import body_of, noise_png
from tests.support.servers import Easel

FINAL = ('done', 'failed', 'cancelled', 'interrupted')
PICTURES = 'images'


@dataclass(slots=True)
class Ledger:
    """Everything that was accepted of one data folder, and what the image API saw of it.

    Attributes:
        accepted: The prompt of each generation that was answered with 303.
        asked: How often each prompt came to the image API.
        delivered: The prompts whose answers were sent to the last byte.
    """

    delay_s: float
    side: int
    url: str = ''
    accepted: dict[int, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    delivered: set[str] = field(default_factory=set)
    began: list[float] = field(default_factory=list)

    def submit(self, client: httpx.Client, prompt: str) -> int | None:
        """Send a prompt; None where it was not accepted, or nobody knows."""
        try:
            answer = client.post('/generations', data={'prompt': prompt})
        except httpx.HTTPError:
            return None
        if answer.status_code != httpx.codes.SEE_OTHER:
            return None
        number = int(answer.headers['location'].rpartition('-')[2])
        self.accepted[number] = prompt
        return number


@contextlib.contextmanager
def keeping_account(delay_s: float = 0.1, side: int = 64) -> Iterator[Ledger]:
    """Run an image API whose every answer is another picture, in threads of this process."""
    ledger = Ledger(delay_s, side)
    with ThreadingHTTPServer(('127.0.0.1', 0), partial(ImageApi, ledger)) as server:
        server.daemon_threads = True
        ledger.url = f'http://127.0.0.1:{server.server_address[1]}/v1'
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield ledger
        finally:
            server.shutdown()


class ImageApi(BaseHTTPRequestHandler):
    """Enters every request in a ledger."""

    protocol_version = 'HTTP/1.1'

    def __init__(
        self, ledger: Ledger, request: socket.socket, client_address: str, server: BaseServer
    ) -> None:
        self._ledger = ledger
        super().__init__(request, client_address, server)

    def do_GET(self) -> None:
        self._send(b'{"object":"list","data":[]}')

    def do_POST(self) -> None:
        length = int(self.headers.get('Content-Length', 0))
        prompt = json.loads(self.rfile.read(length))['prompt']
        self._ledger.asked[prompt] += 1
        self._ledger.began.append(time.monotonic())
        time.sleep(self._ledger.delay_s)
        with contextlib.suppress(OSError):
            self._send(body_of(noise_png(self._ledger.side)))
            self._ledger.delivered.add(prompt)

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()


def wait_until_settled(easel: Easel, ledger: Ledger, within_s: float) -> None:
    """Wait until every accepted generation is final, or the time is over."""
    ending = time.monotonic() + within_s
    waited_for = set(ledger.accepted)
    with easel.client() as client:
        while waited_for and time.monotonic() < ending:
            with contextlib.suppress(httpx.HTTPError):
                waited_for = {one for one in waited_for if _status(client, one) not in FINAL}
            time.sleep(0.05)


def faults_of(easel: Easel, ledger: Ledger) -> list[str]:
    """Name everything that must not be, of a server that had the time to settle."""
    faults = []
    with easel.client() as client:
        shown = {number: _shown(client, number) for number in ledger.accepted}
    for number, prompt in ledger.accepted.items():
        status = str(shown[number].get('status'))
        if status not in FINAL:
            faults.append(f'{number} is {status}')
        if status == 'failed':
            faults.append(f'{number} failed: {shown[number].get("error")}')
        if status == 'done' and not shown[number]['images']:
            faults.append(f'{number} is done without a picture')
        if ledger.asked[prompt] > 1:
            faults.append(f'{number} was asked {ledger.asked[prompt]} times')
    return faults + _faults_of_files(easel, ledger, shown)


def _faults_of_files(
    easel: Easel, ledger: Ledger, shown: dict[int, dict[str, object]]
) -> list[str]:
    faults, named = [], set()
    with easel.client() as client:
        for file, digest in rows(easel.data):
            named.add(file)
            content = client.get(f'/files/{digest}.png').content
            if hashlib.sha256(content).hexdigest() != digest:
                faults.append(f'{file} is shown and is not what was kept')
    on_disk = easel.data / PICTURES
    found = {path.relative_to(on_disk).as_posix() for path in on_disk.rglob('*.png')}
    faults += [f'{file} has no row' for file in found - named]
    faults += [f'{file} is missing' for file in named - found]
    return faults


def rows(data: Path) -> list[tuple[str, str]]:
    """Read the file and the digest of every picture's row, beside a server that runs."""
    with contextlib.closing(
        sqlite3.connect(f'{(data / "easel.db").as_uri()}?mode=ro', uri=True)
    ) as db:
        return db.execute('select file, digest from images order by id').fetchall()


def gallery(data: Path) -> list[tuple[object, ...]]:
    """Read what a rebuilt database must bring back of each picture."""
    sql = """
        select images.id, generation_id, position, digest, file, images.seed, prompt
        from images join generations on generations.id = generation_id
        order by images.id
    """
    with contextlib.closing(
        sqlite3.connect(f'{(data / "easel.db").as_uri()}?mode=ro', uri=True)
    ) as db:
        return db.execute(sql).fetchall()


def _status(client: httpx.Client, number: int) -> str:
    return str(_shown(client, number).get('status'))


def _shown(client: httpx.Client, number: int) -> dict[str, object]:
    answer = client.get(f'/generations/{number}.json')
    shown: dict[str, object] = answer.json() if answer.is_success else {'status': 'lost'}
    return shown

"""Claims: what a thumbnail costs, beside what others take to send the same files.

Thumbnails of 60 pictures, a page of the gallery, over 32 connections: Easel with a password, to its
owner and to a guest who may see some of them alone; Starlette's FileResponse, which asks nobody for
anything; and nginx. In turns, in one run; Easel answers at least six times as many requests as
FileResponse, and 0.12 times as many as nginx.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import httpx

from bench.gallery_rows import GUEST_TOKENS, fill
from bench.measure import Claim, judge, middle_ratio, print_table
from bench.rapid_client import CONNECTIONS, hammer
from bench.start import free_port
from tests.support.servers import Easel, executed, running_easel

PASSWORD = 'open sesame'
ROWS = 4_000
PAGE = 60
WARM_S, ROUND_S = 0.5, 2.0
LEAST_OF_FILE_RESPONSE, LEAST_OF_NGINX = 6.0, 0.12
FILE_RESPONSE = """
from starlette.responses import FileResponse

async def app(scope, receive, send):
    await FileResponse({root!r} + scope['path'])(scope, receive, send)
"""
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  types {{ image/webp webp; }}
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@dataclass(slots=True)
class Asked:
    """A server, what is asked of it, how often that was answered in a second, and at what cost.

    Attributes:
        used_us: Of the processor, for each answer; what else this machine does says little here.
    """

    port: int
    pid: int
    requests: list[bytes]
    rates: list[float] = field(default_factory=list)
    used_us: list[float] = field(default_factory=list)

    def measure(self) -> None:
        hammer(self.port, self.requests, WARM_S)
        before_s = processor_s(self.pid)
        self.rates.append(hammer(self.port, self.requests, ROUND_S))
        used_s = processor_s(self.pid) - before_s
        self.used_us.append(used_s * 1e6 / (self.rates[-1] * ROUND_S))

    def row(self, name: str) -> tuple[str, ...]:
        return name, f'{median(self.rates):.0f}', f'{median(self.used_us):.0f}'


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', default='', help='what is measured, as a pattern')
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / 'data'
        asyncio.run(fill(data, ROWS))
        with serving(data) as asked:
            wanted = {name: one for name, one in asked.items() if re.search(chosen.only, name)}
            for _ in range(chosen.rounds):
                for one in wanted.values():
                    one.measure()
    print_table(
        f'thumbnails, {CONNECTIONS} connections',
        [('', 'a second', 'µs of processor'), *(one.row(name) for name, one in wanted.items())],
    )
    if wanted != asked:
        return 0
    file_response, nginx = asked['FileResponse'].rates, asked['nginx'].rates
    claims = []
    for name in ('Easel, owner', 'Easel, guest', 'Easel, 304'):
        own = asked[name].rates
        claims += [
            Claim(f'6 × FileResponse, to {name}', 6 * middle_ratio(file_response, own), 1, ''),
            Claim(f'0.12 × nginx, to {name}', 0.12 * middle_ratio(nginx, own), 1, ''),
        ]
    return judge(claims)


@contextlib.contextmanager
def serving(data: Path) -> Iterator[dict[str, Asked]]:
    """Run all three on one folder; give what to ask of each."""
    environment = {'EASEL_PASSWORD': PASSWORD, 'EASEL_LOG': 'error'}
    with contextlib.ExitStack() as closing:
        easel = closing.enter_context(running_easel(data, environment, executed))
        owner, guest = signed_in(easel), joined(easel)
        place = int(easel.url.rpartition(':')[2]), easel.process.pid
        everything, own = thumbs_of(easel, owner), thumbs_of(easel, guest)
        as_owner = partial(request, cookie=owner)
        known = [as_owner(path, etag=etag_of(easel, owner, path)) for path in everything]
        others = {
            'FileResponse': closing.enter_context(file_response(data)),
            'nginx': closing.enter_context(nginx(data)),
        }
        yield {
            'Easel, owner': Asked(*place, [*map(as_owner, everything)]),
            'Easel, guest': Asked(*place, [request(path, cookie=guest) for path in own]),
            'Easel, 304': Asked(*place, known),
        } | {
            name: Asked(*other, [request(on_disk(path)) for path in everything])
            for name, other in others.items()
        }


def signed_in(easel: Easel) -> str:
    with easel.client() as client:
        client.post('/session', data={'password': PASSWORD}, headers={'Origin': easel.url})
        return cookie_in(client)


def joined(easel: Easel) -> str:
    """Open the link of a guest who may see the pictures alone that were drawn for them."""
    with easel.client() as client:
        client.post(f'/join/{GUEST_TOKENS[1]}', headers={'Origin': easel.url})
        return cookie_in(client)


def cookie_in(client: httpx.Client) -> str:
    found = '; '.join(f'{name}={value}' for name, value in client.cookies.items())
    assert found, 'no session began'
    return found


def thumbs_of(easel: Easel, cookie: str) -> list[str]:
    """Return the addresses of a page's thumbnails."""
    with easel.client() as client:
        answer = client.get('/gallery.json', headers={'Cookie': cookie})
    images = json.loads(answer.text)['images'][:PAGE]
    return [image['thumb_url'] for image in images]


def on_disk(path: str) -> str:
    return re.sub(r'/thumbs/(..)', r'/thumbs/\1/\1', path)


def etag_of(easel: Easel, cookie: str, path: str) -> str:
    with easel.client() as client:
        return client.get(path, headers={'Cookie': cookie}).headers['etag']


def request(path: str, cookie: str = '', etag: str = '') -> bytes:
    """Write a request as a browser does."""
    lines = [
        f'GET {path} HTTP/1.1',
        'Host: 127.0.0.1',
        'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
        'Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5',
        'Accept-Language: en-GB,en;q=0.5',
        'Accept-Encoding: gzip, deflate, br, zstd',
        'Connection: keep-alive',
        'Sec-Fetch-Dest: image',
        'Sec-Fetch-Mode: no-cors',
        'Sec-Fetch-Site: same-origin',
    ]
    lines += [f'Cookie: {cookie}'] if cookie else []
    lines += [f'If-None-Match: {etag}'] if etag else []
    return '\r\n'.join([*lines, '', '']).encode()


@contextlib.contextmanager
def file_response(data: Path) -> Iterator[tuple[int, int]]:
    """Serve the folder by Starlette's own response, in uvicorn."""
    port, folder = free_port(), data.parent
    app = FILE_RESPONSE.format(root=str(data))
    (folder / 'file_response.py').write_text(app, encoding='utf-8')
    uvicorn = [sys.executable, '-m', 'uvicorn', '--app-dir', str(folder), '--port', str(port)]
    with ran(
        [*uvicorn, '--log-level', 'warning', '--no-access-log', 'file_response:app'], port
    ) as served:
        yield served


@contextlib.contextmanager
def nginx(data: Path) -> Iterator[tuple[int, int]]:
    """Serve the folder by nginx."""
    port, folder = free_port(), data.parent
    config = folder / 'nginx.conf'
    text = NGINX.format(folder=folder, root=data, port=port)
    config.write_text(f'user root;{text}', encoding='utf-8')
    with ran(['nginx', '-c', str(config), '-p', str(folder)], port) as served:
        yield served


@contextlib.contextmanager
def ran(command: list[str], port: int) -> Iterator[tuple[int, int]]:
    """Run a server for as long as the block lasts; give its port and its process."""
    with subprocess.Popen(command) as process:
        try:
            wait_for(lambda: socket.create_connection(('127.0.0.1', port)).close())
            yield port, process.pid
        finally:
            process.terminate()


def processor_s(pid: int) -> float:
    """Return what a process and those that it started have used. Linux only."""
    tree = Path(f'/proc/{pid}/task/{pid}/children').read_text(encoding='ascii').split()
    ticks = 0
    for number in (pid, *tree):
        fields = Path(f'/proc/{number}/stat').read_text(encoding='ascii').rpartition(')')[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf('SC_CLK_TCK')


def wait_for(connect: Callable[[], None]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            return connect()
        time.sleep(0.02)
    raise TimeoutError


if __name__ == '__main__':
    sys.exit(main())

"""A reverse proxy as small as can be: one sub-path, taken off or passed on; it keeps a list."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

ROOT_PATH = '/easel'
HEAD_END = b'\r\n\r\n'
BLOCK_BYTES = 65_536
NOT_HERE = b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'


@dataclass
class SubPath:
    """A running proxy, and the addresses that it was asked for."""

    url: str
    asked: list[str] = field(default_factory=list)

    def outside(self) -> list[str]:
        """List what was asked for beyond the sub-path; Chromium looks for an icon by itself."""
        own = (f'{ROOT_PATH}/', '/favicon.ico')
        return [target for target in self.asked if not target.startswith(own)]


@contextmanager
def running_sub_path(easel_port: int, *, strips: bool) -> Iterator[SubPath]:
    """Run the proxy in front of a server for as long as the block lasts."""
    proxy = SubPath('')

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                _pass_on(self.request, easel_port, proxy, strips=strips)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(('127.0.0.1', 0), Connection) as server:
        proxy.url = f'http://localhost:{server.server_address[1]}'
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield proxy
        server.shutdown()


def _pass_on(browser: socket.socket, port: int, proxy: SubPath, *, strips: bool) -> None:
    """Pass one request on, and what comes back until either end closes."""
    begun = b''
    while HEAD_END not in begun:
        block = browser.recv(BLOCK_BYTES)
        if not block:
            return
        begun += block
    head, _, body = begun.partition(HEAD_END)
    first, _, headers = head.partition(b'\r\n')
    method, target, version = first.split(b' ')
    proxy.asked.append(target.decode('ascii'))
    if not target.startswith(ROOT_PATH.encode()):
        browser.sendall(NOT_HERE)
        return
    if strips:
        target = target.removeprefix(ROOT_PATH.encode()) or b'/'
    with socket.create_connection(('127.0.0.1', port)) as easel:
        lines = [b' '.join((method, target, version)), b'Connection: close', *_kept(headers)]
        easel.sendall(b'\r\n'.join(lines) + HEAD_END + body)
        threading.Thread(target=_copy, args=(browser, easel), daemon=True).start()
        _copy(easel, browser)


def _kept(headers: bytes) -> list[bytes]:
    lines = headers.split(b'\r\n')
    return [line for line in lines if not line.lower().startswith(b'connection:')]


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(BLOCK_BYTES):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)

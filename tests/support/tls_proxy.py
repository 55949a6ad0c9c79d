"""TLS in front of Easel, as a reverse proxy does it: a connection a request, and its scheme."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trustme

BLOCK_BYTES = 65_536


class _Relay(socketserver.BaseRequestHandler):
    """Hands one request on, and its answer back until it ends."""

    server: _Front

    def handle(self) -> None:
        with suppress(OSError), self.server.own.wrap_socket(self.request, server_side=True) as near:
            head, _, body = _head(near).partition(b'\r\n\r\n')
            if not head:
                return
            lines = [
                one for one in head.split(b'\r\n') if not one.lower().startswith(b'connection:')
            ]
            more = b'\r\n'.join(
                [*lines, b'X-Forwarded-Proto: https', b'Connection: close', b'', b'']
            )
            with socket.create_connection(('127.0.0.1', self.server.easel_port), timeout=30) as far:
                far.sendall(more + body)
                _pass(near, far, _length(lines) - len(body))
                while block := far.recv(BLOCK_BYTES):
                    near.sendall(block)


class _Front(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, easel_port: int, own: ssl.SSLContext) -> None:
        super().__init__(('127.0.0.1', 0), _Relay)
        self.easel_port = easel_port
        self.own = own

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that closes."""


@contextmanager
def tls_before(easel_url: str, name: str) -> Iterator[str]:
    """Listen for as long as the block lasts; gives the https address."""
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(name).configure_cert(own)
    with _Front(int(easel_url.rpartition(':')[2]), own) as front:
        threading.Thread(target=front.serve_forever, daemon=True).start()
        yield f'https://{name}:{front.server_address[1]}'
        front.shutdown()


def _head(near: socket.socket) -> bytes:
    got = b''
    while b'\r\n\r\n' not in got:
        block = near.recv(BLOCK_BYTES)
        if not block:
            return b''
        got += block
    return got


def _length(lines: list[bytes]) -> int:
    found = [line for line in lines if line.lower().startswith(b'content-length:')]
    return int(found[0].partition(b':')[2]) if found else 0


def _pass(near: socket.socket, far: socket.socket, left: int) -> None:
    while left > 0:
        block = near.recv(min(left, BLOCK_BYTES))
        left = left - len(block) if block else 0
        far.sendall(block)

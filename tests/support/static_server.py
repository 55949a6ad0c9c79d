"""A web server in a thread: for tests that drive a browser and have no loop of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Header = tuple[str, str]


class Quiet(BaseHTTPRequestHandler):
    """Answers without writing a log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""

    def do_GET(self) -> None:
        """Hand a request on."""
        self.get()

    def do_POST(self) -> None:
        """Hand a request on."""
        self.post()

    def get(self) -> None:
        """Answer a GET."""
        self.answer(404, 'text/plain', b'')

    def post(self) -> None:
        """Answer a POST."""
        self.answer(404, 'text/plain', b'')

    def answer(self, status: int, kind: str, content: bytes, *headers: Header) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(content)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def body(self) -> bytes:
        """Read what was sent."""
        return self.rfile.read(int(self.headers['content-length'] or '0'))


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that has gone."""


@contextmanager
def serving(handler: type[Quiet]) -> Iterator[int]:
    """Serve for as long as the block lasts; gives the port."""
    with _Server(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()

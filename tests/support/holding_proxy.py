"""A proxy that holds every answer back until it has ended, as some in front of whole offices do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

HOP_BY_HOP = ('connection', 'content-length', 'transfer-encoding', 'content-encoding', 'date')


@contextmanager
def holding_proxy(url: str) -> Iterator[str]:
    """Run the proxy in front of a server for as long as the block lasts; gives its own address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get('content-length', 0)))
            answer = httpx.request(
                self.command, url + self.path, headers=self.headers.items(), content=body,
                timeout=None, trust_env=False,
            )  # fmt: skip
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            with suppress(ConnectionError):  # nobody waits for it any more
                self.end_headers()
                self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815 (the name that the standard library calls)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f'http://localhost:{server.server_port}'
        finally:
            server.shutdown()
            thread.join()

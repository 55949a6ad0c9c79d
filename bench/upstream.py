"""An image API that has its answers ready: a process that sends as fast as the socket takes.

The prompt chooses the answer: `small` or `large`, or `chunked` for the large one in 64 kB chunks.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import socketserver
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGE_SIDE = 2_582  # pixels; of noise, three bytes each: 20.0 MB
SMALL_SIDE = 128  # 49 kB
CHUNK_BYTES = 64 * 1024


@contextlib.contextmanager
def upstream(module: str = 'bench.upstream') -> Iterator[str]:
    """Run a stub as a process of its own, and give its base address."""
    process = subprocess.Popen(
        [sys.executable, '-m', module], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield f'http://127.0.0.1:{int(process.stdout.readline())}/v1'
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Serve until killed; the first line of standard output is the port."""
    large = body_of(noise_png(LARGE_SIDE))
    answers = {
        b'small': whole(body_of(noise_png(SMALL_SIDE))),
        b'large': whole(large),
        b'chunked': chunked(large),
    }

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while asked := self._read():
                chosen = [name for name in answers if re.search(rb'["\n]%b["\r]' % name, asked)]
                self.connection.sendall(answers[chosen[0]])

        def _read(self) -> bytes:
            length = 0
            while (line := self.rfile.readline()) not in (b'', b'\r\n'):
                name, _, value = line.partition(b':')
                if name.lower() == b'content-length':
                    length = int(value)
            beginning = self.rfile.read(min(length, CHUNK_BYTES))
            for at in range(len(beginning), length, CHUNK_BYTES):
                self.rfile.read(min(CHUNK_BYTES, length - at))
            return beginning

        def finish(self) -> None:
            with contextlib.suppress(ConnectionError):
                super().finish()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(('127.0.0.1', 0), Handler) as server:
        sys.stdout.write(f'{server.server_address[1]}\n')
        sys.stdout.flush()
        server.serve_forever()


def noise_png(side: int) -> bytes:
    """Make a picture that nothing can compress."""
    rows = b''.join(b'\0' + os.urandom(3 * side) for _ in range(side))
    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    parts = ((b'IHDR', header), (b'IDAT', zlib.compress(rows, 0)), (b'IEND', b''))
    return b'\x89PNG\r\n\x1a\n' + b''.join(_part(name, content) for name, content in parts)


def body_of(picture: bytes) -> bytes:
    """Lay the answer out as OpenAI does."""
    return b'{"created":1,"data":[{"b64_json":"%b"}]}' % base64.b64encode(picture)


def whole(body: bytes) -> bytes:
    """Write an answer that says its length."""
    return b'%bContent-Length: %d\r\n\r\n%b' % (_START, len(body), body)


def chunked(body: bytes) -> bytes:
    """Write an answer in chunks."""
    pieces = [body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)]
    chunks = b''.join(b'%x\r\n%b\r\n' % (len(piece), piece) for piece in [*pieces, b''])
    return b'%bTransfer-Encoding: chunked\r\n\r\n%b' % (_START, chunks)


def _part(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack('>I', len(content)) + name + content + struct.pack('>I', check)


_START = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'


if __name__ == '__main__':
    main()

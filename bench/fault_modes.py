"""Hostile answers of an image API, each by its name, from a process of its own.

The prompt chooses the answer; `MODES` says which kinds of failure it may come to, nothing for a
picture that must be kept all the same.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import socketserver
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat

from bench.upstream import noise_png

MEGA = 1 << 20
MOST_SENT = 256 * MEGA  # of what has no end; by then it was refused
SLOW = 'slow'  # in the name of a mode that is only ended by a time-out
PNG = noise_png(64)
PICTURE = base64.b64encode(PNG)
DRAWN = b'{"data":[{"b64_json":"%b"}]}' % PICTURE

Pieces = Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Mode:
    """One hostile answer, and what may become of it."""

    pieces: Callable[[], Pieces]
    kinds: str = ''


def head(status: str = '200 OK', *lines: str) -> bytes:
    return '\r\n'.join([f'HTTP/1.1 {status}', *lines, '', '']).encode()


def body(content: bytes, status: str = '200 OK', *lines: str) -> Callable[[], Pieces]:
    """Answer with this whole body."""
    return lambda: iter([head(status, f'Content-Length: {len(content)}', *lines), content])


def endless(
    piece: bytes,
    start: bytes = b'',
    status: str = '200 OK',
    end: bytes = b'',
    most: int = MOST_SENT,
) -> Callable[[], Pieces]:
    """Answer with a start, the same over and over, and perhaps an end; without a length."""

    def pieces() -> Pieces:
        block = piece * max(1, 65_536 // len(piece))
        yield head(status, 'Connection: close') + start
        yield from repeat(block, most // len(block))
        yield end

    return pieces


def text(unit: str, size: int = 4_000_000, **around: str) -> Callable[[], Pieces]:
    """Answer with an error whose message is this over and over."""
    message = unit * (size // len(unit))
    return body(json.dumps({'error': {'message': message, **around}}).encode(), '500 Oh')


def chunks(content: bytes, size: int) -> Callable[[], Pieces]:
    cut = [content[at : at + size] for at in range(0, len(content), size)]
    wire = b''.join(b'%x\r\n%b\r\n' % (len(one), one) for one in [*cut, b''])
    return lambda: iter([head('200 OK', 'Transfer-Encoding: chunked'), wire])


def dripping(content: bytes, pause_s: float = 0.2) -> Callable[[], Pieces]:
    def pieces() -> Pieces:
        for at in range(len(content)):
            yield content[at : at + 1]
            time.sleep(pause_s)

    return pieces


def silent() -> Pieces:
    time.sleep(60)
    yield b''


def zipped(count: int, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', method) as archive:
        for number in range(count):
            archive.writestr(str(number), content)
    return packed.getvalue()


def listed(row: bytes, count: int) -> bytes:
    return b'{"data":[%b]}' % b','.join([row] * count)


def bomb() -> bytes:
    return gzip.compress(b'{"data":"' + bytes(100 * MEGA))


SAYS = b'Content-Type: text/event-stream\r\n'
WHOLE = head('200 OK', 'Content-Length: 100000') + DRAWN[:60]
EVENT = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
FINAL = b'data: ' + DRAWN + b'\n\n'
TOO_MUCH = 'too_large'
MODES: dict[str, Mode] = {
    'closes at once': Mode(lambda: iter(()), 'unreachable'),
    'half a status line': Mode(lambda: iter([b'HTTP/1.1 2']), 'unreachable'),
    'no HTTP': Mode(lambda: iter([b'SSH-2.0-OpenSSH_9.6\r\n']), 'unreachable'),
    'slow: silence': Mode(silent, 'timeout'),
    'slow: headers drip': Mode(dripping(head() + DRAWN), 'timeout'),
    'slow: body drips': Mode(dripping(WHOLE), 'timeout'),
    'breaks off': Mode(lambda: iter([WHOLE]), 'truncated'),
    'longer than said': Mode(lambda: iter([head('200 OK', 'Content-Length: 9'), DRAWN])),
    'bad chunks': Mode(
        lambda: iter([head('200 OK', 'Transfer-Encoding: chunked'), b'zz\r\n' + DRAWN]),
        'truncated unreachable',
    ),
    'chunks break off': Mode(
        lambda: iter([head('200 OK', 'Transfer-Encoding: chunked'), b'ff\r\n{"data":']), 'truncated'
    ),
    '1xx without end': Mode(lambda: repeat(head('100 Continue') * 2_000, 5_000), 'unreachable'),
    '103 with headers': Mode(lambda: repeat(head('103 Hi', 'Link: x') * 999, 5_000), 'unreachable'),
    '20,000 headers': Mode(body(DRAWN, '200 OK', *['a:b'] * 20_000), 'unreachable'),
    'a header of 90 kB': Mode(body(DRAWN, '200 OK', 'a: ' + 'b' * 90_000), 'unreachable'),
    'headers without end': Mode(
        lambda: iter([b'HTTP/1.1 200 OK\r\n', *repeat(b'a:b\r\n' * 9_999, 500)]), 'unreachable'
    ),
    'folded headers': Mode(body(DRAWN, '200 OK', 'a: b', *[' c'] * 20_000), 'unreachable'),
    'a chunk of one letter each': Mode(chunks(DRAWN, 1)),
    '100,000 chunks of blanks': Mode(chunks(b' ' * 100_000 + DRAWN, 1)),
    'blanks without end': Mode(endless(b' '), TOO_MUCH),
    'line breaks without end': Mode(endless(b'\n'), TOO_MUCH),
    'blanks in JSON': Mode(endless(b' ', b'{"data":['), TOO_MUCH),
    '3 MB of blanks, then a picture': Mode(endless(b' ', end=DRAWN, most=3 * MEGA)),
    'a string without end': Mode(endless(b'a b ', b'{"data":"'), TOO_MUCH),
    'base64 without end': Mode(endless(b'QUJD', b'{"data":[{"b64_json":"'), TOO_MUCH),
    'a picture without end': Mode(endless(bytes(4), PNG), TOO_MUCH),
    'a page without end': Mode(endless(b'<p>', b'<!doctype html><title>A</title>'), TOO_MUCH),
    'an error page of 60 MB': Mode(
        endless(b'<script>', b'<html><title>Oh</title>', '500 Oh', most=60 * MEGA), 'upstream_error'
    ),
    'a status of 60 MB': Mode(endless(b'a', b'', '403 No', most=60 * MEGA), 'forbidden'),
    '400,000 events': Mode(endless(b'data: 1\n\n', most=3_600_000), 'empty upstream_error'),
    '90,000 words of a chat': Mode(endless(EVENT, most=4_000_000), 'empty'),
    'events, then a picture': Mode(endless(EVENT, end=FINAL, most=3_000_000)),
    'pings without end': Mode(endless(b': ping\n\n'), TOO_MUCH),
    'pings, then a picture': Mode(endless(b': ping\n\n', end=FINAL, most=3_000_000)),
    'one event without end': Mode(endless(b'data: a\n', b'data: {'), TOO_MUCH),
    'an event of 400,000 lines': Mode(endless(b'data: 1,\n', most=3_600_000), 'truncated'),
    'previews without end': Mode(
        endless(b'data: {"type":"partial_image","url":"data:,"}\n\n'), TOO_MUCH
    ),
    '400,000 lines of JSON': Mode(endless(b'{"a":1}\n', most=3_200_000), 'empty upstream_error'),
    'JSON behind JSON': Mode(endless(b'{"a":1}', most=3_200_000), TOO_MUCH),
    'an array of 2,000,000 numbers': Mode(body(b'[' + b'1,' * 1_999_999 + b'1]'), TOO_MUCH),
    '1,300,000 empty lists': Mode(body(b'[' + b'[],' * 1_300_000 + b'[]]'), TOO_MUCH),
    '15,000 objects of pictures': Mode(body(listed(b'{"url":""}', 9_000)), 'empty'),
    '10,000 addresses': Mode(body(listed(b'"http://10.0.0.1/a.png"', 9_999)), 'blocked_url'),
    '300,000 keys': Mode(
        body(b'{' + b','.join(b'"%d":1' % one for one in range(300_000)) + b'}'), TOO_MUCH
    ),
    'lists in lists': Mode(body(b'[' * MEGA), TOO_MUCH),
    'objects in objects': Mode(body(b'{"data":' * 400_000), 'truncated too_large'),
    'numbers of 4,300 digits': Mode(body(b'[' + b'9' * 4_299 + b',9' * 800 + b']'), 'empty'),
    'a number of 4 MB': Mode(body(b'9' * 4_000_000), 'empty'),
    '700,000 escapes': Mode(body(b'{"data":["' + b'\\u0041' * 690_000 + b'"]}'), 'not_an_image'),
    'halves of signs': Mode(body(b'{"data":["' + b'\\ud800' * 690_000 + b'"]}'), 'empty bad_image'),
    '2,000,000 quotes': Mode(body(b'"' * 4_000_000), 'not_json'),
    '4 MB of backslashes': Mode(body(b'{"a":"' + b'\\' * 4_000_000 + b'"}'), 'empty'),
    '100 pictures instead of one': Mode(body(listed(b'{"b64_json":"%b"}' % PICTURE, 100))),
    '1,000 pictures in their own addresses': Mode(
        body(listed(b'"data:image/png;base64,%b"' % base64.b64encode(noise_png(8)), 1_000))
    ),
    'a data address of 3 MB': Mode(
        body(b'{"url":"data:image/png,' + b'%41' * MEGA + b'"}'), 'not_an_image'
    ),
    'links to pictures': Mode(body(json.dumps({'data': '![a](' * 800_000}).encode()), TOO_MUCH),
    'addresses in prose': Mode(body(b'{"data":"%b"}' % (b'at http://a.' * 300_000)), 'empty'),
    'words of rules': Mode(text('violat'), 'upstream_error'),
    'words of keys': Mode(text('eyJaaaaa-'), 'upstream_error'),
    'words of paths': Mode(text('-/-a.', code='x' * 100), 'upstream_error'),
    'an error in an error': Mode(text('{\\"error\\":', 900_000), 'upstream_error'),
    'a bomb of gzip': Mode(body(bomb(), '200 OK', 'Content-Encoding: gzip'), 'not_json too_large'),
    '50,000 members of gzip': Mode(
        body(gzip.compress(b'') * 50_000, '200 OK', 'Content-Encoding: gzip'), 'empty'
    ),
    'deflate breaks off': Mode(
        body(zlib.compress(DRAWN)[:40], '200 OK', 'Content-Encoding: deflate'), 'truncated'
    ),
    'a zip of 60,000 members': Mode(body(zipped(60_000, b'')), 'truncated'),
    'a zip of bombs': Mode(body(zipped(40, PNG + bytes(9 * MEGA))), TOO_MUCH),
    'a zip by LZMA': Mode(body(zipped(9, PNG, zipfile.ZIP_LZMA)), 'truncated'),
}  # fmt: skip


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline()) not in (b'', b'\r\n'):
            name, _, value = line.partition(b':')
            length = int(value) if name.lower() == b'content-length' else length
        asked = json.loads(self.rfile.read(length) or b'{}')
        with contextlib.suppress(OSError):
            for piece in MODES[asked['prompt']].pieces() if asked else (head('404 No'),):
                self.connection.sendall(piece)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


if __name__ == '__main__':
    with _Server(('127.0.0.1', 0), _Handler) as server:
        sys.stdout.write(f'{server.server_address[1]}\n')
        sys.stdout.flush()
        server.serve_forever()

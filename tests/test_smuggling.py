"""Requests that two servers could read differently, as bytes on a socket, at both parsers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deadline_server import calling, serving_easel

HOST = 'Host: localhost\r\n'
POST = 'POST /settings HTTP/1.1\r\n' + HOST
GET = 'GET /health HTTP/1.1\r\n' + HOST
CHUNKED = POST + 'Transfer-Encoding: chunked\r\n'
CHUNKED_TOO = POST + 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'
HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n'
DOUBTFUL = {
    'length and chunks': f'{CHUNKED_TOO}\r\n0\r\n\r\n{HIDDEN}',
    'chunks and length': CHUNKED + f'Content-Length: 5\r\n\r\n0\r\n\r\n{HIDDEN}',
    'two lengths': POST + 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhellox',
    'the same length twice': POST + 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
    'a list of lengths': POST + 'Content-Length: 5, 5\r\n\r\nhello',
    'a negative length': POST + 'Content-Length: -1\r\n\r\nhello',
    'a signed length': POST + 'Content-Length: +5\r\n\r\nhello',
    'a length in hex': POST + 'Content-Length: 0x5\r\n\r\nhello',
    'a length past all bounds': POST + 'Content-Length: 99999999999999999999999\r\n\r\nhello',
    'an unknown coding': POST + 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'chunks not last': POST + 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'compressed chunks': POST + 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'a coding behind a control byte': POST + 'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
    'chunked twice': CHUNKED + 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a blank before the colon': POST + 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'chunks in HTTP/1.0': CHUNKED.replace('1.1', '1.0') + '\r\n0\r\n\r\n',
    'bare line feeds': (GET + '\r\n').replace('\r', ''),
    'one bare line feed': GET + 'X: y\nA: b\r\n\r\n',
    'a bare carriage return': GET + 'X: y\rA: b\r\n\r\n',
    'a folded header': GET + 'X: y\r\n A: b\r\n\r\n',
    'a folded host': 'GET /health HTTP/1.1\r\nHost: localhost\r\n .evil.test\r\n\r\n',
    'a chunk that ends wrongly': CHUNKED + '\r\n5\r\nhelloXX0\r\n\r\n',
    'a chunk extension with a line feed': CHUNKED + '\r\n5;a\nb\r\nhello\r\n0\r\n\r\n',
    'a negative chunk': CHUNKED + '\r\n-5\r\nhello\r\n0\r\n\r\n',
    'a chunk in hex twice': CHUNKED + '\r\n0x5\r\nhello\r\n0\r\n\r\n',
    'another server in the first line': f'GET http://evil.test/health HTTP/1.1\r\n{HOST}\r\n',
    'another server in capitals': f'GET HTTP://EVIL.TEST/health HTTP/1.1\r\n{HOST}\r\n',
    'a server and no address': f'GET http://evil.test HTTP/1.1\r\n{HOST}\r\n',
    'a server as a whole': f'OPTIONS * HTTP/1.1\r\n{HOST}\r\n',
    'a tunnel': f'CONNECT evil.test:80 HTTP/1.1\r\n{HOST}\r\n',
    'another version': f'GET /health HTTP/2.0\r\n{HOST}\r\n',
    'an unknown version': f'GET /health HTTP/1.2\r\n{HOST}\r\n',
    'the next protocol': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a method in small letters': f'get /health HTTP/1.1\r\n{HOST}\r\n',
    'an address beyond ASCII': f'GET /\xff HTTP/1.1\r\n{HOST}\r\n',
    'a header without a name': GET + ': x\r\n\r\n',
    'two hosts': GET + HOST + '\r\n',
    'no host': 'GET /health HTTP/1.1\r\n\r\n',
    'a host with a zero byte': 'GET /health HTTP/1.1\r\nHost: local\0host\r\n\r\n',
    'a host with a tab': 'GET /health HTTP/1.1\r\nHost: local\thost\r\n\r\n',
    'a host of 4 kB': f'GET /health HTTP/1.1\r\nHost: {"a" * 4096}\r\n\r\n',
    'a cookie of 70 kB': f'{GET}Cookie: {"a" * 70_000}\r\n\r\n',
}  # fmt: skip


@pytest.fixture(scope='module')
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    data = tmp_path_factory.mktemp('smuggling') / 'data'
    with serving_easel(data) as port:
        yield port


@pytest.mark.parametrize('name', DOUBTFUL)
def test_cve_2025_43859_a_request_in_doubt_is_refused_and_the_line_closed(
    port: int, name: str
) -> None:
    with calling(port) as line:
        line.send(DOUBTFUL[name])
        answer = line.read_to_end()

    assert answer.startswith(b'HTTP/1.1 400 ')
    assert answer.count(b'HTTP/1.1') == 1
    head = answer.lower().partition(b'\r\n\r\n')[0]
    assert b'connection: close' in head
    assert b"content-security-policy: default-src 'none'" in head
    assert b'server:' not in head


def test_row_77_a_trailer_is_no_header(port: int) -> None:
    body = 'theme=dark'
    form = 'Content-Type: application/x-www-form-urlencoded\r\n'
    trailer = 'Cookie: a=b\r\nOrigin: http://evil.test\r\nHost: evil.test\r\n'
    with calling(port) as line:
        line.send(f'{CHUNKED}{form}Connection: close\r\n\r\na\r\n{body}\r\n0\r\n{trailer}\r\n')

        answer = line.read_to_end()

    assert answer.startswith(b'HTTP/1.1 303 ')


def test_an_ordinary_request_is_answered_and_the_line_kept(port: int) -> None:
    with calling(port) as line:
        for _ in range(3):
            line.send(GET + '\r\n')

            assert line.read_until(b'"ok"').startswith(b'HTTP/1.1 200 ')

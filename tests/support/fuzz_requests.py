"""Requests at random, by a seed: what the pages' own schema names, and what nobody would send."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from tests.support.raw_requests import Address

Header = tuple[bytes, bytes]
SEED = 20_261_125
METHODS = ('GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'QUERY')
IDS = (
    '1',
    '2',
    '3',
    '0',
    '-1',
    '9' * 18,
    '9' * 19,
    '9' * 5_000,
    '1.json',
    '01',
    '+1',
    '1e3',
    '٣',
    'x',
)
WEIRD = (
    *('', ' ', '0', '-1', '1e999', 'NaN', 'true', 'null', 'auto', '9' * 30, '1' * 4_400),
    *('\x00', '\r\nX: 1', '\ud800', '\u202e', '\ufeff', 'é' * 200, '🐈' * 90, 'а\u0301' * 99),
    *("' or 1=1 --", '"', 'NEAR(a b', 'prompt:*', '%' * 400, '_' * 90, '{0.__class__}', '{{7*7}}'),
    *('../../etc/passwd', '..%2f..%2f', '%', '%zz', '%c0%ae', '\\\\h\\s', '<script>', '${HOME}'),
    *('x' * 40_000, '(' * 3_000, ':,' * 2_000, '[' * 3_000),
)
HERE_ONLY = ('http://127.0.0.1:9/v1', '127.0.0.1:9', 'http://[::1]:9', 'ftp://x', '::', '', '\x00')
FIELDS = (
    *('prompt', 'provider', 'model', 'size', 'size_other', 'n', 'seed', 'response_format'),
    *('negative_prompt', 'quality', 'steps', 'guidance', 'sampler', 'submission', 'language'),
    *('theme', 'password', 'back', 'name', 'key', 'headers', 'at_once', 'timeout_s', 'dialect'),
    *('enabled', 'remove_key', 'remove_header', 'by', 'draw', 'id', 'status', 'picture'),
    *('lifetime', 'current', 'new', 'makes', 'sees_all', 'tells_prompt', 'guest'),
)
GOOD = {
    'prompt': ('a cat', 'кот'),
    'size': ('64x48', '16x16', 'other'),
    'n': ('1', '2'),
    'name': ('a', 'b', 'c'),
    'theme': ('dark', 'light'),
    'language': ('ru', 'en'),
    'by': ('up', 'down'),
    'lifetime': ('day', 'ever'),
    'response_format': ('url', 'b64_json'),
}
QUERIES = ('q', 'model', 'provider', 'favourite', 'deleted', 'before', 'from', 'bring', 'showing')
KINDS = (
    b'application/x-www-form-urlencoded',
    b'application/x-www-form-urlencoded; charset=utf-7',
    b'multipart/form-data; boundary=b',
    b'multipart/form-data',
    b'multipart/form-data; boundary="' + b'\\' * 300,
    b'application/json',
    b'text/plain',
    b';;;=',
    b'\xff\xfe',
)
ODD_HEADERS: tuple[Header, ...] = (
    (b'accept', b'application/json'),
    (b'accept', b'text/html'),
    (b'accept', b'\xff' * 90),
    (b'accept-encoding', b'gzip;q=x'),
    (b'accept-language', b'ru-RU,ru;q=0.9'),
    (b'accept-language', b'-' * 900),
    (b'authorization', b'Bearer \xff'),
    (b'authorization', b'Basic ' + b'=' * 90),
    (b'cookie', b'easel-language=\xff; easel-theme=dark'),
    (b'cookie', b'a=b; ' * 900),
    (b'content-length', b'-1'),
    (b'content-length', b'9' * 5_000),
    (b'expect', b'100-continue'),
    (b'host', b'evil.test'),
    (b'if-none-match', b'*'),
    (b'last-event-id', b'9' * 99),
    (b'origin', b'null'),
    (b'range', b'bytes=9-1,-,'),
    (b'referer', b'http://\xff'),
    (b'sec-fetch-site', b'same-origin'),
    (b'sec-fetch-site', b'cross-site'),
    (b'transfer-encoding', b'chunked'),
    (b'x-forwarded-for', b'unknown, ,'),
    (b'x-forwarded-proto', b'gopher'),
    (b'x-fragment', b'true'),
)


@dataclass(frozen=True, slots=True)
class Shot:
    """One request.

    Attributes:
        target: Path and query as they stand in the first line.
    """

    method: str
    target: str
    headers: tuple[Header, ...]
    body: bytes

    @property
    def raw(self) -> bytes:
        """Write it as it goes over a line, which is then closed."""
        lines = [f'{self.method} {self.target} HTTP/1.1'.encode('latin-1', 'replace')]
        lines += [name + b': ' + value for name, value in self.headers]
        lines.append(b'connection: close')
        if not any(name == b'content-length' for name, _ in self.headers):
            lines.append(b'content-length: %d' % len(self.body))
        return b'\r\n'.join([*lines, b'', self.body])


def shots(addresses: Sequence[Address], count: int, seed: int = SEED) -> Iterator[Shot]:
    """Make so many requests for these addresses; the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        address = chance.choice(addresses)
        method = address.method if chance.random() < 0.8 else chance.choice(METHODS)
        kind, body = _body(chance) if method not in ('GET', 'HEAD') else (b'', b'')
        headers = [(b'host', b'localhost')]
        headers += [(b'content-type', kind)] if kind else []
        headers += chance.sample(ODD_HEADERS, chance.choice((0, 0, 0, 1, 1, 2, 5)))
        yield Shot(method, _target(address.path, chance), tuple(headers), body)


def _target(path: str, chance: random.Random) -> str:
    while '{' in path:
        before, _, rest = path.partition('{')
        path = before + _part(chance) + rest.partition('}')[2]
    if chance.random() < 0.06:
        path = (
            quote(chance.randbytes(chance.randrange(30)), safe='/%') + path[chance.randrange(9) :]
        )
    if chance.random() < 0.4:
        return path
    names = chance.choices(QUERIES, k=chance.choice((1, 1, 2, 5)))
    return f'{path}?{_encoded([(name, _value(name, chance)) for name in names])}'


def _part(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return quote(chance.choice(IDS))
    return quote(chance.choice(WEIRD).encode('utf-8', 'surrogatepass')[:3_000], safe='/')


def _body(chance: random.Random) -> tuple[bytes, bytes]:
    names = ['prompt', *chance.choices(FIELDS, k=chance.choice((0, 0, 1, 3, 9)))]
    pairs = [(name, _value(name, chance)) for name in names]
    if chance.random() < 0.15:
        pairs.append(('base_url', chance.choice(HERE_ONLY)))
    match chance.randrange(8):
        case 0:
            return chance.choice(KINDS), chance.randbytes(chance.randrange(3_000))
        case 1:
            return KINDS[2], _multipart(pairs)[: chance.choice((None, 40, -3))]
        case 2:
            return b'application/json', json.dumps(dict(pairs)).encode()
        case 3:
            return chance.choice(KINDS), _encoded(pairs).encode()
        case _:
            return KINDS[0], _encoded(pairs).encode()


def _value(name: str, chance: random.Random) -> str:
    if name in GOOD and chance.random() < 0.7:
        return chance.choice(GOOD[name])
    return chance.choice(WEIRD)


def _encoded(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, encoding='utf-8', errors='surrogatepass')


def _multipart(pairs: list[tuple[str, str]]) -> bytes:
    head = 'Content-Disposition: form-data; name='
    parts = [f'--b\r\n{head}"{name}"\r\n\r\n{value}\r\n' for name, value in pairs]
    parts.append(
        f'--b\r\n{head}"picture"; filename="../../x\\"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--b--\r\n'
    )
    return ''.join(parts).encode('utf-8', 'surrogatepass')

"""Addresses: which spellings are refused, and how one is completed."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.net.urls import (
    DOCKER_HOST,
    Blocked,
    Origin,
    address_of,
    joined,
    origin_of,
    outside_of,
    same_server,
    without_secrets,
)

LONG = 'a.' * 126 + 'a'  # as long as a name may be
ODD = [
    f'http://b{LONG}',
    '',
    'a.png',
    '/a.png',
    '//a.test/x',
    'a.test/x',
    'http:',
    'http:/',
    'http://',
    'http:///x',
    'http:a.test',
    'http://?x',
    'http://#x',
    'http://:80/',
    'http://a.test:/',
    'http://a.test:0/',
    'http://a.test:-1/',
    'http://a.test:65536/',
    'http://a.test:99999/',
    'http://a.test:8a/',
    'http://a.test: 80/',
    'http://a.test:80:80/',
    'http://@a.test/',
    'http://user@a.test/',
    'http://user:word@a.test/',
    'http://a.test@127.0.0.1/',
    'http://a.test:80@127.0.0.1/',
    'http://127.0.0.1\\@a.test/',
    'http://a.test\\x',
    'http:\\\\a.test\\x',
    'http:/\\a.test',
    'http://a.test\t/x',
    'http://a.te\nst/x',
    'http://a.test/x\r\nHost: b',
    ' http://a.test/',
    'http://a.test/a b',
    'http://a.test\x00/',
    'http://%61.test/',
    'http://127.0.0.1%2f@a.test/',
    'http://a.test%00.b.test/',
    'http://[::1',
    'http://::1]/',
    'http://[]/',
    'http://[::1]x/',
    'http://[fe80::1%25eth0]/',
    'http://[a.test]/',
    'http://[v1.x]/',
    'http://a.test／@b.test/',
    'http://a.test#@127.0.0.1',
    'http://a.test#',
    'http://a.test?@127.0.0.1/',
    'http://127.1/',
    'http://127.0.1/',
    'http://127.0.0.1./',
    'http://127.0.0.01/',
    'http://0177.0.0.1/',
    'http://0x7f.0.0.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://017700000001/',
    'http://127.0.0.0x1/',
    'http://1.2.3.4.5/',
    'http://256.1.1.1/',
    'http://a.127/',
    'http://0/',
    'http://１２７.0.0.1/',
    'http://①②⑦.0.0.1/',
    'http://127。0。0。1/',
    'http://a．test/',
    'http://a｡test/',
    'http://ⓛocalhost/',
    'http://stra\u00dfe.test/',
    'http://a\u00ad.test/',
    'http://a\u200d.test/',
    'http://a..test/',
    'http://.a.test/',
    'http://-a.test/',
    'http://a,b.test/',
    'http://a;b.test/',
    'http://a*b/',
    'http://$a/',
    'http://' + 'a' * 64 + '.test/',
    'http://' + 'a.' * 127 + 'test/',
    'http://[::1]:/',
    'http://[::1].test/',
    'http://[::127.0.0.1.]/',
    'http://[1::2::3]/',
    'http://a.test\x7f/',
    'http://a.test＃x/',
    'http://℀.test/',
    'ftp://a.test/x',
    'file:///etc/passwd',
    'file://a.test/x',
    'gopher://a.test/',
    'javascript:alert(1)',
    'data:image/png;base64,AAAA',
    'blob:http://a.test/x',
    'ws://a.test/',
    'unix:/run/x.sock',
    'http+unix://x/',
    'http://' + 'a' * 8_200,
]


@pytest.mark.parametrize('url', ODD)
def test_an_oddly_spelt_address_is_refused(url: str) -> None:
    with pytest.raises(Blocked):
        origin_of(url)


@pytest.mark.parametrize(
    ('url', 'origin', 'shown'),
    [
        ('http://a.test', Origin('http', 'a.test', 80), 'a.test'),
        ('https://a.test/x?y=http://b.test@c', Origin('https', 'a.test', 443), 'a.test'),
        ('HTTP://A.Test:8080/X', Origin('http', 'a.test', 8080), 'a.test:8080'),
        ('https://a.test:443/', Origin('https', 'a.test', 443), 'a.test'),
        ('https://a.test:80/', Origin('https', 'a.test', 80), 'a.test:80'),
        ('http://127.0.0.1:1337/v1', Origin('http', '127.0.0.1', 1337), '127.0.0.1:1337'),
        ('http://[::1]:1337/v1', Origin('http', '::1', 1337), '[::1]:1337'),
        ('http://[2606:4700::1111]/', Origin('http', '2606:4700::1111', 80), '[2606:4700::1111]'),
        ('http://[::FFFF:127.0.0.1]:9/', Origin('http', '::ffff:7f00:1', 9), '[::ffff:7f00:1]:9'),
        ('http://[0:0:0:0:0:0:0:1]/', Origin('http', '::1', 80), '[::1]'),
        ('http://кот.Test/', Origin('http', 'xn--j1aim.test', 80), 'xn--j1aim.test'),
        ('http://my_server-1:1/', Origin('http', 'my_server-1', 1), 'my_server-1:1'),
        (f'http://{LONG}', Origin('http', LONG, 80), LONG),
        ('http://a.test./', Origin('http', 'a.test.', 80), 'a.test.'),
        ('http://a.test?version=2', Origin('http', 'a.test', 80), 'a.test'),
        ('http://a.test/%7Euser/a%20b', Origin('http', 'a.test', 80), 'a.test'),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: Origin, shown: str) -> None:
    assert origin_of(url) == origin
    assert str(origin) == shown


@given(st.text() | st.text().map('http://'.__add__) | st.text().map('http://a.test'.__add__))
def test_any_text_is_an_origin_or_blocked(text: str) -> None:
    try:
        origin = origin_of(text)
    except Blocked:
        return

    assert origin.host
    assert 0 < origin.port < 65_536


@given(st.text('ab.1[]:/?#@%\\ \t-_éß１。x', max_size=30).map('http://'.__add__))
def test_whoever_checks_and_whoever_fetches_read_the_same(text: str) -> None:
    try:
        address = address_of(text)
    except Blocked:
        return

    fetched = httpx.URL(str(address))
    assert fetched.raw_host.decode() == address.origin.host
    assert fetched.port in (address.origin.port, None)
    assert fetched.userinfo == b''
    assert address_of(str(address)) == address


@pytest.mark.parametrize(
    ('reference', 'url'),
    [
        ('http://b.test/x.png', 'http://b.test/x.png'),
        ('/x.png', 'http://a.test:8000/x.png'),
        ('x.png', 'http://a.test:8000/x.png'),
        ('outputs/a b.png', 'http://a.test:8000/outputs/a%20b.png'),
        ('../x.png', 'http://a.test:8000/x.png'),
        ('//b.test/x.png', 'http://b.test/x.png'),
        ('?id=7', 'http://a.test:8000/?id=7'),
        ('  /x.png\n', 'http://a.test:8000/x.png'),
        ('/x.png?sig=a%2Fb%3D&t=1+2', 'http://a.test:8000/x.png?sig=a%2Fb%3D&t=1+2'),
        ('/x.png?url=https%3A%2F%2Fi.test%2Fa%2520b', 'http://a.test:8000/x.png?url=https%3A%2F%2Fi.test%2Fa%2520b'),
        ('/x.png?b=2&a=1&b=1', 'http://a.test:8000/x.png?b=2&a=1&b=1'),
        ('/кот.png', 'http://a.test:8000/%D0%BA%D0%BE%D1%82.png'),
        ('/100%.png', 'http://a.test:8000/100%.png'),
        ('http://[::1]:9/x.png', 'http://[::1]:9/x.png'),
        ('/a|b"c.png', 'http://a.test:8000/a%7Cb%22c.png'),
        ('http://b.test/a b.png', 'http://b.test/a%20b.png'),
        ('HTTP://B.test/кот.png#x', 'http://b.test/%D0%BA%D0%BE%D1%82.png'),
        ('/home/anna/.xinference/image/x.jpg', 'http://a.test:8000/home/anna/.xinference/image/x.jpg'),
    ],
)  # fmt: skip
def test_a_reference_is_completed_at_the_root_and_its_query_left_alone(
    reference: str, url: str
) -> None:
    assert str(joined(reference, address_of('http://a.test:8000/'))) == url


@pytest.mark.parametrize(
    'reference',
    [
        'http:b.test/x.png',
        'https:/x.png',
        'file:///etc/passwd',
        'FILE:/etc/passwd',
        'javascript:alert(1)',
        'ftp://b.test/x.png',
        'C:\\x.png',
        'c:/x.png',
        '\\\\host\\share\\a.png',
        '..\\..\\db',
        '/\\b.test/x.png',
        '///b.test/x.png',
        '//b.test\\@a.test/x.png',
        '//user@b.test/x.png',
        '/a\nb.png',
        '/a\x00b.png',
        'http://b te.st/x.png',
    ],
)
def test_what_names_no_http_address_is_blocked(reference: str) -> None:
    with pytest.raises(Blocked):
        joined(reference, address_of('http://a.test:8000/'))


@pytest.mark.parametrize(
    ('location', 'url'),
    [
        ('b.png', 'https://a.test/x/b.png'),
        ('../b.png?c=%2F', 'https://a.test/b.png?c=%2F'),
        ('/b c.png', 'https://a.test/b%20c.png'),
        ('?page=2', 'https://a.test/x/a.png?page=2'),
        ('//b.test/c', 'https://b.test/c'),
        ('http://b.test', 'http://b.test/'),
    ],
)
def test_a_reference_is_resolved_as_a_browser_does(location: str, url: str) -> None:
    assert str(joined(location, address_of('https://a.test/x/a.png?sig=1'))) == url


@pytest.mark.parametrize(
    ('one', 'other', 'is_same'),
    [
        ('http://a.test/v1', 'https://a.test:80', True),
        ('http://localhost:1', 'http://127.0.0.1:1/v1', True),
        ('http://localhost:1', 'http://localhost:2', False),
        ('http://localhost:1', 'http://a.test:1', False),
        ('http://a.test', 'http://b.test', False),
    ],
)
def test_one_machine_may_have_two_names(one: str, other: str, is_same: bool) -> None:
    assert same_server(one, other) is is_same


@pytest.mark.parametrize(
    ('where', 'outside'),
    [
        ('localhost:1337', f'{DOCKER_HOST}:1337'),
        ('http://localhost:1337/v1', f'{DOCKER_HOST}:1337'),
        ('localhost', DOCKER_HOST),
        ('not an address', DOCKER_HOST),
    ],
)
def test_a_containers_own_address_is_that_of_its_machine(where: str, outside: str) -> None:
    assert outside_of(where) == outside


@pytest.mark.parametrize(
    ('url', 'shown'),
    [('http://a.test/v1?key=x', 'http://a.test/v1?…'), ('http://a.test/v1', 'http://a.test/v1')],
)
def test_what_may_be_a_key_in_an_address_is_not_shown(url: str, shown: str) -> None:
    assert without_secrets(url) == shown

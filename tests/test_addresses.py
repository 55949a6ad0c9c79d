"""Addresses: which are public, which spellings are refused, and how one is completed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.addresses import Blocked, Origin, absolute, is_public, origin_of


def each(text: str) -> list[str]:
    return text.split()


BLOCKED = each("""
0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.64.0.1
100.127.255.255 127.0.0.0 127.0.0.1 127.0.0.53 127.255.255.255 169.254.0.0 169.254.169.254
169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1
192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.255 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:20::1 2001:db8::1
2002:7f00:1:: 2002:808:808:: 3fff::1 3fff:fff:: 5f00::1 fc00::1 fd00::1 fdff:ffff::1 fe80::1
fe80::1%eth0 febf::1 fec0::1 feff::1 ff02::1 ff0e::1
""")
PUBLIC = each("""
1.0.0.1 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0
192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255
198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2400::1 2606:4700::1111
2a00:1450::1 3ffe::1
""")
ODD = [
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


@pytest.mark.parametrize('address', BLOCKED)
def test_a_private_or_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize('address', PUBLIC)
def test_the_neighbour_of_a_special_range_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    'text',
    each('a.test 127.1 2130706433 0x7f.0.0.1 0177.0.0.1 8.8.8 8.8.8.8.8 8.8.8.8/32 8.8.8.8:80'),
)
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


@given(st.ip_addresses(v=4, network='10.0.0.0/8') | st.ip_addresses(v=6, network='fc00::/7'))
def test_no_private_address_is_public(address: object) -> None:
    assert not is_public(str(address))


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
    ],
)  # fmt: skip
def test_a_reference_is_completed_at_the_root_and_its_query_left_alone(
    reference: str, url: str
) -> None:
    assert absolute(reference, 'http://a.test:8000/v1?api-version=2') == url

"""Who asks: the word of a proxy counts when the operator named it, and never otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from app.access.visitors import Proxies
from app.errors import Malformed
from app.net.ip import networks_in
from app.web.context import Services
from app.web.security.guard import CROWDED
from tests.support.raw_requests import FORM, HOME, LOOPBACK, Answered, knock, open_door

PROXY, INNER = '10.0.0.2', '172.18.0.3'
PROXIES = Proxies(networks_in('10.0.0.2, 172.18.0.0/16, fd00::/8'))
PASSWORD = 'open sesame'
CLIENT, SCHEME, NAME = b'x-forwarded-for', b'x-forwarded-proto', b'x-forwarded-host'
TLS = (SCHEME, b'https')
ORIGIN = b'origin'


@pytest.mark.parametrize(
    ('lines', 'client'),
    [
        ([], PROXY),
        ([b'203.0.113.9'], '203.0.113.9'),
        ([b'1.1.1.1, 203.0.113.9'], '203.0.113.9'),
        ([b'127.0.0.1, 203.0.113.9'], '203.0.113.9'),
        ([b'203.0.113.9, 172.18.0.3'], '203.0.113.9'),
        ([b'6.6.6.6,203.0.113.9 ,\t172.18.0.3, 10.0.0.2'], '203.0.113.9'),
        ([b'6.6.6.6', b'203.0.113.9'], '203.0.113.9'),
        ([b'not an address, 203.0.113.9'], '203.0.113.9'),
        ([b'172.18.0.3, 10.0.0.2'], INNER),
        ([b'203.0.113.9:4711'], '203.0.113.9'),
        ([b'2001:db8::7'], '2001:db8::7'),
        ([b'[2001:DB8::7]:443'], '2001:db8::7'),
        ([b'::ffff:203.0.113.9'], '203.0.113.9'),
        ([b''], PROXY),
        ([b' , '], PROXY),
    ],
)
def test_tob_12_the_nearest_hop_that_is_no_proxy_of_ours_is_the_visitor(
    lines: list[bytes], client: str
) -> None:
    visitor = PROXIES.visitor(PROXY, 'http', [(CLIENT, line) for line in lines])

    assert visitor.address == client


@pytest.mark.parametrize(
    'line',
    [b'unknown', b'_hidden', b'localhost', b'203.0.113', b'203.0.113.999', b'1.1.1.1 2.2.2.2',
     b'1.1.1.1;x', b'[::1', b'0x7f.0.0.1', b'"1.1.1.1"', b'for=1.1.1.1', b'\xff', b'1.1.1.1:port'],
)  # fmt: skip
def test_a_hop_that_can_not_be_read_is_refused_and_not_guessed(line: bytes) -> None:
    with pytest.raises(Malformed):
        PROXIES.visitor(PROXY, 'http', [(CLIENT, line)])


@pytest.mark.parametrize('scheme', [b'ftp', b'https;', b'on', b'http s', b'\xff'])
def test_a_scheme_that_can_not_be_read_is_refused(scheme: bytes) -> None:
    with pytest.raises(Malformed):
        PROXIES.visitor(PROXY, 'http', [(SCHEME, scheme)])


@pytest.mark.parametrize('peer', [LOOPBACK, '::1', '10.0.0.3', '203.0.113.1', 'fc00::1', ''])
def test_sillytavern_44649_from_anybody_else_such_headers_are_air(peer: str) -> None:
    headers = [
        (CLIENT, b'127.0.0.1'),
        TLS,
        (NAME, b'localhost'),
        (b'forwarded', b'for=127.0.0.1;proto=https;host=localhost'),
        (b'x-real-ip', b'127.0.0.1'),
        (b'remote-user', b'owner'),
    ]

    visitor = PROXIES.visitor(peer, 'http', headers)

    assert visitor == PROXIES.visitor(peer, 'http', [])
    assert (visitor.scheme, visitor.forwarded_host) == ('http', b'')


def test_forwarded_is_not_read_even_from_a_proxy_of_ours() -> None:
    headers = [(b'forwarded', b'for=203.0.113.9;proto=https;host=evil.test')]

    assert PROXIES.visitor(PROXY, 'http', headers) == PROXIES.visitor(PROXY, 'http', [])


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_in_a_proxys_headers_are_read_or_refused(lines: list[bytes]) -> None:
    headers = [(name, line) for line in lines for name in (CLIENT, SCHEME, NAME)]

    try:
        visitor = PROXIES.visitor(PROXY, 'http', headers)
    except Malformed:
        return

    assert visitor.scheme in ('http', 'https')


@pytest.mark.parametrize(
    ('peer', 'share'),
    [
        (LOOPBACK, ''),
        ('127.9.9.9', ''),
        ('::1', ''),
        ('::ffff:127.0.0.1', ''),
        (PROXY, ''),
        ('fd12::1', ''),
        ('192.168.1.20', '192.168.1.20'),
        ('::ffff:192.168.1.20', '192.168.1.20'),
        ('2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'),
        ('2001:db8:1:2::ffff', '2001:db8:1:2::/64'),
        ('fe80::1%eth0', 'fe80::/64'),
    ],
)
def test_a_visitor_has_one_share_however_many_addresses(peer: str, share: str) -> None:
    assert PROXIES.quota_key_of(peer) == share


@pytest.mark.parametrize('text', ['*', 'a.test', '10.0.0.1/8', '0.0.0.0/0', '::/0', '10.0.0.1;x'])
def test_what_names_no_proxy_or_everybody_is_wrong(text: str) -> None:
    with pytest.raises(ValueError):
        networks_in(text)


@pytest_asyncio.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[tuple[ASGIApp, Services]]:
    settings = {'EASEL_TRUSTED_PROXIES': PROXY, 'EASEL_HOSTS': 'easel.example'}
    async with open_door(tmp_path / 'data', **settings, EASEL_PASSWORD=PASSWORD) as opened:
        yield opened


async def sign_in(app: ASGIApp, *headers: tuple[bytes, bytes], peer: str) -> Answered:
    return await knock(
        app, 'POST', '/session', HOME, FORM, *headers, peer=peer, body=b'password=open+sesame'
    )


async def test_behind_tls_the_cookie_is_bound_to_the_host_and_to_tls(
    proxied: tuple[ASGIApp, Services],
) -> None:
    app, services = proxied

    answer = await sign_in(app, TLS, (ORIGIN, b'https://localhost'), peer=PROXY)

    cookie = answer.headers['set-cookie']
    assert answer.status == 303
    assert cookie.startswith(f'__Host-{services.sessions.cookie_name}=')
    assert {'Secure', 'HttpOnly', 'Path=/', 'SameSite=strict'} <= set(cookie.split('; '))
    assert 'Domain' not in cookie


async def test_row_17_a_cookie_from_plain_http_is_nothing_behind_tls(
    proxied: tuple[ASGIApp, Services],
) -> None:
    app, _ = proxied
    plain = (await sign_in(app, peer=PROXY)).headers['set-cookie'].partition(';')[0]
    bound = (await sign_in(app, TLS, peer=PROXY)).headers['set-cookie'].partition(';')[0]

    answers = [
        await knock(app, 'GET', '/gallery', HOME, TLS, (b'cookie', one.encode()), peer=PROXY)
        for one in (plain, bound)
    ]

    assert [answer.status for answer in answers] == [401, 200]


@pytest.mark.parametrize(
    ('peer', 'origin', 'status'),
    [
        (PROXY, b'https://localhost', 303),
        (PROXY, b'http://localhost', 403),
        (LOOPBACK, b'https://localhost', 403),
        ('192.168.1.20', b'https://localhost', 403),
    ],
)
async def test_row_77_only_a_proxy_that_was_named_says_that_it_is_tls(
    proxied: tuple[ASGIApp, Services], peer: str, origin: bytes, status: int
) -> None:
    app, _ = proxied

    answer = await sign_in(app, TLS, (ORIGIN, origin), peer=peer)

    assert answer.status == status
    assert ('Secure' in answer.headers.get('set-cookie', '')) is (status == 303)


@pytest.mark.parametrize(
    ('name', 'status'),
    [
        (b'easel.example', 200),
        (b'EASEL.example:8443', 200),
        (b'evil.test', 421),
        (b'easel.example, evil.test', 421),
        (b'evil.test, easel.example', 200),
        (b'not a host', 400),
    ],
)
async def test_a_proxys_name_for_us_must_be_ours_as_well(
    proxied: tuple[ASGIApp, Services], name: bytes, status: int
) -> None:
    app, _ = proxied

    answer = await knock(app, 'GET', '/health', HOME, (NAME, name), peer=PROXY)

    assert answer.status == status


async def test_a_proxys_name_does_not_make_a_foreign_host_ours(
    proxied: tuple[ASGIApp, Services],
) -> None:
    app, _ = proxied

    answer = await knock(
        app, 'GET', '/health', (b'host', b'evil.test'), (NAME, b'localhost'), peer=PROXY
    )

    assert answer.status == 421


@pytest.mark.parametrize(
    ('peer', 'signed_in', 'status'),
    [
        ('192.168.1.20', False, 429),
        ('192.168.1.20', True, 200),
        (LOOPBACK, False, 200),
        (PROXY, False, 200),
    ],
)
async def test_one_connection_too_many_is_told_so_unless_it_is_the_owners(
    proxied: tuple[ASGIApp, Services], peer: str, status: int, *, signed_in: bool
) -> None:
    app, _ = proxied
    cookie = (await sign_in(app, peer=LOOPBACK)).headers['set-cookie'].partition(';')[0]
    headers = [(b'cookie', cookie.encode())] if signed_in else []

    answer = await knock(app, 'GET', '/health', HOME, *headers, peer=peer, state={CROWDED: True})

    assert answer.status == status
    assert ('retry-after' in answer.headers) is (status == 429)

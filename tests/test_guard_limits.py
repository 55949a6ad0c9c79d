"""Whom the guard lets in and for how long, asked without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
import pytest_asyncio
from starlette.types import ASGIApp, Message, Scope

from app.access.visitors import MOST_CONNECTIONS_A_VISITOR, Visitor
from app.database.links import GuestRow
from app.errors import Malformed
from app.web.context import PASSWORDS_A_MINUTE
from app.web.security.framing import check_framing
from app.web.security.guard import CROWDED, SMALL_BODY_BYTES
from app.web.security.routes import Role
from tests.support.guests import LAN, PASSWORD, sign_in
from tests.support.raw_requests import FORM, HOME, knock, open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

PROXY = '10.0.0.2'
CLIENT = (b'x-forwarded-for', b'203.0.113.9')
LENGTH, CHUNKED = (b'content-length', b'5'), (b'transfer-encoding', b'chunked')
TOO_LONG = (b'content-length', b'10000000')
LOOKER = GuestRow(
    name='Ann', token_hash='h', makes=False, sees_all=True, created_at=1.0, expires_at=None
)
MAKER = GuestRow(
    name='Ben', token_hash='h', makes=True, sees_all=False, created_at=1.0, expires_at=None
)
VISITORS = {
    'stranger': Visitor(LAN, 'http'),
    'looker': Visitor(LAN, 'http', guest=LOOKER),
    'maker': Visitor(LAN, 'http', guest=MAKER),
    'owner': Visitor(LAN, 'http', owner=True),
}


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ASGIApp]:
    data = tmp_path_factory.mktemp('door') / 'data'
    settings = {
        'EASEL_PASSWORD': PASSWORD, 'EASEL_TRUSTED_PROXIES': PROXY, 'EASEL_ROOT_PATH': '/easel'
    }  # fmt: skip
    async with open_door(data, **settings) as (app, _):
        yield app


@pytest.mark.parametrize(
    ('role', 'admitted'),
    [
        (Role.ANYBODY, ['stranger', 'looker', 'maker', 'owner']),
        (Role.GUEST, ['looker', 'maker', 'owner']),
        (Role.MAKER, ['maker', 'owner']),
        (Role.OWNER, ['owner']),
    ],
)
async def test_each_role_admits_its_own(role: Role, admitted: list[str]) -> None:
    assert [name for name, visitor in VISITORS.items() if role.admits(visitor)] == admitted


@pytest.mark.parametrize(
    ('version', 'headers'),
    [
        ('1.1', [LENGTH, LENGTH]),
        ('1.1', [LENGTH, CHUNKED]),
        ('1.1', [LENGTH, LENGTH, CHUNKED]),
        ('1.1', [CHUNKED, CHUNKED]),
        ('1.0', [CHUNKED]),
    ],
)
async def test_a_body_with_two_ends_is_refused(
    version: str, headers: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(Malformed):
        check_framing(request(version, headers))


@pytest.mark.parametrize(
    ('version', 'headers', 'length'),
    [('1.1', [], 0), ('1.1', [CHUNKED], 0), ('1.0', [LENGTH], 5), ('1.1', [LENGTH], 5)],
)
async def test_a_body_with_one_end_is_read_to_it(
    version: str, headers: list[tuple[bytes, bytes]], length: int
) -> None:
    assert check_framing(request(version, headers)) == length


def request(version: str, headers: list[tuple[bytes, bytes]]) -> Scope:
    return {
        'type': 'http',
        'http_version': version,
        'method': 'POST',
        'path': '/generations',
        'headers': headers,
    }


@pytest.mark.parametrize(
    ('hosts', 'status'),
    [
        ([b'localhost'], 200),
        ([b'localhost:8484'], 200),
        ([b'localhost:1'], 200),
        ([b'192.168.1.20'], 200),
        ([b'[::1]:8484'], 200),
        ([b'127.1'], 421),
        ([b'[::ffff:127.0.0.1]'], 421),
        ([b'a' * 255], 421),
        ([b'a' * 256], 400),
        ([b'localhost:0'], 400),
        ([b'localhost:65536'], 400),
        ([b'localhost', b'localhost'], 400),
        ([], 400),
    ],
)
async def test_one_host_with_a_port_that_can_be_is_answered(
    app: ASGIApp, hosts: list[bytes], status: int
) -> None:
    answer = await knock(app, 'GET', '/health', *((b'host', host) for host in hosts))

    assert answer.status == status
    assert answer.headers['x-content-type-options'] == 'nosniff'


async def test_a_body_that_says_it_is_too_long_is_not_read(app: ASGIApp) -> None:
    answer = await knock(app, 'POST', '/session', HOME, FORM, TOO_LONG, body=b'password=x')

    assert (answer.status, answer.read_bytes) == (413, 0)


async def test_an_address_without_its_slash_is_led_to_it(app: ASGIApp) -> None:
    answer = await knock(app, 'GET', '/easel', HOME)

    assert (answer.status, answer.headers['location']) == (308, '/easel/')


async def test_a_connection_too_many_is_turned_away(app: ASGIApp) -> None:
    answer = await knock(app, 'GET', '/health', HOME, peer=LAN, state={CROWDED: True})

    assert answer.status == 429


async def test_requests_through_a_proxy_count_as_long_as_they_last(app: ASGIApp) -> None:
    statuses = {
        (await knock(app, 'GET', '/health', HOME, CLIENT, peer=PROXY)).status
        for _ in range(MOST_CONNECTIONS_A_VISITOR + 1)
    }

    assert statuses == {200}


async def test_one_guess_too_many_is_refused_unread(app: ASGIApp) -> None:
    statuses = [
        (await sign_in(app, 'a guess', peer=LAN)).status for _ in range(PASSWORDS_A_MINUTE + 1)
    ]

    assert statuses == [401] * PASSWORDS_A_MINUTE + [429]


async def test_what_is_no_http_is_closed(app: ASGIApp) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> Message:
        return {'type': 'websocket.connect'}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({'type': 'websocket', 'path': '/', 'headers': [HOME]}, receive, send)

    assert [message['type'] for message in sent] == ['websocket.close']


async def test_a_body_that_goes_on_and_on_is_read_to_its_limit(app: ASGIApp) -> None:
    block = b'password=' + b'x' * 65_536

    answer = await knock(app, 'POST', '/session', HOME, FORM, body=block, blocks=100)

    assert answer.status == 413
    assert answer.read_bytes < 50 * len(block)


async def test_a_session_is_no_script_s(app: ASGIApp) -> None:
    answer = await sign_in(app, PASSWORD)

    assert 'HttpOnly' in answer.headers['set-cookie']


@pytest.mark.parametrize(
    ('length', 'closes'), [(SMALL_BODY_BYTES, False), (SMALL_BODY_BYTES + 1, True), (10**6, True)]
)
async def test_a_long_body_that_is_refused_ends_its_connection(
    length: int, closes: bool, app: ASGIApp
) -> None:
    announced = (b'content-length', str(length).encode())

    answer = await knock(app, 'POST', '/generations', HOME, FORM, announced)

    assert answer.status == 401
    assert (answer.headers.get('connection') == 'close') is closes

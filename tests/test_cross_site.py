"""Another site's pages: they can not act, read, frame or even have their bodies looked at."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.web.context import Services
from app.web.security.headers import HEADERS
from tests.support.raw_requests import FORM, HOME, Address, addresses, knock, open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

SITE, ORIGIN, COOKIE = b'sec-fetch-site', b'origin', (b'cookie', b'a=b')
OWN = (ORIGIN, b'http://localhost')
FOREIGN = {
    'cross-site': [(SITE, b'cross-site')],
    'another port of this host': [(SITE, b'same-site')],
    'another site with our origin': [(SITE, b'cross-site'), OWN],
    'two sites': [(SITE, b'same-origin'), (SITE, b'cross-site')],
    'a site nobody knows': [(SITE, b'same-origin, none')],
    'an empty site': [(SITE, b'')],
    'no origin to speak of': [(ORIGIN, b'null')],
    'an evil origin': [(ORIGIN, b'http://evil.test')],
    'our origin over TLS': [(ORIGIN, b'https://localhost')],
    'our host, another port': [(ORIGIN, b'http://localhost:9999')],
    'two origins': [OWN, (ORIGIN, b'http://evil.test')],
    'our name in front of theirs': [(ORIGIN, b'http://localhost.evil.test')],
    'an empty origin': [(ORIGIN, b'')],
    'a cookie and nothing to go by': [COOKIE],
}


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ASGIApp, Services]]:
    data: Path = tmp_path_factory.mktemp('sites') / 'data'
    async with open_door(data) as made:
        yield made


def unsafe(services: Services) -> list[Address]:
    acts = [one for one in addresses(services) if one.method not in ('GET', 'HEAD')]
    return acts + [Address(method, '/gallery') for method in ('PUT', 'PATCH', 'DELETE')]


@pytest.mark.parametrize('name', FOREIGN)
async def test_row_1_no_act_is_open_to_another_site(
    opened: tuple[ASGIApp, Services], name: str
) -> None:
    app, services = opened

    answers = [
        await knock(app, one.method, one.path, HOME, FORM, *FOREIGN[name], body=b'prompt=x')
        for one in unsafe(services)
    ]

    assert len(answers) >= 10
    assert {answer.status for answer in answers} == {403}
    assert sum(answer.read_bytes for answer in answers) == 0


@pytest.mark.parametrize(
    'headers',
    [
        [(SITE, b'same-origin'), COOKIE],
        [(SITE, b'none'), COOKIE],
        [OWN, COOKIE],
        [(ORIGIN, b'http://localhost'), (SITE, b'same-origin')],
        [],
    ],
)
async def test_our_own_pages_and_plain_programs_act(
    opened: tuple[ASGIApp, Services], headers: list[tuple[bytes, bytes]]
) -> None:
    app, _ = opened

    answer = await knock(app, 'POST', '/settings', HOME, FORM, *headers, body=b'theme=dark')

    assert answer.status == 303


@pytest.mark.parametrize(
    ('host', 'origin'),
    [
        (b'LOCALHOST:8484', b'http://localhost:8484'),
        (b'localhost:80', b'http://localhost'),
        (b'192.168.1.5:8484', b'http://192.168.1.5:8484'),
        (b'[::1]:8484', b'http://[::1]:8484'),
    ],
)
async def test_our_origin_is_compared_as_a_browser_writes_it(
    opened: tuple[ASGIApp, Services], host: bytes, origin: bytes
) -> None:
    app, _ = opened

    answer = await knock(
        app, 'POST', '/settings', (b'host', host), FORM, (ORIGIN, origin), body=b'theme=dark'
    )

    assert answer.status == 303


async def test_cve_2024_47084_nobody_else_may_read_anything(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    evil = (ORIGIN, b'https://evil.test')
    asked = (b'access-control-request-method', b'POST')
    paths = [*addresses(services), Address('GET', '/nope'), Address('POST', '/nope')]

    answers = [
        await knock(app, method, one.path, HOME, evil, asked, *cookie)
        for one in paths
        for method in {one.method, 'OPTIONS', 'HEAD'}
        for cookie in ((), (COOKIE,))
    ]

    names = {name.lower() for answer in answers for name in answer.headers}
    assert len(answers) > 100
    assert not [name for name in names if name.startswith('access-control')]
    assert not any(answer.status >= 500 for answer in answers)


async def test_tob_16_every_answer_of_every_address_carries_the_headers(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    hosts = (b'localhost', b'evil.test', b'not a host')

    answers = [
        await knock(app, method, one.path.replace('{}', '1'), (b'host', host))
        for one in addresses(services)
        for method in ('GET', 'POST', 'HEAD', 'OPTIONS', 'DELETE')
        for host in hosts
    ]

    missing = {
        (name, answer.status)
        for answer in answers
        for name in HEADERS
        if name not in answer.headers
    }
    assert missing == set()
    assert {200, 400, 403, 404, 405, 415, 421} - {answer.status for answer in answers} <= {403}
    assert not any('server' in answer.headers for answer in answers)
    assert not any('unsafe-eval' in str(answer.headers) for answer in answers)


@pytest.mark.parametrize(
    ('site', 'coding'), [(b'none', 'gzip'), (b'same-site', None), (b'cross-site', None)]
)
async def test_breach_no_length_tells_another_site_what_a_page_says(
    site: bytes, coding: str | None, opened: tuple[ASGIApp, Services]
) -> None:
    takes = (b'accept-encoding', b'gzip, deflate, br')

    answer = await knock(opened[0], 'GET', '/?prompt=guess', HOME, takes, (SITE, site))

    page = gzip.decompress(answer.body) if coding else answer.body
    assert answer.headers.get('content-encoding') == coding
    assert answer.headers['content-length'] == str(len(answer.body))
    assert page.startswith(b'<!doctype html>')
    assert b'guess</textarea>' in page


async def test_cve_2024_1727_a_flood_from_another_site_is_not_even_read(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    kind = (b'content-type', b'multipart/form-data; boundary=b')
    length = (b'content-length', str(20_000_000).encode())
    site = (SITE, b'cross-site')

    answers = [
        await knock(
            app, 'POST', '/reading', HOME, kind, length, site, body=b'x' * 65_536, blocks=300
        )
        for _ in range(100)
    ]

    assert {answer.status for answer in answers} == {403}
    assert sum(answer.read_bytes for answer in answers) == 0
    assert {answer.headers['connection'] for answer in answers} == {'close'}
    assert list(services.store.arriving.iterdir()) == []


@pytest.mark.parametrize('length', [b'-1', b'+5', b'0x5', b'5, 5', b'', b'1e3', b'9' * 40, b'\xb2'])
async def test_cve_2026_42561_an_odd_length_is_refused(
    opened: tuple[ASGIApp, Services], length: bytes
) -> None:
    app, _ = opened

    answer = await knock(
        app, 'POST', '/settings', HOME, FORM, (b'content-length', length), body=b'theme=dark'
    )

    assert answer.status == 400
    assert answer.read_bytes == 0


@pytest.mark.parametrize(
    'kind', [b'application/x-www-form-urlencoded', b'multipart/form-data; boundary=b']
)
@pytest.mark.parametrize('announced', [True, False])
async def test_cve_2024_47874_a_body_over_the_cap_is_refused_before_it_is_parsed(
    opened: tuple[ASGIApp, Services], kind: bytes, *, announced: bool
) -> None:
    app, _ = opened
    length = [(b'content-length', b'900000000')] if announced else []

    answer = await knock(
        app, 'POST', '/generations', HOME, (b'content-type', kind), *length,
        body=b'x' * 64_000, blocks=800,
    )  # fmt: skip

    assert answer.status == (413 if announced or b'url' in kind else 400)
    assert answer.read_bytes <= (0 if announced else 1_100_000)

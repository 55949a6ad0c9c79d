"""Names that point here without being ours: every spelling, at every address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.web.context import Services
from tests.support.raw_requests import FORM, addresses, knock, open_door
from tests.test_hosts import MALFORMED, NOT_OURS

pytestmark = pytest.mark.asyncio(loop_scope='module')

SPELLINGS = [
    *(host.encode('latin-1') for host in NOT_OURS + MALFORMED),
    b'localhost:8484@evil.com',
    b'localhost/login?x=',
    b'localhost/static/?',
    b'localhost?',
    b'l\xc3\xb6calhost',
    'lоcalhost'.encode(),
    b'xn--clhost-7fg',
    b'a' * 4096,
    b'localhost' + b'.' * 300,
    b'0',
    b'0x7f.1',
    b'[::1].evil',
    b'evil-localhost',
]


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ASGIApp, Services]]:
    data: Path = tmp_path_factory.mktemp('rebinding') / 'data'
    async with open_door(data) as made:
        yield made


async def test_cve_2026_6657_no_other_spelling_opens_any_address(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    every = addresses(services)

    for turn, host in enumerate(SPELLINGS):
        statuses = {
            (await knock(app, one.method, one.path, (b'host', host), FORM, body=b'prompt=x')).status
            for one in every[turn % 4 :: 4]  # each meets twenty of them
        }

        assert statuses in ({400}, {421}), host


@pytest.mark.parametrize(
    'hosts', [(), (b'localhost', b'localhost'), (b'localhost', b'evil.test'), (b'evil.test',)]
)
async def test_row_3_one_host_of_ours_or_none_at_all(
    opened: tuple[ASGIApp, Services], hosts: tuple[bytes, ...]
) -> None:
    app, _ = opened
    headers = [(b'host', host) for host in hosts]

    answer = await knock(app, 'GET', '/', *headers)

    assert answer.status == (421 if hosts == (b'evil.test',) else 400)


async def test_cve_2024_28224_a_rebinding_name_reads_nothing_and_does_nothing(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    rebound = (b'host', b'rebind.test:8484')
    mine = b'prompt=a+private+cat&size=16x16'
    await knock(app, 'POST', '/generations', (b'host', b'localhost'), FORM, body=mine)

    read = await knock(app, 'GET', '/gallery', rebound)
    live = await knock(app, 'GET', '/events', rebound)
    acted = await knock(app, 'POST', '/generations', rebound, FORM, body=b'prompt=x&size=16x16')

    assert {read.status, live.status, acted.status} == {421}
    assert b'private' not in read.body + live.body
    assert acted.read_bytes == 0
    assert len(await services.library.generations.page(None, 10)) == 1


async def test_cve_2026_6589_host_and_origin_that_agree_are_no_check(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    before = await services.library.generations.page(None, 10)

    answer = await knock(
        app, 'POST', '/generations', (b'host', b'rebind.test'), FORM,
        (b'origin', b'http://rebind.test'), (b'sec-fetch-site', b'same-origin'), body=b'prompt=x',
    )  # fmt: skip

    assert answer.status == 421
    assert await services.library.generations.page(None, 10) == before


async def test_cve_2026_48710_a_host_can_not_choose_the_address(tmp_path: Path) -> None:
    hosts = (b'localhost/login?x=', b'localhost/static/?', b'localhost?', b'localhost/health#')

    async with open_door(tmp_path / 'data', EASEL_PASSWORD='open sesame') as (app, _):
        answers = [await knock(app, 'GET', '/gallery', (b'host', host)) for host in hosts]

    assert {answer.status for answer in answers} == {400}


@pytest.mark.parametrize('target', ['http://evil.test/', '*', 'evil.test:80', ''])
async def test_row_3_a_first_line_that_names_a_server_is_refused(
    opened: tuple[ASGIApp, Services], target: str
) -> None:
    app, _ = opened

    answer = await knock(app, 'GET', target, (b'host', b'localhost'))

    assert answer.status == 400
    assert answer.headers['connection'] == 'close'

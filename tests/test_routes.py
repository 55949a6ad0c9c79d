"""The table of addresses: nothing is missing in it, and it alone decides who comes in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from app.web.context import Services
from app.web.security.routes import MOST_BODY_BYTES, ROUTES, STRICTEST, Role, rule_of
from tests.support.raw_requests import FORM, HOME, addresses, knock, open_door
from tests.test_axe import PAGES
from tests.test_axe_sharing import PAGES as SHARED_PAGES

pytestmark = pytest.mark.asyncio(loop_scope='module')

LAN = '192.168.1.20'


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def locked(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ASGIApp, Services]]:
    data: Path = tmp_path_factory.mktemp('doors') / 'data'
    async with open_door(data, EASEL_PASSWORD='open sesame') as opened:
        yield opened


async def test_every_address_of_a_page_stands_in_the_table(
    locked: tuple[ASGIApp, Services],
) -> None:
    _, services = locked
    known = {f'{rule.method} {rule.pattern}' for rule in ROUTES}

    pages = {str(address) for address in addresses(services)}

    assert pages - known == set()
    assert known - pages == set()


async def test_no_page_and_nothing_that_a_page_asks_for_takes_a_thread() -> None:
    """FastAPI runs what is no coroutine in a thread, for every page that is loaded."""
    pages = [rule.handler.rpartition('.') for rule in ROUTES if '.' in rule.handler]
    functions = {getattr(import_module(f'app.web.pages.{one}'), name) for one, _, name in pages}

    calls = {call for page in functions for call in _calls(APIRoute('/', page).dependant)}

    assert calls > functions
    assert [call for call in calls if not iscoroutinefunction(call)] == []


def _calls(dependant: Dependant) -> Iterator[Callable[..., object]]:
    assert dependant.call
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


async def test_every_page_is_examined_by_axe() -> None:
    pages = {rule.handler for rule in ROUTES if rule.method == 'GET' and '_page' in rule.handler}
    addresses = [*PAGES.values(), *(address for _, address in SHARED_PAGES.values())]
    named = (
        address.replace('{join}', '/join/x').replace('{shown}', '/shared/x')
        for address in addresses
    )

    examined = {rule_of('GET', urlsplit(address).path).handler for address in named}

    assert pages - examined == set()


async def test_the_table_names_every_address_once() -> None:
    names = [(rule.method, rule.pattern) for rule in ROUTES]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('GET', '/nope'),
        ('GET', ''),
        ('POST', '/health'),
        ('DELETE', '/session'),
        ('OPTIONS', '/session'),
        ('GET', '/session/'),
        ('GET', '//session'),
        ('GET', '/static'),
        ('GET', '/staticx/a'),
        ('GET', '/x/static/a'),
        ('GET', '/SESSION'),
        ('GET', '/health.json'),
        ('GET', '/session/..'),
        ('GET', 'health'),
    ],
)
async def test_what_is_not_in_the_table_takes_the_strictest_role(method: str, path: str) -> None:
    rule = rule_of(method, path)

    assert rule is STRICTEST
    assert rule.role is Role.OWNER
    assert rule.most_bytes == MOST_BODY_BYTES


async def test_cve_2024_12537_without_signing_in_nothing_is_read_and_nothing_done(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, services = locked
    closed = [one for one in addresses(services) if rule_of(one.method, one.path).role is not
              Role.ANYBODY]  # fmt: skip

    answers = [
        await knock(
            app, one.method, one.path.replace('{}', '1'), HOME, FORM, peer=LAN, body=b'x' * 9
        )
        for one in closed
    ]

    assert len(closed) > 15
    assert {answer.status for answer in answers} == {401}
    assert sum(answer.read_bytes for answer in answers) == 0


async def test_row_81_there_are_no_pages_about_the_server_itself(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, _ = locked

    statuses = {
        (await knock(app, 'GET', path, HOME)).status
        for path in ('/docs', '/redoc', '/openapi.json', '/metrics', '/api', '/debug', '/v2')
    }

    assert statuses == {401}

"""Bodies made to keep a server busy: refused by their size or shape, before they cost anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.web.context import Services
from tests.support.raw_requests import FORM, HOME, knock, open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

BLOCK = b'x' * 64_000
KIND = b'content-type'
MULTIPART = (KIND, b'multipart/form-data; boundary=b')
SLASHES = b'\\' * 8_000


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ASGIApp, Services]]:
    data: Path = tmp_path_factory.mktemp('edge') / 'data'
    async with open_door(data) as made:
        yield made


@pytest.mark.parametrize('path', ['/settings', '/generations', '/reading', '/session'])
@pytest.mark.parametrize('kind', [b'a/b; x="%s', b'multipart/form-data; boundary="%s"', b'%s'])
async def test_cve_2024_24762_an_endless_option_of_a_type_is_refused(
    opened: tuple[ASGIApp, Services], path: str, kind: bytes
) -> None:
    app, _ = opened

    answer = await knock(app, 'POST', path, HOME, (KIND, kind % SLASHES), body=b'--')

    assert answer.status in (400, 415, 422)


@pytest.mark.parametrize(
    ('body', 'blocks'),
    [
        (b'--b\r\n' + b'X: 1\r\n' * 50_000 + b'\r\nx\r\n--b--\r\n', 1),
        (b'--b\r\n' + b'X' * 500_000 + b': 1\r\n\r\nx\r\n--b--\r\n', 1),
        (b'\r\n' * 32_000, 80),
        (BLOCK, 80),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1_000, 4),
        (b'--b--\r\n' + BLOCK, 80),
    ],
    ids=['headers', 'header', 'blank preamble', 'preamble', 'parts', 'epilogue'],
)
async def test_cve_2026_40347_a_form_of_odd_parts_is_refused(
    opened: tuple[ASGIApp, Services], body: bytes, blocks: int
) -> None:
    app, services = opened

    answers = [
        await knock(app, 'POST', path, HOME, MULTIPART, body=body, blocks=blocks)
        for path in ('/generations', '/reading', '/settings/providers')
    ]

    assert {answer.status for answer in answers} <= {400, 413, 422}
    assert list(services.store.arriving.iterdir()) == []


@pytest.mark.parametrize('field', [b'a=1&', b'prompt=x&', b'&', b'=&', b'a&'])
async def test_cve_2023_30798_a_million_fields_are_refused(
    opened: tuple[ASGIApp, Services], field: bytes
) -> None:
    app, _ = opened

    whole = await knock(app, 'POST', '/generations', HOME, FORM, body=field * 1_000_001)
    within = await knock(app, 'POST', '/generations', HOME, FORM, body=(field * 190_000)[:900_000])

    assert whole.status == 413
    assert within.status in (400, 422)


@pytest.mark.parametrize(
    ('path', 'field'),
    [
        ('/session', b'password='),
        ('/generations', b'prompt='),
        ('/settings/providers', b'name='),
        ('/settings', b'theme='),
    ],
)
async def test_cve_2024_12534_a_value_of_ten_megabytes_is_not_even_read(
    opened: tuple[ASGIApp, Services], path: str, field: bytes
) -> None:
    app, _ = opened

    answer = await knock(app, 'POST', path, HOME, FORM, body=field + BLOCK, blocks=160)

    assert answer.status == 413
    assert answer.read_bytes <= 1_000_000 + len(BLOCK) * 2

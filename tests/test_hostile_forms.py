"""Bodies made to keep a parser busy: each is refused, in time and without a fault."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from tests.support.fakes import arriving_in
from tests.support.raw_requests import FORM, HOME, knock, open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

MULTIPART = 'multipart/form-data; boundary=b'
FIELD = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
END = b'--b--\r\n'
HEADERS = b'X: y\r\n' * 50_000
HOSTILE: dict[str, tuple[str, bytes]] = {
    'a type of backslashes': ('multipart/form-data; boundary="' + '\\' * 8_000, b''),
    'a type of backslashes for a form': (FORM[1].decode() + '; a="' + '\\' * 8_000, b'theme=x'),
    'a boundary of 60 kB': ('multipart/form-data; boundary=' + 'b' * 60_000, b''),
    'no boundary': ('multipart/form-data', FIELD % (b'theme', b'dark') + END),
    'an empty boundary': ('multipart/form-data; boundary=', END),
    '50,000 headers of a part': (MULTIPART, b'--b\r\n' + HEADERS + b'\r\n\r\n' + END),
    'a long preamble': (MULTIPART, b'x' * 900_000),
    'a preamble of line ends': (MULTIPART, b'\r\n' * 450_000 + FIELD % (b'a', b'b') + END),
    'a long header of a part': (MULTIPART, b'--b\r\nX: ' + b'y' * 900_000 + b'\r\n\r\n' + END),
    '100,000 fields': (FORM[1].decode(), b'a=&' * 100_000),
    '10,000 parts': (MULTIPART, FIELD % (b'a', b'b') * 10_000 + END),
    'a part without a name': (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n' + END,
    ),
    'a file in a form': (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="a"; filename="../../x"\r\n\r\nx\r\n' + END,
    ),
    'a form that is not a form': (MULTIPART, b'theme=dark'),
    'bytes that are no text': (MULTIPART, FIELD % (b'theme', b'\xff\xfe\x00') + END),
    'JSON': ('application/json', b'{"theme": "dark"}'),
    'text that looks like JSON': ('text/plain', b'{"theme": "dark"}'),
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ASGIApp]:
    data: Path = tmp_path_factory.mktemp('forms') / 'data'
    async with open_door(data) as (made, _):
        yield made


@pytest.mark.parametrize('path', ['/generations', '/reading', '/session', '/images', '/sources'])
@pytest.mark.parametrize('name', HOSTILE)
async def test_cve_2024_24762_a_hostile_form_is_refused(app: ASGIApp, name: str, path: str) -> None:
    kind, body = HOSTILE[name]

    answer = await knock(app, 'POST', path, HOME, (b'content-type', kind.encode()), body=body)

    assert 400 <= answer.status < 500


@pytest.mark.parametrize('place', ['before=%C2%B2', f'at={"9" * 5_000}', 'then=picture'])
async def test_an_act_leads_back_whatever_place_it_came_from(app: ASGIApp, place: str) -> None:
    body = f'act=delete&all=1&top=9&q=nothing&{place}'.encode()

    answer = await knock(app, 'POST', '/images/selection', HOME, FORM, body=body)

    assert answer.status == 303


@pytest.mark.parametrize('field', ['password', 'back'])
async def test_cve_2024_12534_ten_megabytes_of_a_password_are_not_looked_at(
    app: ASGIApp, field: str
) -> None:
    answer = await knock(
        app, 'POST', '/session', HOME, FORM, (b'content-length', b'10000009'),
        body=f'{field}='.encode() + b'x' * 60_000, blocks=170,
    )  # fmt: skip

    assert answer.status == 413
    assert answer.read_bytes == 0


UPLOAD = (
    b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
    + b'x' * 1_100_000
    + b'\r\n'
)


@pytest.mark.parametrize(('end', 'status'), [(END, 200), (b'', 400)])
async def test_an_upload_needs_no_temporary_folder_of_the_system_and_leaves_nothing(
    end: bytes, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'gone'))
    kind = b'content-type', MULTIPART.encode()

    async with open_door(tmp_path / 'data') as (app, _):
        answer = await knock(app, 'POST', '/reading', HOME, kind, body=UPLOAD + end)

    assert answer.status == status
    assert arriving_in(tmp_path / 'data') == []

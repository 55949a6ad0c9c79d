"""Paths, names and bytes that led other apps to files: every spelling, and what is written."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.storage.metadata.mime import MIME_EXTENSIONS
from app.web.context import Services
from tests.support.fakes import picture
from tests.support.raw_requests import HOME, knock, open_door
from tests.support.servers import Easel, running_easel
from tests.support.static_server import Quiet, serving

CANARY = b'a canary that nobody may read'
OWN_NAME = re.compile(r'images/\d{4}/\d\d/\d\d/\d{6}-[\w-]*-?[0-9a-f]{12}\.png')

UPS = (
    *(
        '../',
        '..\\',
        '%2e%2e/',
        '%2e%2e%2f',
        '..%2f',
        '..%5c',
        '%2e%2e%5c',
        '.%2e/',
        '%252e%252e%252f',
    ),
    *(
        '..%252f',
        '..%c0%af',
        '%c0%ae%c0%ae/',
        '..;/',
        '..;a=b/',
        '..%00/',
        '.../',
        '....//',
        '..//',
    ),
    *('..%09/', '..%20/', '. ./', '%uff0e%uff0e/', '..%e2%88%95', '%ef%bc%8e%ef%bc%8e/', './../'),
)
TARGETS = (
    *('easel.db', 'secret', 'token', 'canary', 'images-secret/canary', 'etc/passwd', 'keys.json'),
    *(
        'easel.db%00.png',
        'easel.db%23.png',
        'EASEL.DB',
        'easel.db::$DATA',
        'easel.db.',
        'easel~1.db',
    ),
)
PLACES = (
    '/files/',
    '/thumbs/',
    '/static/',
    '/static/x/',
    '/images/',
    '/generations/',
    '/previews/',
)
ODD = (
    *('CON', 'NUL', 'a.png::$DATA', 'a.png.', 'a.png%20', 'PROGRA~1', '%5C%5Chost%5Cshare', '%00'),
    *(
        'C:%5Cx',
        'file:///etc/passwd',
        'http://127.0.0.1:9/',
        '//evil.test',
        '~root',
        '-',
        '.git/config',
    ),
)
NAMES = (
    *('../../x.png', '..\\..\\x.png', '/etc/cron.d/x', 'C:\\x.png', 'a\r\nX: 1.png', 'a' * 10_000),
    *('CON', '.htaccess', 'x.php', 'a;rm -rf .png', '\u202egnp.exe', 'a%00.png', '~/x'),
)


def normalize_api_url() -> Iterator[str]:
    """Write each target behind each way up, one to three times, at each place."""
    ways = itertools.product(PLACES, UPS, (1, 2, 4))
    for (place, up, deep), target in zip(ways, itertools.cycle(TARGETS), strict=False):
        yield f'{place}{up * deep}{target}'
        yield f'{place}{up * deep}{TARGETS[0]}'
    for place, encoded in itertools.product(PLACES, range(12)):
        yield (
            place
            + '%'
            + '25' * encoded
            + '2e%'
            + '25' * encoded
            + '2e%'
            + '25' * encoded
            + '2feasel.db'
        )
    for place, name in itertools.product(PLACES, ODD):
        yield place + name


@pytest_asyncio.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[ASGIApp, Services]]:
    data = tmp_path / 'data'
    async with open_door(data) as made:
        for place in (tmp_path, data, data / 'images-secret', data / 'thumbs-secret'):
            place.mkdir(exist_ok=True)
            (place / 'canary').write_bytes(CANARY)
        yield made


async def test_cve_2026_5422_no_spelling_of_a_path_leads_anywhere(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, _ = opened
    paths = list(normalize_api_url())

    answers = [await knock(app, 'GET', path, HOME) for path in paths]

    assert len(paths) > 1_000
    assert {answer.status for answer in answers} <= {400, 404}
    assert not any(CANARY in answer.body or b'SQLite' in answer.body for answer in answers)
    assert not any('location' in answer.headers for answer in answers)


async def test_cve_2024_47164_no_query_leads_anywhere(opened: tuple[ASGIApp, Services]) -> None:
    app, _ = opened
    names = ('q', 'model', 'from', 'before', 'showing', 'bring', 'prompt', 'file', 'path', 'url')
    texts = [up * 3 + target for up in UPS for target in ('canary', 'etc/passwd')]

    answers = [
        await knock(app, 'GET', f'{page}?{name}={quote(text)}', HOME)
        for page in ('/', '/gallery', '/generations')
        for name, text in itertools.product(names, texts[:: len(names)])
    ]

    assert {answer.status for answer in answers} <= {200, 422}
    assert not any(CANARY in answer.body or b'root:' in answer.body for answer in answers)


def test_row_44_only_pictures_have_a_type() -> None:
    allowed = {'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'}

    assert set(MIME_EXTENSIONS) == allowed
    assert sorted(MIME_EXTENSIONS.values()) == ['avif', 'gif', 'jpg', 'png', 'webp']


@pytest.fixture(scope='module')
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    """Run an Easel whose provider names its pictures as the prompt says."""

    class Handler(Quiet):
        def post(self) -> None:
            prompt = re.search(rb'"prompt": "name (\d+)"', self.body())
            number = prompt[1].decode() if prompt else '0'
            address = f'/{number}/{quote(NAMES[int(number)][:2_000])}'
            self.answer(200, 'application/json', b'{"data": [{"url": "%s"}]}' % address.encode())

        def get(self) -> None:
            number = self.path.split('/')[1]
            name = NAMES[int(number) if number.isdigit() else 0]
            plain = re.sub(r'[\r\n]', ' ', name).encode('latin-1', 'replace').decode('latin-1')
            named = ('Content-Disposition', f'attachment; filename="{plain}"')
            self.answer(200, 'image/png', picture(), named)

    data = tmp_path_factory.mktemp('named') / 'data'
    with serving(Handler) as port:
        settings = {'EASEL_API_URL': f'http://127.0.0.1:{port}/v1'}
        with running_easel(data, settings) as easel:
            yield easel


def test_cve_2024_21575_a_file_has_our_name_and_not_theirs(named: Easel) -> None:
    drawn = [named.draw(prompt=f'name {number}') for number in range(len(NAMES))]

    written = {path.relative_to(named.data).as_posix() for path in named.data.rglob('*.*')
               if path.is_file() and path.is_relative_to(named.data / 'images')}  # fmt: skip
    assert {one['status'] for one in drawn} == {'done'}
    assert len(written) == len(NAMES)
    assert [name for name in written if not OWN_NAME.fullmatch(name)] == []
    assert [path.name for path in named.data.parent.iterdir()] == ['data']


def test_cve_2026_24486_an_uploads_name_is_no_path(named: Easel) -> None:
    before = sorted(named.data.parent.rglob('*'))

    with named.client() as client:
        answers = [_read(client, name) for name in NAMES]

    assert {answer.status_code for answer in answers} <= {200, 400}
    new = {path for path in named.data.parent.rglob('*') if path not in before}
    assert new <= set((named.data / 'cache').rglob('*'))


def test_row_86_whatever_is_written_is_for_this_user_alone(named: Easel) -> None:
    named.draw(prompt='name 0')

    open_to_others = [
        path for path in (named.data, *named.data.rglob('*')) if path.stat().st_mode & 0o077
    ]

    assert open_to_others == []


def _read(client: httpx.Client, name: str) -> httpx.Response:
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="'
    middle = name.replace('\r\n', ' ').encode() + b'"\r\nContent-Type: image/png\r\n\r\n'
    content = head + middle + picture() + b'\r\n--b--\r\n'
    kind = {'content-type': 'multipart/form-data; boundary=b'}
    return client.post('/reading', content=content, headers=kind)

"""The sub-path at the guard: taken off once, decided without, put before what goes out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app.web.base_path import BasePath
from app.web.context import Services
from app.web.security.routes import is_own
from tests.support.raw_requests import FORM, HOME, knock, open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

PASSWORD = 'open sesame'
NAME = (b'host', b'easel.example.org')
TLS = (b'x-forwarded-proto', b'https')
TEMPLATES = sorted((Path(__file__).resolve().parent.parent / 'templates').rglob('*.html'))
ADDRESSES = re.compile(
    r'\s(?:href|src|srcset|action|formaction|content|data-(?:worker|busy|done))="([^"]*)"'
)
BARE = re.compile(r'(^(\{% if [^%]*%\})?|, |; url=)/')


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def below(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ASGIApp]:
    data: Path = tmp_path_factory.mktemp('below') / 'data'
    async with open_door(data, EASEL_ROOT_PATH='/easel/') as (app, services):
        await services.providers.environment.ask_again()  # pages show what it says
        yield app


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def at_the_root(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ASGIApp]:
    data: Path = tmp_path_factory.mktemp('root') / 'data'
    async with open_door(data) as (app, services):
        await services.providers.environment.ask_again()
        yield app


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def locked(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ASGIApp, Services]]:
    data: Path = tmp_path_factory.mktemp('locked') / 'data'
    told = {'EASEL_HOSTS': NAME[1].decode(), 'EASEL_TRUSTED_PROXIES': '10.0.0.1'}
    async with open_door(data, EASEL_ROOT_PATH='/easel', EASEL_PASSWORD=PASSWORD, **told) as opened:
        yield opened


@pytest.mark.parametrize(
    ('path', 'status'),
    [
        ('/easel/', 200),
        ('/', 200),
        ('/easel/gallery', 200),
        ('/gallery', 200),
        ('/easel/health', 200),
        ('/health', 200),
        ('/easel', 308),
        ('/easel2', 404),
        ('/easel2/gallery', 404),
        ('/easelgallery', 404),
        ('/easel.json', 404),
        ('/EASEL/gallery', 404),
        ('/easel/easel/gallery', 404),
        ('/easel/easel/', 404),
        ('/easel/easel', 404),
        ('//easel/gallery', 404),
        ('/easel//gallery', 404),
        ('/x/easel/gallery', 404),
    ],
)
async def test_the_sub_path_is_taken_off_once_and_may_be_missing(
    path: str, status: int, below: ASGIApp
) -> None:
    answer = await knock(below, 'GET', path, HOME)

    assert answer.status == status


@pytest.mark.parametrize(
    ('path', 'status'),
    [
        ('/easel/gallery', 401),
        ('/gallery', 401),
        ('/easel', 308),
        ('/easel/health', 200),
        ('/easel/manifest.webmanifest', 200),
        ('/easel/easel/health', 401),
        ('/easel2/health', 401),
        ('/easel/gallery/health', 401),
    ],
)
async def test_who_may_come_in_is_decided_without_the_sub_path(
    path: str, status: int, locked: tuple[ASGIApp, Services]
) -> None:
    app, _ = locked

    answer = await knock(app, 'GET', path, HOME)

    assert answer.status == status


async def test_without_its_last_slash_the_sub_path_leads_to_the_page(below: ASGIApp) -> None:
    answer = await knock(below, 'GET', '/easel', HOME)

    assert answer.headers['location'] == '/easel/'


async def test_another_sites_name_is_not_even_redirected(below: ASGIApp) -> None:
    answer = await knock(below, 'GET', '/easel', (b'host', b'rebind.test'))

    assert answer.status == 421


@pytest.mark.parametrize('peer', ['127.0.0.1', '192.168.1.20', '10.0.0.1'])
@pytest.mark.parametrize(
    'name', [b'x-forwarded-prefix', b'x-script-name', b'x-original-uri', b'x-forwarded-path']
)
async def test_no_header_can_name_a_sub_path(
    name: bytes, peer: str, locked: tuple[ASGIApp, Services]
) -> None:
    app, _ = locked

    told = await knock(app, 'GET', '/session', HOME, (name, b'/evil'), peer=peer)
    quiet = await knock(app, 'GET', '/session', HOME, peer=peer)

    assert told.body == quiet.body
    assert b'evil' not in told.body


async def test_over_tls_the_cookie_is_bound_to_the_sub_path(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, services = locked
    back = b'&back=%2Fgallery%3Fq%3Dfox'

    answer = await knock(
        *(app, 'POST', '/easel/session', NAME, TLS, FORM),
        peer='10.0.0.1',
        body=b'password=open+sesame' + back,
    )
    cookie = answer.headers['set-cookie']
    sent = (b'cookie', cookie.partition(';')[0].encode())
    gallery = await knock(app, 'GET', '/easel/gallery', NAME, TLS, sent, peer='10.0.0.1')

    assert answer.headers['location'] == '/easel/gallery?q=fox'
    assert cookie.startswith(f'__Secure-{services.sessions.cookie_name}=')
    assert '; Path=/easel;' in cookie
    assert '; Secure' in cookie
    assert gallery.status == 200


async def test_after_signing_in_one_gets_where_one_wanted_to(
    locked: tuple[ASGIApp, Services],
) -> None:
    app, _ = locked

    page = await knock(app, 'GET', '/easel/gallery', HOME)

    assert b'name="back" value="/gallery"' in page.body
    assert b'action="/easel/session"' in page.body


@pytest.mark.parametrize(
    'path', ['/gallery', '/generations', '/install', '/settings/providers/new', '/nope', '/session']
)
async def test_a_page_differs_in_its_addresses_alone(
    path: str, below: ASGIApp, at_the_root: ASGIApp
) -> None:
    page = await knock(below, 'GET', path, HOME)

    plain = await knock(at_the_root, 'GET', path, HOME)

    assert page.status == plain.status
    assert page.body.replace(b'="/easel/', b'="/') == plain.body
    assert b'easel/' not in plain.body


async def test_at_the_root_nothing_is_below() -> None:
    root = BasePath('')
    headers = [(b'location', b'/gallery'), (b'set-cookie', b'a=b; Path=/; Secure')]

    assert root.headers(headers) == headers
    assert root.address('/x') == '/x'
    assert root.inside({'path': '/easel/'}) == {'path': '/easel/'}


@pytest.mark.parametrize('template', TEMPLATES, ids=lambda path: path.name)
async def test_every_address_in_a_template_begins_with_the_base_path(template: Path) -> None:
    text = await asyncio.to_thread(template.read_text, encoding='utf-8')

    bare = [value for value in ADDRESSES.findall(text) if BARE.search(value)]

    assert bare == []


async def test_what_a_visitor_wrote_gets_no_sub_path(below: ASGIApp) -> None:
    prompt = b'prompt=href%3D%22%2Fa%22+%2Fb%2C+%2Fc'

    page = await knock(below, 'GET', '/easel/?' + prompt.decode(), HOME)

    assert b'href=&#34;/a&#34; /b, /c' in page.body


@pytest.mark.parametrize(
    ('name', 'value', 'below'),
    [
        (b'location', b'/', b'/easel/'),
        (b'location', b'/a#b', b'/easel/a#b'),
        (b'location', b'//a.test/', b'//a.test/'),
        (b'location', b'https://a.test/', b'https://a.test/'),
        (b'set-cookie', b'a=/; Path=/; Secure', b'a=/; Path=/easel; Secure'),
        (b'set-cookie', b'a=b; path=/', b'a=b; path=/easel'),
        (b'set-cookie', b'a=b; Path=/x', b'a=b; Path=/x'),
        (b'x-other', b'/', b'/'),
    ],
)
async def test_headers_get_the_sub_path(name: bytes, value: bytes, below: bytes) -> None:
    headers = BasePath('/easel').headers([(name, value)])

    assert headers == [(name, below)]


@pytest.mark.parametrize(
    ('path', 'own'),
    [
        ('', False),
        ('/easel', False),
        ('/galleries', False),
        ('/gallery', True),
        ('/static/easel', True),
        ('/events', True),
    ],
)
async def test_a_sub_path_must_not_begin_as_our_own_addresses_do(path: str, own: bool) -> None:
    assert is_own(path) is own

"""Text from outside that other apps took for something else: addresses, fields, code, markup."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from app import __version__
from app.errors import ProviderError
from app.models.request import GenerationRequest
from app.web.context import Services
from tests.support.fakes import Reply, upstream
from tests.support.provider_calls import ONE, drawn
from tests.support.raw_requests import FORM, HOME, Answered, addresses, knock, open_door

pytestmark = pytest.mark.asyncio(loop_scope='module')

PASSWORD = 'open sesame'
JSON = (b'accept', b'application/json')
OWN = ['/gallery?q=a+fox&before=9', '/prompts', '/settings/keeping']
ELSEWHERE = [
    '//evil.test', '///evil.test', '////evil.test', '/////evil.test/%2f..', '/\\evil.test',
    '\\\\evil.test', '/\\/evil.test', '\\/evil.test', 'http://evil.test', 'https:evil.test',
    'http:/evil.test', 'HTTP://EVIL.TEST', '//evil.test:80/', '//user@evil.test', '/%09/evil.test',
    '/\t/evil.test', '/\n/evil.test', '\t//evil.test', ' //evil.test', '/%2f/evil.test',
    '/%5cevil.test', '/.//evil.test', '/..//evil.test', '/gallery//evil.test', '/gallery@evil.test',
    '/gallery?a=1\r\nX-Evil: 1', '/gallery\r\nSet-Cookie: a=b', '/gallery%0d%0aX-Evil:1',
    '/gallery?u=http://evil.test', '/images/1/../..//evil.test', '/images/1#//evil.test',
    'javascript:alert(1)', 'data:text/html,x', 'evil.test', '//[::1]', '//evil。test',
    '/session?back=//evil.test', '/gallery?q=\u2028', '?//evil.test', '#//evil.test', '//',
]  # fmt: skip
CODE = [
    '${OPENAI_API_KEY}', '%(KEY)s', '%s%n', '{{config}}', '{{7*7}}', '$(id)', '`id`',
    '{0.__class__}', '{prompt.__init__.__globals__}', '<%= 7*7 %>', '#{7*7}', '${jndi:ldap://127.0.0.1:9/a}',
]  # fmt: skip
QUESTIONS = [
    "' or 1=1 --", '" OR "a"="a', '1; drop table images', "');delete from images;--", 'x" NEAR("a',
    'NEAR(a b, 5)', 'a AND', 'a OR OR b', 'NOT', '*', '**', '^a', 'prompt:a', '{a b}:c', '-a',
    'a + b',
    '"', '""', '"a', 'a"b"c', '(', ')', '(((', 'rank', 'fts5', '%' * 1_000, '_' * 400, '\\', "\\'",
    'union select password', '0x27', '/**/or/**/1', 'a' * 10_000, '\u0000', '🐈' * 100,
]  # fmt: skip
UNICODE = [
    b'%00', b'%ED%A0%80', b'a%ED%B0%80b', b'%FF%FE', b'%E2%80%AE%D7%A9', b'%F0%9F%90%88%E2%80%8D',
    b'a' + b'%CC%81' * 9_000, b'%C0%AE', b'%F4%90%80%80', b'%EF%BF%BF', b'%E2%80%A8', b'%1B[2J',
]  # fmt: skip


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ASGIApp, Services]]:
    data: Path = tmp_path_factory.mktemp('texts') / 'data'
    async with open_door(data) as made:
        yield made


async def post(app: ASGIApp, path: str, /, **fields: str) -> Answered:
    body = urlencode(fields, errors='surrogatepass').encode()
    return await knock(app, 'POST', path, HOME, FORM, body=body)


async def test_cve_2026_28415_signing_in_leads_to_a_page_of_ours(tmp_path: Path) -> None:
    async with open_door(tmp_path / 'data', EASEL_PASSWORD=PASSWORD) as (app, _):
        answers = [await post(app, '/session', password=PASSWORD, back=one) for one in ELSEWHERE]
        led = [await post(app, '/session', password=PASSWORD, back=one) for one in OWN]

    assert len(ELSEWHERE) >= 40
    assert {answer.status for answer in answers} == {303}
    assert {answer.headers['location'] for answer in answers} == {'/'}
    assert not any('x-evil' in answer.headers for answer in answers)
    assert [answer.headers['location'] for answer in led] == OWN


async def test_cve_2026_45396_no_field_sets_what_is_not_asked_for(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, services = opened
    names = ('id', 'status', 'attempt', 'owner', 'share', 'created_at', 'path', 'file', 'digest')
    more = dict.fromkeys((*names, 'images', 'error', 'progress', 'role', 'is_admin'), '777')

    answer = await post(app, '/generations', prompt='a fox', size='16x16', **more)
    fields = {'base_url': '127.0.0.1:9', 'name': 'own', 'place': '-1', 'source': 'environment'}
    server = await post(app, '/settings/providers', **fields, id='777')

    (made,) = await services.library.generations.page(None, 10)
    (row,) = await services.library.providers.all()
    assert answer.headers['location'] == '/#generation-1'
    assert (made.id, made.status, made.attempt, made.images) == (1, 'queued', 1, ())
    assert made.created_at > 777
    assert server.status == 303
    assert row.id == 1


async def test_cve_2026_45365_json_is_no_form(opened: tuple[ASGIApp, Services]) -> None:
    app, services = opened
    before = await services.library.generations.page(None, 10)
    kinds = (b'application/json', b'text/plain', b'text/xml', b'', b'application/x-www-form')

    statuses = {
        (await knock(app, 'POST', '/generations', HOME, (b'content-type', kind), body=b'{"a": 1}'))
        .status
        for kind in kinds
    }  # fmt: skip

    assert statuses == {415}
    assert await services.library.generations.page(None, 10) == before


@pytest.mark.parametrize('text', CODE)
async def test_cve_2026_32625_what_looks_like_code_is_sent_as_it_stands(
    tmp_path: Path, text: str
) -> None:
    async with upstream() as server:
        server.otherwise = lambda _: ONE
        request = GenerationRequest(prompt=text, model=text, quality=text, negative_prompt=text)

        await drawn(server, tmp_path, request)

    sent = json.loads(server.asked[-1].body)
    assert sent['prompt'] == sent['model'] == sent['quality'] == sent['negative_prompt'] == text


async def test_cve_2025_64496_an_event_that_commands_is_read_as_an_answer(tmp_path: Path) -> None:
    events = (
        b'event: execute\ndata: {"code": "document.location=1"}\n\n'
        b'event: replace\ndata: <img src=x onerror=alert(1)>\n\n'
        b'event: error\ndata: {"error": {"message": "<b>no</b> javascript:alert(1)"}}\n\n'
    )
    async with upstream() as server:
        kind = ('Content-Type', 'text/event-stream')
        server.otherwise = lambda _: Reply(headers=(kind,), body=events)

        with pytest.raises(ProviderError) as caught:
            await drawn(server, tmp_path, GenerationRequest(prompt='a'))

    assert caught.value.failure.words == '<b>no</b> javascript:alert(1)'
    assert {asked.method for asked in server.asked} == {'POST'}


@pytest.mark.parametrize('question', QUESTIONS, ids=lambda question: repr(question[:20]))
async def test_cve_2026_42208_a_question_means_its_words_alone(
    opened: tuple[ASGIApp, Services], question: str
) -> None:
    app, _ = opened

    answers = [
        await knock(app, 'GET', f'/gallery.json?{name}={quote(question)}', HOME)
        for name in ('q', 'model', 'provider')
    ]

    assert {answer.status for answer in answers} == {200}
    assert [json.loads(answer.body)['images'] for answer in answers] == [[], [], []]


@pytest.mark.parametrize('text', UNICODE)
async def test_row_63_any_sign_is_kept_or_refused(
    opened: tuple[ASGIApp, Services], text: bytes
) -> None:
    app, _ = opened

    acts = [
        await knock(app, 'POST', path, HOME, FORM, body=b'size=16x16&prompt=a&%s=%s' % (name, text))
        for path, name in (('/generations', b'prompt'), ('/generations', b'submission'),
                           ('/settings', b'theme'), ('/settings/providers', b'name'))
    ]  # fmt: skip
    pages = [await knock(app, 'GET', path, HOME) for path in ('/', '/generations.json')]

    assert {answer.status for answer in acts} <= {303, 422}
    assert {answer.status for answer in pages} == {200}


async def test_cve_2023_49080_an_error_tells_nothing_of_the_machine(
    tmp_path: Path, opened: tuple[ASGIApp, Services]
) -> None:
    app, services = opened
    provoked = [
        *[(one.method, one.path.replace('{}', 'x').replace('{rest}', '../x')) for one in
          addresses(services)],
        *[('GET', path) for path in ('/nope', '/images/999', '/images/1e9', '/gallery?before=x')],
        *[('DELETE', '/gallery'), ('POST', '/generations/1/retry'), ('POST', '/reading')],
    ]  # fmt: skip
    hosts = (b'localhost', b'evil.test', b'not a host')

    answers = [
        await knock(app, method, path, (b'host', host), *kind, body=b'x')
        for method, path in provoked
        for host in hosts
        for kind in ((), (JSON,), (FORM, JSON))
    ]

    failed = [answer for answer in answers if answer.status >= 400]
    said = b'\n'.join(answer.body + repr(answer.headers).encode() for answer in failed)
    assert {400, 404, 405, 409, 415, 421, 422} <= {answer.status for answer in failed}
    for telling in (str(services.config.data), str(Path.home()), 'Traceback', 'File "', __version__,
                    'uvicorn', 'starlette', 'sqlite', 'site-packages'):  # fmt: skip
        assert telling.encode() not in said.lower() + said
    assert not any('server' in answer.headers for answer in answers)


async def test_cve_2024_47870_no_visitors_name_for_us_reaches_another(
    opened: tuple[ASGIApp, Services],
) -> None:
    app, _ = opened
    others = [
        [(b'host', b'127.0.0.2:9999'), (b'x-forwarded-host', b'evil.test')],
        [(b'host', b'[::1]:7777'), (b'forwarded', b'host=evil.test;proto=https')],
    ]  # fmt: skip

    answers = await asyncio.gather(
        *(knock(app, 'GET', path, *headers) for _ in range(100) for headers in [[HOME], *others]
          for path in ('/gallery', '/gallery.json', '/nope'))
    )  # fmt: skip

    bodies = {answer.body for answer in answers}
    assert len(bodies) == 3
    assert not any(
        name in body for body in bodies for name in (b'127.0.0.2', b'evil', b'9999', b'::1')
    )

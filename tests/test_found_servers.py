"""What was found around Easel, offered where it is needed, and added by one click."""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack
from html import unescape
from pathlib import Path

from app.models.request import GenerationRequest
from app.providers.core.base import Dialect
from tests.support.default_setup import JSON, container_in, first_start, page, post
from tests.support.fakes import refused_port, upstream
from tests.support.guests import cookie_in
from tests.support.local_servers import HOMES, Home, models
from tests.support.raw_requests import HOME, knock

G4F, SD, JAN, A1111 = (HOMES[name] for name in ('g4f', 'sd-server', 'Jan', 'AUTOMATIC1111'))
G4F_LINE = 'g4f api --bind'


def fields_in(html: str, button: str) -> dict[str, str]:
    """Read the hidden fields of the one form with this button."""
    [form] = [
        one for one in re.findall(r'<form.*?</form>', html, re.DOTALL) if f'>{button}<' in one
    ]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


async def test_beside_the_demo_what_was_found_is_offered_in_place_of_g4f(tmp_path: Path) -> None:
    async with (
        upstream(SD.all_replies()) as fake,
        first_start(tmp_path, {SD.port: fake.port}) as (app, services),
    ):
        await services.local_servers.look()

        html = await page(app, '/')

    assert f'sd-server found at localhost:{fake.port}.' in html
    assert 'Easel draws demo sketches' in html
    assert G4F_LINE not in html


async def test_with_nothing_found_the_lines_of_g4f_stay(tmp_path: Path) -> None:
    async with first_start(tmp_path, {}) as (app, services):
        await services.local_servers.look()

        html = await page(app, '/')

    assert G4F_LINE in html
    assert 'Use it' not in html


async def test_the_models_of_the_demo_that_stands_in_are_offered(tmp_path: Path) -> None:
    async with first_start(tmp_path, {}) as (app, _):
        html, found = await page(app, '/'), await page(app, '/models.json?q=mask')

    assert re.findall(r'<option value="([a-z-]+)">', html.partition('id="models"')[2])[:3] == [
        *('sketch', 'recolour', 'ignores-mask')
    ]
    assert json.loads(found)['models'] == [{'name': 'ignores-mask', 'server': 'demo'}]


async def test_that_no_server_is_there_is_told_in_full_once_then_in_a_line_that_closes(
    tmp_path: Path,
) -> None:
    async with first_start(tmp_path, {}) as (app, _):
        told = await knock(app, 'GET', '/', HOME)
        first = await knock(app, 'GET', '/', HOME, (b'accept', b'text/html'))
        second = await knock(app, 'GET', '/', HOME, cookie_in(first))
        closing = await post(app, '/settings', note='closed', back='/')
        third = await knock(app, 'GET', '/', HOME, cookie_in(closing))

    pages = [answered.body.decode() for answered in (first, second, third)]
    shown = [(G4F_LINE in html, 'Add one' in html) for html in pages]
    assert shown == [(True, False), (False, True), (False, False)]
    assert told.cookies == []  # a program
    assert (closing.status, closing.headers['location']) == (303, '/')


async def test_what_can_not_draw_is_not_offered_beside_the_demo(tmp_path: Path) -> None:
    async with (
        upstream(JAN.all_replies()) as fake,
        first_start(tmp_path, {JAN.port: fake.port}) as (app, services),
    ):
        await services.local_servers.look()

        html = await page(app, '/')

    assert G4F_LINE in html
    assert 'Use it' not in html


async def test_use_it_adds_the_server_with_its_model_and_leads_back(tmp_path: Path) -> None:
    async with (
        upstream(G4F.all_replies()) as fake,
        first_start(tmp_path, {G4F.port: fake.port}) as (app, services),
    ):
        await services.local_servers.look()
        fields = fields_in(await page(app, '/'), 'Use it')

        answered = await post(app, '/settings/providers', **fields)

        [added] = [one.settings for one in services.providers.all()]
        after = await page(app, '/')
    assert (answered.status, answered.headers['location']) == (303, '/')
    assert added.base_url == f'http://localhost:{fake.port}/v1'
    assert (added.name, added.model, added.dialect) == ('g4f', 'flux', Dialect.AUTO)
    assert 'Easel draws demo sketches' not in after


async def test_settings_adds_with_the_dialect_that_was_found(tmp_path: Path) -> None:
    async with (
        upstream(A1111.all_replies()) as fake,
        first_start(tmp_path, {A1111.port: fake.port}) as (app, services),
    ):
        await services.local_servers.look()
        fields = fields_in(await page(app, '/settings'), 'Add')

        answered = await post(app, '/settings/providers', **fields)

        [added] = [one.settings for one in services.providers.all()]
        after = await page(app, '/settings')
    assert (answered.status, answered.headers['location']) == (303, '/settings#servers')
    assert (added.dialect, added.model) == (Dialect.SDAPI, '')
    assert 'Already in use.' in after
    assert '>Add<' not in after


async def test_settings_shows_what_each_has_and_why_not(tmp_path: Path) -> None:
    many = Home(5005, {'/v1/models': models('sd-a', 'sd-b', 'sd-c', 'sd-d')}, '')
    async with (
        upstream(many.all_replies()) as fake,
        upstream(JAN.all_replies()) as jan,
        first_start(tmp_path, {5005: fake.port, JAN.port: jan.port}) as (app, services),
    ):
        await services.local_servers.look()

        html = await page(app, '/settings')

    assert f'http://localhost:{fake.port}/v1' in html
    assert '4 models: sd-a, sd-b, sd-c, …' in html
    assert "It answers, but doesn't generate pictures." in unescape(html)
    assert html.count('>Add<') == 1


async def test_the_button_looks_and_leads_to_what_was_found(tmp_path: Path) -> None:
    async with (
        upstream(SD.all_replies()) as fake,
        first_start(tmp_path, {SD.port: fake.port}) as (app, _),
    ):
        before = await page(app, '/settings')

        answered = await post(app, '/settings/found')

        after = await page(app, '/settings')
    assert 'action="/settings/found"' in before
    assert 'sd-server' not in before
    assert (answered.status, answered.headers['location']) == (303, '/settings#found')
    assert 'sd-server' in after
    assert 'Last search:' in after


async def test_programs_and_scripts_get_what_was_found(tmp_path: Path) -> None:
    async with (
        upstream(SD.all_replies()) as fake,
        first_start(tmp_path, {SD.port: fake.port}) as (app, _),
    ):
        before = json.loads(await page(app, '/settings.json'))

        told = json.loads((await post(app, '/settings/found', JSON)).body)
        fragment = await post(app, '/settings/found', (b'x-fragment', b'true'))

    [one] = told['found']
    assert (before['found'], before['looked_at']) == ([], None)
    assert (one['server'], one['usable'], one['in_use']) == ('sd-server', True, False)
    assert told['looked_at'] > 0
    assert fragment.status == 200
    assert fragment.body.decode().lstrip().startswith('<div id="found">')


async def test_of_two_of_a_kind_the_second_is_called_by_its_address(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        home = Home(5005, {'/v1/models': models('flux')}, '')
        one, other = [await stack.enter_async_context(upstream(home.all_replies())) for _ in '12']
        ports = {5005: one.port, 4000: other.port}
        app, services = await stack.enter_async_context(first_start(tmp_path, ports))
        await services.local_servers.look()
        while '>Add<' in (html := await page(app, '/settings')):
            first = html.index('action="/settings/providers"')
            fields = fields_in(html[first - 6 : html.index('</form>', first) + 7], 'Add')
            await post(app, '/settings/providers', **fields)

        names = {watched.name for watched in services.providers.all()}

    assert names == {'openedai-images-flux', f'localhost:{other.port}'}


async def test_a_refused_localhost_inside_a_container_is_explained(tmp_path: Path) -> None:
    with refused_port() as port:
        async with first_start(tmp_path, {}, container_in(tmp_path)) as (app, services):
            fields = {'base_url': f'localhost:{port}', 'name': 'mine'}
            await post(app, '/settings/providers', **fields)
            await services.providers.all()[0].ask_again()

            drawn = await services.worker.draw_now(GenerationRequest(prompt='a', provider='mine'))

            tile, settings = await page(app, '/'), await page(app, '/settings')
            await post(app, '/settings/providers/1/test')
            tested = await page(app, '/settings/providers/1')
    outside = f'Use host.docker.internal:{port} instead'
    assert drawn.error
    assert drawn.error.reason == 'connection refused inside the container'
    assert f'{outside}: set it in Settings' in tile
    assert f'{outside}.' in settings
    assert f'{outside}.' in tested


async def test_a_refused_localhost_outside_a_container_is_not(tmp_path: Path) -> None:
    with refused_port() as port:
        async with first_start(tmp_path, {}) as (app, services):
            await post(app, '/settings/providers', base_url=f'localhost:{port}', name='mine')
            await services.providers.all()[0].ask_again()

            await services.worker.draw_now(GenerationRequest(prompt='a', provider='mine'))

            told = await page(app, '/') + await page(app, '/settings')
    assert '(connection refused)' in told
    assert 'host.docker.internal' not in told


async def test_in_a_container_the_demo_still_stands_in_and_says_where_the_host_is(
    tmp_path: Path,
) -> None:
    async with first_start(tmp_path, {}, container_in(tmp_path)) as (app, services):
        html = await page(app, '/')

        assert services.providers.demo_stands_in
    assert 'For a server on the host, use host.docker.internal' in html
    assert f'{G4F_LINE} 172.17.0.1:1337' in html
    assert '-e EASEL_API_URL=http://host.docker.internal:1337/v1' in html

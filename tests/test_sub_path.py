"""Easel at a sub-path: the real server behind a proxy that takes it off, or passes it on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.support.browser import DESKTOP, PHONE, PLAIN_PAGE, watching, window
from tests.support.crawler import crawl
from tests.support.servers import NO_TLS, Easel, clean_environment, command, running_easel
from tests.support.sub_path_proxy import ROOT_PATH, SubPath, running_sub_path

SAME_ORIGIN = {'sec-fetch-site': 'same-origin'}
LINKED = {
    *('gallery?deleted=1', 'images/2', 'thumbs/', 'files/', 'static/', 'install'),
    *('manifest.webmanifest', 'generations/1/attempts', 'settings/providers/new'),
}
POSTED = {'/generations', '/reading', '/settings', '/favourite', '/deletion', '/retry', '/test'}
FORM = {'content-type': 'application/x-www-form-urlencoded'}
# What every page and every act names is compared in both by `crawl`; a browser takes one each.
BY_TAKEN_OFF = pytest.mark.parametrize('proxy', [True], ids=['taken off'], indirect=True)
BY_PASSED_ON = pytest.mark.parametrize('proxy', [False], ids=['passed on'], indirect=True)


@pytest.fixture(scope='module')
def below(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    data = tmp_path_factory.mktemp('below') / 'data'
    told = {'EASEL_API_URL': upstream, 'EASEL_ROOT_PATH': ROOT_PATH}
    with running_easel(data, told) as easel:
        easel.draw(prompt='lost', model='fail-500')
        easel.draw(prompt='href="/gallery" /x, /y', size='64x64', n='2')
        easel.draw(prompt='one', size='64x64', n='1')
        yield easel


@pytest.fixture(params=[True, False], ids=['taken off', 'passed on'])
def proxy(request: pytest.FixtureRequest, below: Easel) -> Iterator[SubPath]:
    with running_sub_path(int(below.url.rpartition(':')[2]), strips=request.param) as running:
        yield running


@pytest.fixture(scope='module')
def page(browser: Browser) -> Iterator[Page]:
    """One window for all: each proxy has a port, and with it a store, of its own."""
    with window(browser, viewport=DESKTOP, reduced_motion='reduce') as page:
        yield page


@pytest.fixture
def complaints(page: Page, proxy: SubPath) -> Iterator[list[str]]:
    with watching_below(page, proxy) as complaints:
        yield complaints
    page.goto(f'{proxy.url}{ROOT_PATH}{PLAIN_PAGE}')


def test_every_address_of_every_page_is_below(proxy: SubPath) -> None:
    with httpx.Client(base_url=proxy.url, timeout=20, trust_env=False, verify=NO_TLS) as client:
        statuses, posts = crawl(client, f'{ROOT_PATH}/')

    assert [found for found in statuses if not found.startswith(f'{ROOT_PATH}/')] == []
    refused = {found: status for found, status in statuses.items() if status != 200}
    assert refused == {f'{ROOT_PATH}/compare': 422}  # a form's, without what is chosen in it
    assert proxy.outside() == []
    assert {part for part in LINKED if not any(part in found for found in statuses)} == set()
    assert {part for part in POSTED if not any(part in post for post in posts)} == set()


def test_every_form_of_every_page_posts_below(proxy: SubPath) -> None:
    with httpx.Client(base_url=proxy.url, timeout=20, trust_env=False, verify=NO_TLS) as client:
        found = crawl(client, f'{ROOT_PATH}/')[1]
        forms = sorted(found, key=lambda one: ('deletion' in one, 'retry' in one, one))
        answers = {form: client.post(form, headers=SAME_ORIGIN | FORM) for form in forms}
        back = [form for form in crawl(client, f'{ROOT_PATH}/')[1] if 'restoration' in form]
        answers |= {form: client.post(form, headers=SAME_ORIGIN | FORM) for form in back}
        landed = [
            client.get(answer.headers['location']).status_code
            for answer in answers.values()
            if answer.is_redirect
        ]

    put_back, deleted = (
        {form.partition('?')[0] for form in some if act in form}
        for some, act in ((back, 'restoration'), (forms, 'deletion'))
    )
    assert len(put_back) == len(deleted) == 3
    assert {answer.status_code for answer in answers.values()} <= {200, 201, 303, 415, 422}
    assert set(landed) == {200}
    assert proxy.outside() == []


def test_the_manifest_names_the_app_that_is_below(proxy: SubPath) -> None:
    with httpx.Client(base_url=proxy.url, timeout=20, trust_env=False, verify=NO_TLS) as client:
        manifest = client.get(f'{ROOT_PATH}/manifest.webmanifest').json()
        icons = [client.get(icon['src']).status_code for icon in manifest['icons']]

    assert {manifest[name] for name in ('id', 'start_url', 'scope')} == {f'{ROOT_PATH}/'}
    assert icons == [200, 200, 200]
    assert proxy.outside() == []


def test_json_names_addresses_that_are_below(proxy: SubPath, below: Easel) -> None:
    with httpx.Client(base_url=proxy.url, timeout=20, trust_env=False, verify=NO_TLS) as client:
        image = client.get(f'{ROOT_PATH}/images/1.json').json()
        generation = client.get(f'{ROOT_PATH}/generations/2.json').json()
        listed = client.get(f'{ROOT_PATH}/gallery.json').json()['images'][-1]
        kinds = [client.get(image[name]).headers['content-type'] for name in ('url', 'thumb_url')]

    assert kinds == ['image/png', 'image/webp']
    assert generation['images'][0]['url'] == listed['url'] == image['url']
    assert image['url'].startswith(f'{ROOT_PATH}/files/')
    assert proxy.outside() == []


@contextmanager
def watching_below(page: Page, proxy: SubPath) -> Iterator[list[str]]:
    """Collect a page's complaints, and what it asks for beyond the sub-path."""

    def asked(request: Request) -> None:
        if not request.url.startswith(f'{proxy.url}{ROOT_PATH}/'):
            found.append(f'asked for {request.url}')

    with watching(page) as found:
        page.on('request', asked)
        yield found
        page.remove_listener('request', asked)


@pytest.mark.browser
@BY_TAKEN_OFF
def test_a_picture_is_drawn_and_looked_at_below(
    page: Page, below: Easel, proxy: SubPath, complaints: list[str]
) -> None:
    page.goto(f'{proxy.url}{ROOT_PATH}/')
    prompt = f'drawn by {proxy.url}'
    page.get_by_role('textbox', name='Prompt', exact=True).fill(prompt)
    page.get_by_role('button', name='Generate').click()
    tile = page.locator(f'.hung img[alt="{prompt}"]')
    expect(tile).to_be_visible(timeout=15_000)
    page.wait_for_function('img => img.complete && img.naturalWidth > 0', arg=tile.element_handle())

    tile.click()
    expect(page.get_by_role('heading', name=prompt)).to_be_visible()
    page.get_by_role('button', name='Favourite').click()
    expect(page.get_by_role('button', name='Favourite', pressed=True)).to_be_visible()
    page.keyboard.press('g')
    page.wait_for_url(f'{proxy.url}{ROOT_PATH}/gallery*')
    page.keyboard.press('c')
    page.wait_for_url(f'{proxy.url}{ROOT_PATH}/')

    assert complaints == []
    assert proxy.outside() == []
    assert any(target.startswith(f'{ROOT_PATH}/events?') for target in proxy.asked)


@pytest.mark.browser
@BY_PASSED_ON
def test_a_tile_comes_by_events_that_are_below(
    page: Page, below: Easel, proxy: SubPath, complaints: list[str]
) -> None:
    page.goto(f'{proxy.url}{ROOT_PATH}/')

    prompt = f'elsewhere, not by {proxy.url}'
    below.submit(prompt=prompt, size='64x64')

    expect(page.locator(f'.hung img[alt="{prompt}"]')).to_be_visible(timeout=15_000)
    assert complaints == []
    assert proxy.outside() == []


@pytest.mark.browser
@BY_TAKEN_OFF
def test_a_picture_fills_the_form_below(
    page: Page, below: Easel, proxy: SubPath, complaints: list[str]
) -> None:
    page.goto(f'{proxy.url}{ROOT_PATH}/')

    page.locator('[name=picture]').set_input_files(sorted(below.data.glob('images/**/*.png'))[0])

    expect(page.locator('.reading [role=status]')).to_contain_text('Easel')
    assert complaints == []
    assert f'{ROOT_PATH}/reading' in proxy.asked


@pytest.mark.browser
@BY_PASSED_ON
def test_every_act_works_below_without_scripts(
    browser: Browser, below: Easel, proxy: SubPath
) -> None:
    with (
        window(browser, viewport=PHONE, java_script_enabled=False) as page,
        watching_below(page, proxy) as complaints,
    ):
        prompt = f'without scripts by {proxy.url}'
        page.goto(f'{proxy.url}{ROOT_PATH}')
        page.locator('input[name=model]').fill('slow-1')
        page.get_by_role('textbox', name='Prompt', exact=True).fill(prompt)
        page.get_by_role('button', name='Generate').click()
        tile = page.locator('.generation', has_text=prompt)
        expect(tile.locator('.working')).to_be_visible()
        expect(tile.locator('img')).to_be_visible(timeout=20_000)

        tile.locator('img').click()
        page.get_by_role('button', name='Favourite').click()
        page.get_by_role('button', name='Delete').click()

        expect(page.get_by_role('button', name='Undo')).to_be_visible()

    assert complaints == [f'asked for {proxy.url}{ROOT_PATH}']
    assert proxy.outside() == [ROOT_PATH]


def test_language_and_colours_are_kept_below_and_not_beside(below: Easel) -> None:
    with below.client() as client:
        answer = client.post(f'{ROOT_PATH}/settings', data={'language': 'ru', 'theme': 'dark'})
        own = client.get(f'{ROOT_PATH}/settings').text
        beside = client.get('/settings').text

    assert answer.headers['location'] == f'{ROOT_PATH}/settings'
    assert '<html lang="ru" data-theme="dark">' in own
    assert '<html lang="en">' in beside


def test_the_command_line_draws_by_the_server_that_is_below(below: Easel) -> None:
    typed = [sys.executable, '-m', 'app', 'generate', 'by command', '--json']

    done = subprocess.run(
        [*typed, '--data', str(below.data)],
        cwd=below.data.parent, env=clean_environment(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)['images'][0]['path']).is_file()


def test_a_second_start_names_the_whole_address(below: Easel) -> None:
    port = below.url.rpartition(':')[2]

    done = command('--no-browser', '--port', port, '--data', str(below.data))

    assert done.returncode == 0
    assert done.stdout == f'Easel is already running: {urljoin(below.url, ROOT_PATH)}/\n'


@pytest.mark.parametrize(
    ('value', 'allowed'),
    [
        ('easel', 'a path like /easel'),
        ('/easel/../gallery', 'a path like /easel'),
        ('/easel?x', 'a path like /easel'),
        ('/gallery', "a path that Easel itself doesn't use"),
    ],
)
def test_a_wrong_sub_path_ends_the_start(value: str, allowed: str, tmp_path: Path) -> None:
    environment = {'EASEL_ROOT_PATH': value}

    done = command('--no-browser', '--port', '0', '--data', str(tmp_path), environment=environment)

    assert done.returncode == 2
    assert f'EASEL_ROOT_PATH is {value!r}' in done.stderr
    assert allowed in done.stderr

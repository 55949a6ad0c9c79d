"""Easel as an app: the manifest, the one page that names it, and what Chromium says of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.support.browser import launched_with_profile, watching
from tests.support.servers import Easel, running_easel

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types easel"
)
OTHER_PAGES = ['/', '/gallery', '/images/1', '/generations', '/settings', '/nope']
PASSWORD = 'a password for the app'


@pytest.fixture(scope='module')
def hung(easel: Easel) -> Easel:
    """With one picture, so that every page has something to show."""
    easel.draw(prompt='an app', size='64x64')
    return easel


@pytest.fixture(scope='module')
def locked(tmp_path_factory: pytest.TempPathFactory, upstream: str) -> Iterator[Easel]:
    """An Easel that asks for a password."""
    data = tmp_path_factory.mktemp('locked') / 'data'
    secrets = {'EASEL_API_URL': upstream, 'EASEL_PASSWORD': PASSWORD}
    with running_easel(data, secrets) as easel:
        yield easel


@pytest.fixture(scope='module')
def profile(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    with launched_with_profile(playwright, tmp_path_factory.mktemp('profile')) as context:
        yield context


@pytest.fixture(scope='module')
def page(profile: BrowserContext) -> Page:
    return profile.new_page()


def manifest_of(page: Page) -> dict[str, object]:
    """Give what Chromium made of the page's manifest, and what keeps it from installing."""
    session = page.context.new_cdp_session(page)
    manifest: dict[str, object] = session.send('Page.getAppManifest')
    manifest |= session.send('Page.getInstallabilityErrors')
    session.detach()
    return manifest


@pytest.mark.browser
def test_chromium_would_install_it(page: Page, hung: Easel) -> None:
    with watching(page) as complaints:
        page.goto(f'{hung.url}/settings')

        page.get_by_role('link', name='Install Easel as an app').click()
        page.wait_for_url('**/install')
        found = manifest_of(page)

    assert found['url'] == f'{hung.url}/manifest.webmanifest'
    assert found['errors'] == []
    assert found['installabilityErrors'] == []
    assert complaints == []


@pytest.mark.browser
def test_chromium_would_install_it_behind_a_password(page: Page, locked: Easel) -> None:
    page.goto(f'{locked.url}/install')
    page.get_by_label('Password').fill(PASSWORD)
    page.keyboard.press('Enter')
    page.get_by_role('heading', name='Install Easel as an app').wait_for()

    found = manifest_of(page)

    assert found['errors'] == []
    assert found['installabilityErrors'] == []


@pytest.mark.browser
@pytest.mark.parametrize('address', OTHER_PAGES)
def test_no_other_page_names_a_manifest_or_complains(address: str, page: Page, hung: Easel) -> None:
    with watching(page) as complaints:
        page.goto(hung.url + address, wait_until='load')
        found = manifest_of(page)

    assert found['url'] == ''
    assert [told for told in complaints if 'status of 404' not in told] == []


def test_only_the_install_page_may_load_a_manifest(hung: Easel) -> None:
    with hung.client() as client:
        others = {client.get(path).headers['content-security-policy'] for path in OTHER_PAGES}
        own = client.get('/install').headers['content-security-policy']

    assert others == {POLICY}
    assert own == f"{POLICY}; manifest-src 'self'"


def test_a_browser_gets_the_manifest_without_a_password(locked: Easel) -> None:
    with locked.client() as client:
        answer = client.get('/manifest.webmanifest')
        icons = [client.get(icon['src']).status_code for icon in answer.json()['icons']]

    assert answer.headers['content-type'] == 'application/manifest+json'
    assert answer.headers['cache-control'] == 'no-store'
    assert (answer.json()['id'], answer.json()['start_url']) == ('/', '/')
    assert icons == [200, 200, 200]


@pytest.mark.parametrize(
    ('theme', 'colour'), [('light', '#fafafa'), ('dark', '#101010'), ('system', '#fafafa')]
)
def test_the_app_has_the_visitors_language_and_colours(
    theme: str, colour: str, hung: Easel
) -> None:
    with hung.client() as client:
        client.post('/settings', data={'language': 'ru', 'theme': theme})
        manifest = client.get('/manifest.webmanifest').json()

    assert manifest['lang'] == 'ru'
    assert manifest['theme_color'] == manifest['background_color'] == colour


def test_the_json_twin_of_the_page_is_the_manifest(hung: Easel) -> None:
    with hung.client() as client:
        twin = client.get('/install.json').json()
        manifest = client.get('/manifest.webmanifest').json()

    assert twin == manifest
    assert [icon['purpose'] for icon in twin['icons']] == ['any', 'any', 'maskable']

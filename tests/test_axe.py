"""Every page and state, measured by axe at WCAG 2.2 AA: wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import AxePage, axe_page
from tests.support.browser import give_back
from tests.support.default_setup import discovered
from tests.support.mask_editor import open_editor
from tests.support.servers import CLOSED_PORT_URL, Easel

pytestmark = pytest.mark.browser

PAGES = {
    'create': '/',
    'filled': '/?prompt=a+fox',
    'pictures to start from': '/?source=1&source=3',
    'earlier prompts': '/prompts',
    'gallery': '/gallery',
    'nothing found': '/gallery?q=nothingatall',
    'trash': '/gallery?deleted=1',
    'albums': '/albums',
    'album': '/gallery?album=1',
    'picture': '/images/1',
    'deleted picture': '/images/2',
    'just deleted': '/images/1?undo=2',
    'comparison': '/compare?image=1&image=2&image=3',
    'generations': '/generations',
    'one generation': '/generations/1',
    'what was sent': '/generations/3/attempts',
    'settings': '/settings',
    'storage and backup': '/settings/keeping',
    'server of the environment': '/settings/providers/environment',
    'server': '/settings/providers/1',
    'new server': '/settings/providers/new',
    'install': '/install',
    'sign in': '/session',
    'not found': '/nope',
}


@pytest.fixture(scope='module')
def measured(browser: Browser) -> Iterator[AxePage]:
    with axe_page(browser) as opened:
        yield opened


@pytest.fixture(scope='module')
def furnished(easel: Easel) -> Easel:
    """Pictures, one edited, one deleted, failures, one drawn, one cancelled, two behind a pause."""
    easel.draw(prompt='a fox in the snow', size='300x200', n='2', seed='4')
    easel.draw(prompt='a harbour', size='200x300')
    easel.draw(prompt='too much', model='fail-429')
    easel.draw(prompt='refused', model='fail-400')
    easel.draw(prompt='a fox in the rain', source='1', strength='0.6')
    cancelled = easel.submit(prompt='stopped', model='slow-90')
    with easel.client() as client:
        for name in ('studio', 'second'):
            form = {'base_url': CLOSED_PORT_URL, 'name': name, 'key': 'sk', 'headers': 'X-A: b'}
            client.post('/settings/providers', data=form)
        client.post('/settings/providers/1/test')
        client.post('/settings/verification')
        client.post('/images/2/deletion')
        client.post('/albums', data={'name': 'foxes', 'q': 'fox'})
        client.post('/albums', data={'name': 'for print'})
        client.post('/images/1/favourite')
        client.post(f'/generations/{cancelled}/cancellation')
    easel.wait(easel.submit(prompt='being drawn', model='slow-90', size='300x200'), 'running')
    with easel.client() as client:
        client.post('/generations/pause')
    for number in range(2):
        easel.submit(prompt=f'held back {number}', size='300x200')
    return easel


@pytest.fixture(scope='module')
def surrounded(
    measured: AxePage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Addresses beside what was found: none of it added yet, and one of it added."""
    fresh, settled = tmp_path_factory.mktemp('fresh'), tmp_path_factory.mktemp('settled')
    with discovered(fresh) as one, discovered(settled, 'LocalAI') as other:
        yield {'fresh': one, 'settled': other}
        give_back(measured.page)


@pytest.mark.parametrize('address', PAGES.values(), ids=PAGES.keys())
def test_axe_finds_nothing(measured: AxePage, furnished: Easel, address: str) -> None:
    measured.open(furnished.url + address)

    assert measured.faults() == []


def test_axe_finds_nothing_in_a_list_of_models_and_beside_wrong_fields(
    measured: AxePage, furnished: Easel
) -> None:
    page = measured.page
    measured.open(f'{furnished.url}/?from=1&seed=x')
    page.get_by_role('textbox', name='Prompt', exact=True).fill('')
    page.get_by_role('button', name='Generate').click()
    expect(page.locator('[aria-invalid]')).to_have_count(2)

    page.get_by_role('combobox', name='Model').click()
    expect(page.get_by_role('option').first).to_be_visible()

    assert measured.faults() == []


def test_axe_finds_nothing_in_a_selection_its_menu_and_what_was_done(
    measured: AxePage, furnished: Easel
) -> None:
    page = measured.page
    measured.open(f'{furnished.url}/gallery')
    for number in range(2):
        page.locator('.hung').nth(number).get_by_role('checkbox').check()
    page.get_by_role('button', name='Album…').click()
    page.get_by_role('textbox', name='Name of the new album').fill('chosen')
    chosen = measured.faults()
    page.get_by_role('button', name='Add', exact=True).click()
    expect(page.get_by_role('button', name='Undo')).to_be_visible()

    assert chosen == []
    assert measured.faults() == []


def test_axe_finds_nothing_where_the_trash_asks(measured: AxePage, furnished: Easel) -> None:
    page = measured.page
    measured.open(f'{furnished.url}/gallery?deleted=1')

    page.get_by_role('button', name='Empty the trash…').click()
    expect(page.get_by_role('button', name='Delete 1 for good')).to_be_visible()

    assert measured.faults() == []


def test_axe_finds_nothing_where_a_mask_is_painted(measured: AxePage, furnished: Easel) -> None:
    page = measured.page
    measured.open(f'{furnished.url}/settings')
    open_editor(page)
    editor = measured.faults()

    page.get_by_role('button', name='Enlarge').click()

    assert editor == []
    assert measured.faults() == []


def test_axe_finds_nothing_before_and_after_an_edit(measured: AxePage, furnished: Easel) -> None:
    page = measured.page
    measured.open(f'{furnished.url}/images/4')
    expect(page.get_by_role('heading', name='Versions')).to_be_visible()

    page.get_by_role('button', name='Before and after').click()
    expect(page.get_by_role('slider')).to_be_visible()

    assert measured.faults() == []


@pytest.mark.parametrize('address', ['/', '/settings'])
@pytest.mark.parametrize('state', ['fresh', 'settled'])
def test_axe_finds_nothing_beside_what_was_found(
    measured: AxePage, surrounded: dict[str, str], state: str, address: str
) -> None:
    measured.open(surrounded[state] + address)

    assert measured.faults() == []


def test_a_notice_comes_and_goes_on_open_pages_and_axe_finds_nothing(
    measured: AxePage, furnished: Easel
) -> None:
    page, arriving = measured.page, furnished.data / 'arriving'
    measured.open(furnished.url)
    arriving.rename(arriving.with_name('aside'))
    arriving.touch()

    furnished.submit(prompt='waits for the disk')
    page.wait_for_selector('.notice')
    faults = measured.faults()
    measured.open(f'{furnished.url}/gallery')
    page.wait_for_selector('.notice')
    arriving.unlink()
    page.wait_for_selector('.notice', state='detached')

    assert faults == []

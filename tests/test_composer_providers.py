"""The composer's choice of servers, and the form of a server, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESKTOP, PHONE, lent, window
from tests.support.servers import Easel, running_demo

pytestmark = pytest.mark.browser


@pytest.fixture(scope='module')
def studios(easel: Easel) -> Iterator[Easel]:
    """An Easel with two more servers, and a picture to begin with."""
    with running_demo() as one, running_demo() as two, easel.client() as client:
        for name, url in (('one', one), ('two', two)):
            client.post('/settings/providers', data={'base_url': url, 'name': name})
        easel.draw(prompt='so that there is a wall', size='32x32')
        yield easel


@pytest.fixture(scope='module')
def desk_window(browser: Browser) -> Iterator[Page]:
    with window(browser, viewport=DESKTOP) as page:
        yield page


@pytest.fixture
def page(desk_window: Page) -> Iterator[Page]:
    yield from lent(desk_window)


def choose(page: Page, *names: str) -> None:
    page.locator('.pick summary').click()
    for name in names:
        page.get_by_role('checkbox', name=name).check()


def test_a_prompt_to_several_hangs_a_tile_for_each(page: Page, studios: Easel) -> None:
    page.goto(studios.url)
    choose(page, 'one', 'two')
    page.get_by_role('textbox', name='Prompt').fill('two of a kind')

    page.get_by_role('button', name='Generate').click()

    tiles = page.locator('.hung img[alt="two of a kind"]')
    expect(tiles).to_have_count(2, timeout=15_000)
    with studios.client() as client:
        newest = client.get('/generations.json').json()['generations'][:2]
    assert {one['provider'] for one in newest} == {'one', 'two'}


def test_the_choice_is_kept_over_a_reload_and_shown_on_the_closed_chip(
    page: Page, studios: Easel
) -> None:
    page.goto(studios.url)
    chip = page.locator('.pick summary')
    expect(chip).to_contain_text('automatic')
    choose(page, 'two')

    page.reload()

    expect(chip.get_by_text('chosen')).to_be_visible()
    expect(chip.get_by_text('automatic')).to_be_hidden()
    assert page.locator('.pick input:checked').get_attribute('value') == 'two'


def test_the_choice_is_reached_by_keyboard_alone(page: Page, studios: Easel) -> None:
    page.goto(studios.url)
    page.locator('.pick summary').focus()

    page.keyboard.press('Enter')
    page.keyboard.press('Tab')
    page.keyboard.press('Space')

    expect(page.locator('.pick input').first).to_be_checked()
    expect(page.locator('.pick input').first).to_be_focused()


def test_a_server_is_added_tested_and_used_without_scripts(
    browser: Browser, studios: Easel, upstream: str
) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f'{studios.url}/settings')
    page.get_by_role('link', name='Add a server').click()
    page.get_by_label('Address').fill(upstream)
    page.get_by_label('Name', exact=True).fill('three')
    page.get_by_role('button', name='Add').click()
    expect(page.locator('#test .found')).to_contain_text('answers, lists 1 model')
    page.get_by_role('link', name='Start creating').click()
    page.locator('.pick summary').click()
    page.get_by_role('checkbox', name='three').check()
    page.get_by_role('textbox', name='Prompt').fill('without scripts')

    page.get_by_role('button', name='Generate').click()

    expect(page.locator('.generation', has_text='without scripts')).to_have_count(1)
    with studios.client() as client:
        assert client.get('/generations.json').json()['generations'][0]['provider'] == 'three'
    context.close()


def test_with_one_server_there_is_nothing_to_choose(page: Page, studios: Easel) -> None:
    with studios.client() as client:
        for provider in client.get('/settings/providers.json').json()['providers'][1:]:
            client.post(f'/settings/providers/{provider["id"]}', data={'enabled': 'off'})

    page.goto(studios.url)

    assert page.locator('.pick').count() == 0

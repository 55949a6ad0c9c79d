"""The composer and its choice of servers, and the form of a server, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESKTOP, PHONE, lent, watching, window
from tests.support.servers import Easel, running_demo

pytestmark = pytest.mark.browser

SIZES_PX = """() => [...document.querySelectorAll('input, select, textarea')]
  .filter((field) => !field.matches('[type=hidden], [type=checkbox], [type=radio], [type=file]'))
  .map((field) => parseFloat(getComputedStyle(field).fontSize))"""
IN_REACH = """(button) => {
  const { x, y, width, height } = button.getBoundingClientRect();
  return height >= 44 && button.contains(document.elementFromPoint(x + width / 2, y + height - 2));
}"""
ADD_LIMITS = """async () => {
  const limits = document.createElement('model-limits');
  const told = { address: 'limits.json', model: '', untaken: 'not taken',
    qualities: 'low hd max' };
  Object.assign(limits.dataset, told);
  document.querySelector('.composer').append(limits);
  const { src } = document.querySelector('script[src*=draft-form]');
  await import(src.replace('draft-form', 'model-limits'));
}"""
FORBIDDEN = """for (const name of ['localStorage', 'sessionStorage', 'SharedWorker']) {
  const get = () => { throw new DOMException('denied', 'SecurityError'); };
  Object.defineProperty(window, name, { get });
}"""


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


@pytest.fixture(scope='module')
def phone(browser: Browser) -> Iterator[Page]:
    with window(browser, viewport=PHONE, has_touch=True) as page:
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
    page.get_by_role('textbox', name='Prompt', exact=True).fill('two of a kind')

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

    expect(chip.get_by_text('selected')).to_be_visible()
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


@pytest.mark.parametrize(
    'address', ['/', '/gallery', '/settings', '/settings/providers/new', '/settings/keeping']
)
def test_no_field_is_so_small_that_a_phone_zooms_in(
    phone: Page, studios: Easel, address: str
) -> None:
    phone.goto(studios.url + address)

    assert min(phone.evaluate(SIZES_PX)) >= 16


@pytest.mark.parametrize('height', [844, 480])
def test_generate_is_in_reach_of_a_thumb_with_all_settings_open(
    phone: Page, studios: Easel, height: int
) -> None:
    phone.set_viewport_size({'width': 390, 'height': height})
    phone.goto(studios.url)
    generate = phone.get_by_role('button', name='Generate')
    closed = generate.evaluate(IN_REACH)

    phone.locator('summary', has_text='More').click()
    phone.locator('form.composer').evaluate('(form) => form.scrollTo(0, 0)')

    assert closed
    assert generate.evaluate(IN_REACH)


def test_a_wrong_field_is_told_in_its_place_and_gone_to(browser: Browser, studios: Easel) -> None:
    page = browser.new_page()  # which may complain: the browser itself does of a refusal
    page.goto(studios.url)
    page.get_by_role('textbox', name='Prompt', exact=True).fill('in its place')
    more = page.locator('summary', has_text='More')
    more.click()
    page.get_by_label('Steps').fill('9999')
    expect(more).to_have_text(re.compile(r'More\s*· 1$'))
    more.click()

    page.get_by_role('button', name='Generate').click()
    expect(page.get_by_label('Steps')).to_be_focused()
    expect(page.get_by_label('Steps')).to_have_accessible_description(
        'Enter a whole number from 1 to 500.'
    )
    page.locator('.setting', has=page.get_by_label('Steps')).get_by_text('reset').click()
    expect(more).to_have_text('More')
    page.keyboard.press('Control+Enter')

    expect(page.locator('.generation', has_text='in its place').first).to_be_visible()
    expect(page.get_by_text('A whole number from')).to_be_hidden()
    page.close()


def test_a_model_is_searched_and_chosen_by_keyboard(page: Page, studios: Easel) -> None:
    page.goto(studios.url)
    model = page.get_by_role('combobox', name='Model')
    model.fill('ske')
    page.keyboard.type('t')
    options = page.locator('.models').get_by_role('option')
    expect(options.first).to_have_text('sketch')

    page.keyboard.press('ArrowDown')
    expect(options.and_(page.locator('[aria-selected=true]'))).to_have_text('sketch')
    page.keyboard.press('Enter')

    expect(model).to_have_value('sketch')
    expect(options.first).to_be_hidden()
    assert page.url == f'{studios.url}/'


def test_up_brings_earlier_prompts_and_what_was_sent_is_replaced_by_typing(
    page: Page, studios: Easel
) -> None:
    studios.submit(prompt='the older one', size='32x32')
    page.goto(studios.url)
    prompt = page.get_by_role('textbox', name='Prompt', exact=True)
    prompt.fill('the newer one')
    page.get_by_role('button', name='Generate').click()
    expect(page.locator('.generation', has_text='the newer one').first).to_be_visible()
    expect(prompt).to_be_focused()

    page.keyboard.type('قط')
    page.keyboard.press('Home')
    page.keyboard.press('ArrowUp')
    expect(prompt).to_have_value('the newer one')
    page.keyboard.press('ArrowUp')
    expect(prompt).to_have_value('the older one')
    page.keyboard.press('ArrowDown')
    page.keyboard.press('ArrowDown')

    expect(prompt).to_have_value('قط')
    assert prompt.evaluate("(field) => field.matches(':dir(rtl)')")


def test_a_browser_that_forbids_storage_does_everything_else(
    browser: Browser, studios: Easel
) -> None:
    with window(browser, viewport=DESKTOP) as page, watching(page) as complaints:
        page.add_init_script(FORBIDDEN)
        page.goto(f'{studios.url}/settings')
        page.get_by_role('checkbox', name='sound').check()
        page.goto(studios.url)
        page.get_by_role('textbox', name='Prompt', exact=True).fill('kept nowhere')
        page.get_by_role('button', name='Generate').click()

        expect(page.locator('.hung img[alt="kept nowhere"]').first).to_be_visible(timeout=15_000)

    assert complaints == []


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
    expect(page.locator('#test .found')).to_contain_text('answers: 3 models')
    page.get_by_role('link', name='Start creating').click()
    page.locator('.pick summary').click()
    page.get_by_role('checkbox', name='three').check()
    page.get_by_role('textbox', name='Prompt', exact=True).fill('without scripts')

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


def test_fields_follow_what_the_chosen_model_takes(page: Page, studios: Easel) -> None:
    told = {
        'steps': {'values': [], 'least': '1', 'most': '50'},
        'quality': {'values': ['low', 'max'], 'least': '', 'most': ''},
        'n': {'values': [], 'least': '1', 'most': '4'},
        'sampler': None,
    }
    page.route(
        '**/limits.json*',
        lambda route: route.fulfill(json=told if 'model=strict' in route.request.url else {}),
    )
    page.goto(studios.url)
    page.evaluate(ADD_LIMITS)
    model, steps = page.locator('[name=model]'), page.locator('[name=steps]')

    model.fill('strict')
    expect(steps).to_have_attribute('max', '50')
    shown = page.locator('.limit:not([hidden])').all_text_contents()
    disabled = page.locator('[name=n] option:disabled').count()
    qualities = page.locator('#qualities option').count()
    model.fill('another')
    expect(steps).to_have_attribute('max', '')

    assert shown == ['(1–4)', '(1–50)', 'not taken']
    assert (disabled, qualities) == (6, 2)
    assert page.locator('.limit:not([hidden])').count() == 0
    assert page.locator('#qualities option').count() == 3

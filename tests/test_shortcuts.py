"""Everything by keyboard: the sheet of keys, single keys, arrows in the gallery; and icons."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESKTOP, lent, watching, window
from tests.support.servers import Easel

pytestmark = pytest.mark.browser

TURNS = "addEventListener('pagereveal', event => { globalThis.turned = !!event.viewTransition; })"
MARKED = """() => {
  addEventListener('pageswap', () => {
    const plates = [...document.querySelectorAll('.plate')];
    const marked = plates.filter((plate) => plate.style.viewTransitionName);
    sessionStorage.setItem('marked', marked.length);
  });
}"""


@pytest.fixture(scope='module')
def wall(easel: Easel) -> int:
    """Twelve pictures of one shape in the gallery, in rows of more than two."""
    for number in range(3):
        easel.draw(prompt=f'on the wall {number}', size='300x200', n='4')
    return 12


@pytest.fixture(scope='module')
def still_window(browser: Browser) -> Iterator[Page]:
    with window(browser, viewport=DESKTOP, reduced_motion='reduce') as page:
        yield page


@pytest.fixture
def page(still_window: Page) -> Iterator[Page]:
    yield from lent(still_window)
    still_window.set_viewport_size(DESKTOP)


def at(page: Page, easel: Easel, address: str) -> None:
    """Open a page with nothing focused, as after a click on empty ground."""
    page.goto(easel.url + address)
    page.evaluate('document.activeElement.blur()')


def focused(page: Page) -> str:
    address: str = page.evaluate("document.activeElement.getAttribute('href') ?? ''")
    return address


@pytest.mark.parametrize('address', ['/', '/gallery', '/settings', '/generations', '/images/1'])
def test_a_question_mark_opens_the_sheet_and_escape_closes_it(
    address: str, page: Page, easel: Easel, wall: int
) -> None:
    at(page, easel, address)
    sheet = page.get_by_role('dialog', name='Shortcuts')

    page.keyboard.press('?')
    expect(sheet).to_be_visible()
    page.keyboard.press('Escape')

    expect(sheet).to_be_hidden()


def test_the_sheet_opens_by_its_button_and_closes_by_its_own(
    page: Page, easel: Easel, wall: int
) -> None:
    at(page, easel, '/gallery')
    sheet = page.get_by_role('dialog', name='Shortcuts')

    page.get_by_role('button', name='Shortcuts').click()
    expect(sheet).to_be_visible()
    sheet.get_by_role('button', name='Close').click()

    expect(sheet).to_be_hidden()
    assert page.url.endswith('/gallery')


@pytest.mark.parametrize('size', [(1360, 860), (1360, 480), (390, 480)])
def test_no_part_of_the_sheet_is_out_of_sight(
    size: tuple[int, int], page: Page, easel: Easel, wall: int
) -> None:
    page.set_viewport_size({'width': size[0], 'height': size[1]})
    at(page, easel, '/gallery')

    page.keyboard.press('?')
    sheet = page.get_by_role('dialog', name='Shortcuts')
    expect(sheet).to_be_visible()

    assert sheet.evaluate('sheet => sheet.scrollWidth - sheet.clientWidth') == 0


def test_the_sheet_opens_where_the_browser_knows_no_commands(
    browser: Browser, easel: Easel, wall: int
) -> None:
    with window(browser) as page, watching(page) as complaints:
        page.add_init_script(
            'for (const name of ["command", "commandForElement"]) '
            'delete HTMLButtonElement.prototype[name]; addEventListener("command", '
            '(event) => event.preventDefault(), true)'
        )
        at(page, easel, '/gallery')

        page.keyboard.press('?')

        expect(page.get_by_role('dialog', name='Shortcuts')).to_be_visible()
        assert complaints == []


def test_no_key_works_while_the_sheet_is_open(page: Page, easel: Easel, wall: int) -> None:
    at(page, easel, '/images/1')
    page.keyboard.press('?')

    for key in ('c', 'f', 'ArrowLeft', 'Delete', 'z'):
        page.keyboard.press(key)

    expect(page.get_by_role('dialog', name='Shortcuts')).to_be_visible()
    assert page.url.endswith('/images/1')
    assert page.locator('[data-full]').count() == 0


@pytest.mark.parametrize(
    ('start', 'key', 'end'),
    [
        ('/', 'g', '/gallery'),
        ('/settings', 'c', '/'),
        ('/settings', '/', '/gallery'),
        ('/settings', 'G', '/gallery'),
        ('/images/1?q=wall', 'g', '/gallery?q=wall#image-1'),
        ('/images/1', 'r', '/?from=1'),
    ],
)
def test_single_keys_go_places(
    start: str, key: str, end: str, page: Page, easel: Easel, wall: int
) -> None:
    at(page, easel, start)

    page.keyboard.press(key)

    page.wait_for_url(easel.url + end)


def test_a_letter_is_known_by_its_place_on_a_russian_keyboard(
    page: Page, easel: Easel, wall: int
) -> None:
    at(page, easel, '/settings')

    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', "
        "{ key: 'п', code: 'KeyG', bubbles: true, cancelable: true }))"
    )

    page.wait_for_url('**/gallery')


def test_a_slash_focuses_the_search(page: Page, easel: Easel, wall: int) -> None:
    at(page, easel, '/gallery')

    page.keyboard.press('/')
    page.keyboard.type('fox')

    assert page.get_by_role('combobox', name='Search pictures').input_value() == 'fox'


@pytest.mark.parametrize('key', ['Control+g', 'Alt+g', 'Meta+g'])
def test_a_key_with_another_is_not_ours(key: str, page: Page, easel: Easel, wall: int) -> None:
    at(page, easel, '/settings')

    page.keyboard.press(key)
    page.keyboard.press('?')

    expect(page.get_by_role('dialog', name='Shortcuts')).to_be_visible()
    assert page.url.endswith('/settings')


@pytest.mark.parametrize(
    ('address', 'field'), [('/', '#prompt'), ('/gallery', '[name=q]'), ('/settings', 'select')]
)
def test_typing_presses_no_key(
    address: str, field: str, page: Page, easel: Easel, wall: int
) -> None:
    at(page, easel, address)
    page.locator(field).first.focus()

    page.keyboard.type('g?cg/')

    expect(page.get_by_role('dialog', name='Shortcuts')).to_be_hidden()
    assert page.url == easel.url + address


def test_single_keys_can_be_turned_off(page: Page, easel: Easel, wall: int) -> None:
    at(page, easel, '/settings')
    page.get_by_role('button', name='Shortcuts').click()
    page.get_by_label('Use single-key shortcuts').uncheck()

    at(page, easel, '/settings')
    page.keyboard.press('g')
    page.keyboard.press('?')

    expect(page.get_by_role('dialog', name='Shortcuts')).to_be_hidden()
    assert page.url.endswith('/settings')


def test_arrows_go_from_picture_to_picture_by_row(page: Page, easel: Easel, wall: int) -> None:
    at(page, easel, '/gallery')
    tops = page.locator('.hung').evaluate_all('all => all.map(one => one.offsetTop)')
    row = tops.count(tops[0])

    trail = []
    for key in ('ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowUp', 'ArrowLeft'):
        page.keyboard.press(key)
        trail.append(focused(page))

    numbers = [wall - int(address.rpartition('/')[2]) for address in trail]
    assert 1 < row < wall
    assert numbers == [0, 1, row + 1, 1, 0]


def test_enter_opens_the_focused_picture(page: Page, easel: Easel, wall: int) -> None:
    at(page, easel, '/gallery')

    page.keyboard.press('ArrowRight')
    page.keyboard.press('Enter')

    page.wait_for_url(f'**/images/{wall}')


def test_arrows_begin_where_one_came_from(page: Page, easel: Easel, wall: int) -> None:
    at(page, easel, '/images/5')

    page.keyboard.press('g')
    page.wait_for_url('**/gallery#image-5')
    page.wait_for_load_state()
    page.keyboard.press('ArrowRight')

    assert focused(page) == '/images/5'


@pytest.mark.parametrize(('motion', 'turned'), [('no-preference', True), ('reduce', False)])
def test_a_page_turns_only_where_motion_is_welcome(
    motion: str, turned: bool, browser: Browser, easel: Easel, wall: int
) -> None:
    with window(browser, reduced_motion=motion) as page:
        page.add_init_script(TURNS)
        at(page, easel, '/gallery')
        page.evaluate(MARKED)

        page.locator('#image-5 > a').click()
        page.wait_for_url('**/images/5')

        assert page.evaluate('globalThis.turned') is turned
        assert page.evaluate("sessionStorage.getItem('marked')") == '1'


@pytest.mark.parametrize(
    ('name', 'side'),
    [('icon-180', 180), ('icon-192', 192), ('icon-512', 512), ('icon-512-maskable', 512)],
)
def test_icons_are_as_large_as_they_say(name: str, side: int, easel: Easel) -> None:
    with easel.client() as client:
        folder = client.get('/').text.partition('rel="icon" href="')[2].partition('icon.svg')[0]
        answer = client.get(f'{folder}{name}.png')

    assert answer.headers['content-type'] == 'image/png'
    assert Image.open(BytesIO(answer.content)).size == (side, side)

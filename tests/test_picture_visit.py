"""From picture to picture in one place: steps, deleting and undoing, the way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import lent, window
from tests.support.picture_page import at_picture, state, still_window
from tests.support.servers import Easel

pytestmark = pytest.mark.browser

SHIFTS = """() => new Promise((done) => {
  let total = 0;
  const observer = new PerformanceObserver(() => {});
  observer.observe({ type: 'layout-shift', buffered: true });
  requestAnimationFrame(() => {
    for (const { value } of observer.takeRecords()) total += value;
    done(total);
  });
})"""


@pytest.fixture(scope='module')
def row(easel: Easel) -> list[int]:
    """Twenty-four pictures of three prompts, newest first."""
    asks = [easel.draw(prompt=f'row {number}', size='48x32', n='8') for number in (3, 2, 1)]
    return sorted((one['id'] for ask in asks for one in ask['images']), reverse=True)  # type: ignore[attr-defined]


@pytest.fixture(scope='module')
def desk_window(browser: Browser) -> Iterator[Page]:
    with still_window(browser) as page:
        yield page


@pytest.fixture
def page(desk_window: Page) -> Iterator[Page]:
    yield from lent(desk_window)


def test_twenty_presses_move_twenty_pictures_in_one_entry_of_the_history(
    page: Page, easel: Easel, row: list[int]
) -> None:
    page.goto(f'{easel.url}/gallery?q=row')
    page.locator(f'#image-{row[0]} > a').evaluate('link => link.click()')
    expect(page.locator('.percent')).to_have_text('100 %')
    page.evaluate("() => customElements.whenDefined('picture-keys').then(() => true)")
    entries = page.evaluate('history.length')

    for _ in range(20):
        page.keyboard.press('ArrowRight')
    page.wait_for_url(f'**/images/{row[20]}?q=row')
    shifts = page.evaluate(SHIFTS)
    title, steps = page.title(), page.evaluate('history.length') - entries
    page.go_back()

    page.wait_for_url('**/gallery?q=row')
    assert (title, steps, shifts) == ('row 3 · Easel', 0, 0)
    expect(page.locator(f'#image-{row[20]}')).to_be_in_viewport()


def test_presses_count_while_a_page_is_on_its_way_and_late_answers_show_nothing(
    page: Page, easel: Easel, row: list[int]
) -> None:
    at_picture(page, easel, row[12], '?q=row')
    page.route('**/images/*', lambda _: None)
    page.locator('#older').focus()

    for key in ('ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft', 'ArrowRight'):
        page.keyboard.press(key)
    page.unroute('**/images/*')  # what was held goes on
    page.wait_for_url(f'**/images/{row[15]}?q=row')

    expect(page.locator('#older')).to_be_focused()
    expect(page.locator('[data-news]')).to_have_text('row 2 · Picture 1')


def test_keys_go_on_working_from_one_deleted_to_the_next_and_back(
    page: Page, easel: Easel, row: list[int]
) -> None:
    at_picture(page, easel, row[5], '?q=row')

    page.keyboard.press('ArrowRight')
    page.wait_for_url(f'**/images/{row[6]}?q=row')
    page.keyboard.press('Delete')
    page.wait_for_url(f'**/images/{row[7]}?q=row')
    page.keyboard.press('f')
    expect(page.get_by_role('button', name='Favourite', pressed=True)).to_be_visible()
    expect(page.locator('[data-news]')).to_have_text(re.compile('^Added to favourites · row'))
    page.get_by_role('button', name='Undo').click()
    page.wait_for_url(f'**/images/{row[6]}?q=row')
    page.get_by_role('link', name='Picture 1', exact=True).click()
    page.wait_for_url(f'**/images/{row[7]}?q=row')

    expect(page.locator('.siblings [aria-current] img')).to_have_attribute('alt', 'Picture 1')
    with page.expect_download():
        page.keyboard.press('d')


def test_a_gallery_on_the_way_back_does_not_show_what_was_deleted(
    page: Page, easel: Easel, row: list[int]
) -> None:
    page.goto(f'{easel.url}/gallery?q=row')
    page.locator(f'#image-{row[1]} > a').click()
    expect(page.locator('.percent')).to_have_text('100 %')

    page.keyboard.press('Delete')
    page.wait_for_url(f'**/images/{row[2]}?q=row')
    page.go_back()

    expect(page.locator(f'#image-{row[2]}')).to_be_visible()
    expect(page.locator(f'#image-{row[1]}')).to_have_count(0)
    with easel.client() as client:
        client.post(f'/images/{row[1]}/restoration')


def test_days_are_the_visitors_from_the_first_page_on(
    browser: Browser, easel: Easel, row: list[int]
) -> None:
    with window(browser, timezone_id='Pacific/Kiritimati') as page:
        page.goto(f'{easel.url}/gallery')

        expect(page.locator('[data-utc-offset-min="840"]')).to_be_visible()
        expect(page.locator('.day')).to_have_text(['Today'])


@pytest.fixture
def beside(page: Page, easel: Easel, row: list[int]) -> Page:
    """Open three pictures beside each other."""
    page.goto(f'{easel.url}/compare?image={row[-1]}&image={row[-2]}&image={row[-9]}')
    expect(page.locator('.percent')).to_have_text('100 %')
    return page


def states(page: Page) -> list[dict[str, float]]:
    return [state(print_) for print_ in page.locator('.print').all()]


def test_compared_pictures_are_looked_at_in_step(beside: Page) -> None:
    page = beside
    page.locator('.print').first.dblclick()
    page.keyboard.press('+')
    page.keyboard.press('ArrowRight')
    near = states(page)
    page.get_by_label('Zoom together').uncheck()
    page.locator('.print').nth(1).hover()
    page.keyboard.press('+')
    page.get_by_role('button', name='Zoom in').click()
    apart = states(page)
    page.get_by_label('Zoom together').check()
    together = states(page)

    assert near[0]['scale'] > 1
    assert near == [near[0]] * 3
    assert apart[0] == apart[2] == near[0]
    assert apart[1]['scale'] > near[0]['scale']
    assert together == [apart[1]] * 3


def test_a_line_between_two_pictures_is_moved_by_keys_and_mouse(beside: Page) -> None:
    page, pair, line = beside, beside.locator('.pair'), beside.locator('.line')
    page.get_by_label('Slider').check(force=True)
    page.locator('label', has_text='A | C').locator('input').check(force=True)
    shown = [stage.is_visible() for stage in page.locator('.stage').all()]
    divider = page.get_by_role('slider', name='Divider')
    divider.focus()
    page.keyboard.press('ArrowLeft')
    page.keyboard.press('Shift+ArrowLeft')
    by_keys = divider.input_value()
    box, at = pair.bounding_box(), line.bounding_box()
    assert box
    assert at
    page.mouse.move(at['x'] + 2, at['y'] + 30)
    page.mouse.down()
    page.mouse.move(box['x'] + box['width'] * 0.75, at['y'] + 30, steps=4)
    page.mouse.up()

    assert shown == [True, False, True]
    assert by_keys == '39'
    assert divider.input_value() == '75'
    clip = page.locator('.stage[data-over] zoom-view').evaluate(
        'view => getComputedStyle(view).clipPath'
    )
    assert clip == 'inset(0px 0px 0px 75%)'


def test_a_favourite_is_marked_in_a_comparison_as_near_as_it_hangs(beside: Page) -> None:
    page, heart = beside, beside.get_by_role('button', name='Favourite').nth(1)
    page.keyboard.press('+')
    before = states(page)

    heart.click()
    expect(heart).to_have_attribute('aria-pressed', 'true')

    assert states(page) == before
    page.reload()
    expect(heart).to_have_attribute('aria-pressed', 'true')
    heart.click()


def test_without_scripts_a_comparison_is_pictures_and_a_table(
    browser: Browser, easel: Easel, row: list[int]
) -> None:
    with window(browser, java_script_enabled=False) as page:
        page.goto(f'{easel.url}/images/{row[0]}')
        page.get_by_role('button', name='Compare').click()
        page.locator('.others a').first.click()

        expect(page.locator('.stage img')).to_have_count(2)
        expect(page.get_by_role('row', name='The same')).to_be_visible()
        expect(page.get_by_label('Slider')).to_be_hidden()


def test_an_open_gallery_tells_of_new_pictures_and_of_what_was_done_elsewhere(
    page: Page, easel: Easel, row: list[int]
) -> None:
    page.goto(f'{easel.url}/gallery?q=row')
    tile = page.locator(f'#image-{row[0]}')
    asked: list[str] = []
    page.on('request', lambda request: asked.append(urlsplit(request.url).path))

    easel.draw(prompt='row of none that was there', size='48x32')
    with easel.client() as client:
        client.post(f'/images/{row[0]}/favourite', headers={'X-Fragment': 'true'})

    expect(page.get_by_role('link', name='New pictures: 1')).to_be_visible()
    expect(page.locator('.hung')).to_have_count(len(row))
    expect(tile.get_by_role('img', name='Favourite')).to_be_visible()
    assert f'/images/{row[0]}.json' not in asked


def test_a_slideshow_goes_on_by_keys_and_leads_back_to_what_it_showed(
    page: Page, easel: Easel, row: list[int]
) -> None:
    page.goto(f'{easel.url}/gallery?q="row 1"')
    show = page.get_by_role('dialog', name='Slideshow')

    page.keyboard.press('s')
    expect(show.locator('img')).to_have_attribute('alt', 'row 1')
    page.keyboard.press('Space')
    expect(show.get_by_role('button', name='Pause')).to_have_attribute('aria-pressed', 'true')
    page.keyboard.press('ArrowRight')
    page.keyboard.press('ArrowRight')
    shown = 'id => document.querySelector("slide-show").shown?.id === id'
    page.wait_for_function(shown, arg=row[2])
    page.keyboard.press('Escape')

    expect(show).to_be_hidden()
    expect(page.locator(f'#image-{row[2]} > a')).to_be_focused()

"""A tile keeps its place and its room through its whole life."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.database.providers import AT_ONCE
from tests.support.browser import DESKTOP, PHONE, lent, window
from tests.support.holding_proxy import holding_proxy
from tests.support.servers import Easel

pytestmark = pytest.mark.browser

BOXES = """(chosen) => [...document.querySelectorAll(chosen)].map((one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  return [x, y + scrollY, width, height].map(Math.round);
})"""
# A feed whose streams break off at once while `away` is true, and hear the server else.
FEED = """async () => {
  window.EventSource = class extends EventTarget {
    constructor() {
      super();
      window.stream = this;
      queueMicrotask(() => this.dispatchEvent(new Event(window.away ? 'error' : 'pulse')));
    }
    close() {}
  };
  window.fetch = () => Promise.reject(new TypeError('nobody there'));
  window.told = [];
  const stylesheet = document.querySelector('link[rel=stylesheet]').href;
  const { Feed } = await import(new URL('js/feed.js', stylesheet));
  const tell = ({ connection }) => window.told.push(connection);
  new Feed().update('page', tell, { showing: [], newest: 0, visible: true });
}"""
TOLD_AGAIN = """(id) => {
  const tile = document.getElementById(`generation-${id}`);
  const again = tile.cloneNode(true);
  delete again.dataset.fresh;
  tile.become(again);
}"""
SHAPES = {'wide': '300x200', 'tall': '200x360'}


@pytest.fixture(scope='module', params=[DESKTOP, PHONE], ids=['desktop', 'phone'])
def sized_window(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    with window(browser, viewport=request.param) as page:
        yield page


@pytest.fixture
def page(sized_window: Page) -> Iterator[Page]:
    yield from lent(sized_window)


def boxes(page: Page, newest: int, chosen: str = '.hung') -> list[list[int]]:
    """Give the place and room of the newest tiles on the wall, or of a part of each.

    What earlier tests left is further down, and laid out whenever it comes near.
    """
    found: list[list[int]] = page.evaluate(BOXES, chosen)
    return found[:newest]


def opened(page: Page, easel: Easel, generation_id: int, words: str) -> None:
    """Open the wall once a generation shows some words."""
    page.goto(easel.url)
    expect(page.locator(f'#generation-{generation_id}').get_by_text(words)).to_be_visible()


def act(easel: Easel, generation_id: int, name: str) -> None:
    with easel.client() as client:
        client.post(f'/generations/{generation_id}/{name}')


@pytest.mark.parametrize('size', SHAPES.values(), ids=SHAPES)
def test_a_cancelled_one_keeps_the_room_of_all_its_pictures(
    size: str, page: Page, easel: Easel
) -> None:
    easel.draw(prompt='an older one', size='120x100')
    drawing = easel.submit(prompt='three kites, ' * 9, model='slow-90', size=size, n='3')
    opened(page, easel, drawing, 'Generating…')
    before = boxes(page, 4)

    act(easel, drawing, 'cancellation')
    tile = page.locator(f'#generation-{drawing}')
    expect(tile.get_by_text('Cancelled')).to_be_visible(timeout=15_000)

    assert boxes(page, 4) == before


@pytest.mark.parametrize('size', SHAPES.values(), ids=SHAPES)
def test_a_failed_one_keeps_the_room_of_all_its_pictures(
    size: str, page: Page, easel: Easel
) -> None:
    easel.draw(prompt='an older one', size='120x100')
    busy = [easel.submit(prompt='busy', model='slow-90', size='64x64') for _ in range(AT_ONCE)]
    waiting = easel.submit(prompt='it will fail', model='fail-400', size=size, n='3')
    opened(page, easel, waiting, 'Waiting for its turn')
    before = boxes(page, AT_ONCE + 4)

    act(easel, busy[0], 'cancellation')
    tile = page.locator(f'#generation-{waiting}')
    expect(tile.get_by_text('refused the prompt').first).to_be_visible(timeout=15_000)
    expect(page.locator(f'#generation-{busy[0]}').get_by_text('Cancelled')).to_be_visible()
    page.evaluate(TOLD_AGAIN, busy[0])
    after = boxes(page, AT_ONCE + 4)
    for one in busy[1:]:
        act(easel, one, 'cancellation')
        easel.wait(one)

    assert after == before


def test_a_drawn_one_keeps_its_place(page: Page, easel: Easel) -> None:
    easel.draw(prompt='an older one', size='120x100')
    drawing = easel.submit(prompt='soon there', model='slow-1', size='200x360', n='2')
    opened(page, easel, drawing, 'Generating…')
    before = boxes(page, 3)

    expect(page.locator('.hung img[alt="soon there"]')).to_have_count(2, timeout=15_000)

    assert boxes(page, 3) == before


def test_every_word_of_a_stopped_one_can_be_reached(page: Page, easel: Easel) -> None:
    failed = easel.submit(prompt='narrow', model='fail-400', size='200x360')
    easel.wait(failed)
    page.goto(easel.url)
    tile = page.locator(f'#generation-{failed}')

    for name in ('Retry', 'Edit prompt'):
        tile.get_by_text(name).scroll_into_view_if_needed()
        expect(tile.get_by_text(name)).to_be_in_viewport()
    tile.get_by_text('Details').click()
    hint = tile.get_by_text('Rephrase it')
    hint.scroll_into_view_if_needed()

    expect(hint).to_be_in_viewport()


def test_details_are_shown_below_the_row_and_move_no_tile_of_it(page: Page, easel: Easel) -> None:
    failed = easel.submit(prompt='between', model='fail-400', size='200x300')
    easel.wait(failed)
    easel.draw(prompt='a newer one, ' * 9, size='300x200')
    page.goto(easel.url)
    tile = page.locator(f'#generation-{failed}')
    before = boxes(page, 2, '.plate')

    tile.get_by_text('Details').click()
    panel = tile.locator('.panel')
    expect(panel.get_by_text('rejected by the safety system')).to_be_visible()

    shown, wall = panel.bounding_box(), page.locator('.wall').bounding_box()
    caption = page.locator('.label').first.bounding_box()
    assert boxes(page, 2, '.plate') == before
    assert shown
    assert wall
    assert caption
    assert (shown['x'], shown['width']) == (wall['x'], wall['width'])
    assert shown['y'] >= caption['y'] + caption['height']
    expect(panel.get_by_role('link', name='Settings for')).to_have_attribute(
        'href', '/settings/providers/environment'
    )


@pytest.fixture
def low(browser: Browser) -> Iterator[Page]:
    """A phone whose keyboard is up."""
    with window(browser, viewport={'width': 390, 'height': 480}) as page:
        yield page


def test_details_come_into_sight_above_the_form_of_a_phone(low: Page, easel: Easel) -> None:
    failed = easel.submit(prompt='below', model='fail-400', size='200x300')
    easel.wait(failed)
    low.goto(easel.url)
    tile = low.locator(f'#generation-{failed}')

    tile.get_by_text('Details').click()
    expect(tile.get_by_text('Rephrase it')).to_be_in_viewport()

    shown, form = tile.locator('.story').bounding_box(), low.locator('.composer').bounding_box()
    assert shown
    assert form
    assert shown['y'] >= 0
    assert shown['y'] + shown['height'] <= form['y']


def test_an_open_list_of_models_leaves_the_button_free(low: Page, easel: Easel) -> None:
    low.goto(easel.url)
    low.locator('.more > summary').last.click()
    low.get_by_role('combobox', name='Model').click()
    expect(low.get_by_role('option').first).to_be_visible()

    low.locator('.models').evaluate("list => list.style.blockSize = '100rem'")

    button = low.get_by_role('button', name='Generate').bounding_box()
    shown = low.locator('.models').bounding_box()
    assert shown
    assert button
    assert shown['y'] + shown['height'] <= button['y']


def test_what_stopped_before_the_page_was_loaded_is_one_tile(page: Page, easel: Easel) -> None:
    failed = easel.submit(prompt='long ago', model='fail-400', size='64x64', n='4')
    easel.wait(failed)

    page.goto(easel.url)

    expect(page.locator(f'#generation-{failed} .hung:visible')).to_have_count(1)


def test_a_slow_answer_to_the_form_does_not_undo_what_the_stream_brought(
    page: Page, easel: Easel
) -> None:
    easel.draw(prompt='so that there is a wall', size='32x32')
    page.goto(easel.url)
    with easel.client() as client:
        fields = {'prompt': 'overtaken', 'model': 'slow-1', 'size': '32x32'}
        answer = client.post('/generations', data=fields, headers={'X-Fragment': 'true'}).text
    picture = page.locator('.hung img[alt="overtaken"]')
    expect(picture).to_be_visible(timeout=15_000)

    page.evaluate("detail => dispatchEvent(new CustomEvent('easel-added', { detail }))", answer)

    expect(picture).to_be_visible()


def test_row_b7_a_page_behind_a_proxy_that_holds_events_back_asks_by_itself(
    browser: Browser, easel: Easel
) -> None:
    easel.draw(prompt='so that there is a wall', size='32x32')
    with holding_proxy(easel.url) as url, window(browser) as page:
        page.add_init_script('delete globalThis.SharedWorker')  # whose clock no test can turn
        page.clock.install()
        page.goto(url)
        page.get_by_role('textbox', name='Prompt', exact=True).fill('held back')
        page.get_by_role('button', name='Generate').click()
        expect(page.locator('.generation', has_text='held back')).to_be_visible()

        page.clock.fast_forward('00:11')
        expect(page.get_by_text("Live updates don't get through")).to_be_visible()
        page.clock.fast_forward('00:05')

        expect(page.locator('.hung img[alt="held back"]').first).to_be_visible(timeout=15_000)


def test_the_next_prompt_is_sent_before_the_answer_and_after_an_upgrade(
    browser: Browser, easel: Easel
) -> None:
    easel.draw(prompt='so that there is a wall', size='32x32')
    held: list[Route] = []
    page = browser.new_page()
    page.route('**/generations', lambda route: held.append(route))
    page.route('**/js/form-errors.js', lambda route: route.abort())  # gone with the old version
    page.goto(easel.url)

    page.get_by_role('textbox', name='Prompt', exact=True).fill('the first')
    for later in ('the second', ''):
        with page.expect_request('**/generations'):
            page.keyboard.press('Control+Enter')
        page.keyboard.type(later)
    for route in held:
        route.continue_()

    for prompt in ('the first', 'the second'):
        expect(page.locator('.title').get_by_text(prompt, exact=True)).to_be_visible()
    page.close()


def test_an_outage_is_not_taken_for_a_proxy_that_holds_back(browser: Browser, easel: Easel) -> None:
    page = browser.new_page()
    page.clock.install()
    page.goto(f'{easel.url}/keys')

    page.evaluate(FEED)
    page.evaluate("() => { window.away = true; window.stream.dispatchEvent(new Event('error')); }")
    page.clock.run_for(60_000)
    page.evaluate('() => { window.away = false; }')
    page.clock.run_for(20_000)
    told = page.evaluate('() => window.told')
    page.close()

    assert (told[0], *set(told[1:-1]), told[-1]) == ('live', 'lost', 'live')

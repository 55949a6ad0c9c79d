"""Many pictures selected in the gallery, by mouse, finger and keys, and what is done with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import DESKTOP, PHONE, lent, window
from tests.support.servers import Easel

pytestmark = pytest.mark.browser

PICTURES = 12


@pytest.fixture(scope='module')
def wall(easel: Easel) -> Easel:
    for number in range(3):
        easel.draw(prompt=f'to select {number}', size='90x60', n='4')
    return easel


@pytest.fixture(scope='module')
def still_window(browser: Browser) -> Iterator[Page]:
    with window(browser, viewport=DESKTOP, reduced_motion='reduce') as page:
        yield page


@pytest.fixture
def page(still_window: Page, wall: Easel) -> Iterator[Page]:
    for page in lent(still_window):
        page.goto(f'{wall.url}/gallery')
        yield page


def tile(page: Page, number: int) -> Locator:
    return page.locator('.hung:visible').nth(number)


def tick(page: Page, number: int) -> Locator:
    return tile(page, number).get_by_role('checkbox')


def selected(page: Page) -> list[int]:
    ticks: list[bool] = page.locator('.hung:visible input[name=image]').evaluate_all(
        'all => all.map(one => one.checked)'
    )
    return [number for number, is_in in enumerate(ticks) if is_in]


def bar(page: Page) -> Locator:
    return page.get_by_role('form', name='Selection')


def test_a_tick_selects_and_with_shift_up_to_another(page: Page) -> None:
    tick(page, 1).click()
    tick(page, 4).click(modifiers=['Shift'])
    tick(page, 2).click()

    assert selected(page) == [1, 3, 4]
    expect(bar(page).get_by_role('status')).to_have_text('3 selected')


def test_what_is_selected_is_kept_while_a_picture_is_open_and_ends_with_another_question(
    page: Page, wall: Easel
) -> None:
    tick(page, 1).click()
    tick(page, 2).click()

    tile(page, 5).locator('.plate').click()
    page.wait_for_url('**/images/*')
    page.goto(f'{wall.url}/gallery')
    kept = selected(page)
    page.goto(f'{wall.url}/gallery?q=select')

    assert kept == [1, 2]
    assert selected(page) == []
    expect(bar(page)).to_be_hidden()


def test_a_lasso_adds_what_it_touches_and_gives_it_back_for_escape(page: Page) -> None:
    first, second = (tile(page, number).bounding_box() for number in (0, 1))
    assert first
    assert second
    tick(page, 5).click()
    page.mouse.move(first['x'] - 12, first['y'] + 4)
    page.mouse.down()
    page.mouse.move(second['x'] + 20, first['y'] + 40, steps=3)

    expect(bar(page).get_by_role('status')).to_have_text('3 selected')
    page.keyboard.press('Escape')
    page.mouse.up()

    assert selected(page) == [5]


def test_keys_select_one_and_all_and_none(page: Page) -> None:
    page.keyboard.press('ArrowRight')
    page.keyboard.press('x')
    one = selected(page)
    page.keyboard.press('Control+a')
    everything = selected(page)
    page.keyboard.press('Control+a')

    expect(bar(page).get_by_role('button', name='Select all')).to_be_hidden()
    assert (one, everything) == ([0], list(range(PICTURES)))
    page.keyboard.press('Escape')
    assert selected(page) == []


def test_a_finger_that_rests_selects_and_then_taps_do(browser: Browser, wall: Easel) -> None:
    with window(browser, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.goto(f'{wall.url}/gallery')
        plate = tile(page, 0).locator('.plate')
        touch = {'pointerType': 'touch', 'isPrimary': True, 'bubbles': True}

        plate.dispatch_event('pointerdown', touch)
        expect(bar(page)).to_be_visible()
        plate.dispatch_event('pointerup', touch)
        plate.dispatch_event('click')
        tile(page, 2).locator('.plate').tap()

        assert selected(page) == [0, 2]
        assert page.url.endswith('/gallery')


def test_no_more_than_the_server_takes_are_selected_one_by_one(page: Page) -> None:
    page.evaluate(
        """async () => {
          const path = document.querySelector('script[src*="wall-select"]').src;
          const { chosen } = await import(path.replace('wall-select', 'chosen'));
          chosen.replace(new Set(Array.from({ length: 5000 }, (_, at) => at + 1000)));
        }"""
    )

    tick(page, 0).click()

    expect(bar(page).get_by_role('status')).to_contain_text('Up to 5,000 pictures')
    assert selected(page) == []


def test_what_is_deleted_leaves_the_wall_and_comes_back_by_undo(page: Page) -> None:
    tick(page, 0).click()
    tick(page, 3).click()

    bar(page).get_by_role('button', name='Delete').click()
    undo = page.get_by_role('button', name='Undo')
    expect(undo).to_be_focused()
    left = page.locator('.hung:visible').count()
    undo.press('Enter')

    expect(page.locator('.hung:visible')).to_have_count(PICTURES)
    assert left == PICTURES - 2


def test_what_was_filled_anew_meanwhile_is_drawn_anew_by_undo(page: Page) -> None:
    tick(page, 0).click()
    bar(page).get_by_role('button', name='Delete').click()
    expect(page.get_by_role('button', name='Undo')).to_be_focused()
    page.evaluate('document.querySelector(".hung[hidden]").remove()')
    page.keyboard.press('Enter')

    expect(page.locator('.hung:visible')).to_have_count(PICTURES)


def test_all_that_match_are_deleted_and_come_back(page: Page) -> None:
    for _ in range(2):
        page.keyboard.press('Control+a')
    expect(bar(page).get_by_role('button', name='Select all')).to_be_hidden()

    bar(page).get_by_role('button', name='Delete').click()
    page.wait_for_url('**/gallery?act=*')
    expect(page.locator('.hung')).to_have_count(0)
    expect(page.get_by_role('button', name='Undo')).to_be_focused()
    page.get_by_role('button', name='Undo').click()

    expect(page.locator('.hung:visible')).to_have_count(PICTURES)


def test_a_long_act_is_followed_to_its_end(page: Page) -> None:
    bar_of_it = '<div><p>Moving…</p><progress max="9" value="2"></progress></div>'
    going = f'<div data-follow="/acts/7">{bar_of_it}</div>'
    told = [going]
    page.route('**/images/selection', lambda route: route.fulfill(body=going))
    page.route('**/acts/7', lambda route: route.fulfill(body=told[-1]))
    tick(page, 0).click()

    bar(page).get_by_role('button', name='Delete').click()
    expect(page.get_by_role('progressbar')).to_be_visible()
    told.append('<div><p>9 moved</p></div>')

    expect(page.get_by_text('9 moved')).to_be_visible()
    page.unroute_all()


def test_a_key_leads_to_the_acts_and_back_to_what_was_selected(page: Page) -> None:
    tick(page, 2).click()
    page.keyboard.press('b')
    expect(bar(page).get_by_role('button', name='Favourite')).to_be_focused()
    page.keyboard.press('Escape')

    assert selected(page) == []
    expect(tile(page, 2).locator('.plate')).to_be_focused()


def test_the_months_are_one_stop_of_the_tab_key_and_arrows_go_through_them(page: Page) -> None:
    page.locator('main').evaluate("""main => {
      const rail = document.createElement('month-rail');
      for (const href of ['#1', '#2', '#3'])
        rail.append(Object.assign(document.createElement('a'), { href }));
      main.prepend(rail);
    }""")
    links = page.locator('month-rail a')
    links.first.focus()
    page.keyboard.press('ArrowDown')

    expect(links.nth(1)).to_be_focused()
    assert links.evaluate_all('all => all.map(one => one.tabIndex)') == [-1, 0, -1]


def test_keys_act_on_the_tile_with_the_focus(page: Page) -> None:
    page.keyboard.press('ArrowRight')
    with page.expect_response(lambda answer: answer.request.method == 'POST'):
        page.keyboard.press('f')
    expect(tile(page, 0).get_by_role('img', name='Favourite')).to_be_visible()
    page.keyboard.press('f')
    expect(tile(page, 0).get_by_role('img', name='Favourite')).to_be_hidden()
    neighbour = tile(page, 1).get_attribute('id')
    page.keyboard.press('Delete')

    expect(page.locator('.hung:visible')).to_have_count(PICTURES - 1)
    expect(page.locator(f'#{neighbour} .plate')).to_be_focused()
    expect(page.locator('#gallery-count')).to_have_text(f'{PICTURES - 1} pictures')
    page.keyboard.press('Control+z')
    expect(page.locator('.hung:visible')).to_have_count(PICTURES)
    expect(page.locator('#gallery-count')).to_have_text(f'{PICTURES} pictures')


def test_pictures_are_compared_and_downloaded(page: Page) -> None:
    for number in range(2):
        tick(page, number).click()

    with page.expect_download() as coming:
        bar(page).get_by_role('button', name='ZIP').click()
    bar(page).get_by_role('link', name='Compare').click()

    assert coming.value.suggested_filename.endswith('.zip')
    page.wait_for_url('**/compare?image=*&image=*')


def test_pictures_are_added_to_an_album_of_the_menu(page: Page, wall: Easel) -> None:
    with wall.client() as client:
        client.post('/albums', data={'name': 'Boats'})
    tick(page, 1).click()

    bar(page).get_by_role('button', name='Album…').click()
    page.keyboard.press('a')  # no shortcut, while a menu is open
    page.keyboard.press('Tab')
    expect(page.get_by_label('Name of the new album')).to_be_focused()
    page.get_by_role('button', name='Boats').click()

    expect(page.get_by_text('1 picture added to the album')).to_be_visible()
    assert selected(page) == [1]


def test_the_trash_asks_before_it_deletes_for_good(page: Page, wall: Easel) -> None:
    lost = wall.draw(prompt='to be lost', size='90x60', n='2')['images']
    assert isinstance(lost, list)
    with wall.client() as client:
        for image in lost:
            client.post(f'/images/{image["id"]}/deletion')
    page.goto(f'{wall.url}/gallery?deleted=1')

    tile(page, 0).hover()
    tile(page, 0).get_by_role('button', name='Delete for good').click()
    page.get_by_role('button', name='Delete 1 for good').click()
    expect(page.locator('.hung:visible')).to_have_count(1)
    expect(page.get_by_text('1 picture ·')).to_be_visible()
    tile(page, 0).hover()
    tile(page, 0).get_by_role('button', name='Restore').click()

    expect(page.get_by_text('The trash is empty')).to_be_visible()
    page.keyboard.press('Control+z')
    expect(page.locator('.hung:visible')).to_have_count(1)


def test_without_scripts_pictures_are_ticked_and_a_form_acts(browser: Browser, wall: Easel) -> None:
    with window(browser, viewport=DESKTOP, java_script_enabled=False) as page:
        page.goto(f'{wall.url}/gallery')
        before = page.locator('.hung').count()

        for number in range(2):
            tick(page, number).check()
        bar(page).get_by_role('button', name='Delete').click()
        expect(page.locator('.hung')).to_have_count(before - 2)
        page.get_by_role('button', name='Undo').click()

        expect(page.locator('.hung')).to_have_count(before)

"""A picture from near and far, its neighbours, the whole screen: by mouse, touch and keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import PHONE, lent, watching
from tests.support.picture_page import (
    FOX,
    at_picture,
    drag_fingers,
    hang,
    line,
    state,
    still_window,
)
from tests.support.servers import Easel

pytestmark = pytest.mark.browser


@pytest.fixture(scope='module')
def pictures(easel: Easel) -> list[int]:
    return hang(easel)


@pytest.fixture(scope='module')
def desk_window(browser: Browser) -> Iterator[Page]:
    with still_window(browser) as page:
        yield page


@pytest.fixture(scope='module')
def phone_window(browser: Browser) -> Iterator[Page]:
    with still_window(browser, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        yield page


@pytest.fixture
def page(desk_window: Page) -> Iterator[Page]:
    yield from lent(desk_window)


@pytest.fixture
def phone(phone_window: Page) -> Iterator[Page]:
    yield from lent(phone_window)


def middle(thing: Locator) -> tuple[float, float]:
    box = thing.bounding_box()
    assert box
    return box['x'] + box['width'] / 2, box['y'] + box['height'] / 2


def test_keys_and_buttons_look_closer_and_back(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(page, easel, pictures[2])

    page.keyboard.press('+')
    by_key = state(print_)['scale']
    page.get_by_role('button', name='Zoom in').click()
    by_button = state(print_)['scale']
    page.keyboard.press('-')
    smaller = state(print_)['scale']
    page.keyboard.press('0')

    assert 1 < by_key < by_button > smaller > 1
    assert state(print_) == {'scale': 1, 'x': 0, 'y': 0}


def test_a_hundred_percent_is_a_pixel_for_a_pixel(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(page, easel, pictures[2])

    for _ in range(40):
        page.keyboard.press('+')
    most = page.locator('.percent').inner_text()

    shown = print_.evaluate('print => print.getBoundingClientRect().width')
    assert most == f'{round(100 * shown / 1536)} %'


def test_the_wheel_looks_closer_where_it_points(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(page, easel, pictures[2])
    box = print_.bounding_box()
    assert box
    corner = (box['x'] + 200, box['y'] + 200)

    page.mouse.move(*corner)
    page.mouse.wheel(0, -400)
    expect(page.locator('zoom-view[data-closer]')).to_be_visible()
    near = print_.bounding_box()

    assert near
    assert state(print_)['scale'] > 1.2
    scale = near['width'] / box['width']
    assert near['x'] + 200 * scale == pytest.approx(corner[0], abs=2)
    assert near['y'] + 200 * scale == pytest.approx(corner[1], abs=2)


def test_the_wheel_with_ctrl_belongs_to_the_page(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(page, easel, pictures[2])
    page.mouse.move(*middle(print_))

    page.keyboard.down('Control')
    page.mouse.wheel(0, -400)
    page.keyboard.up('Control')
    page.keyboard.press('+')

    assert state(print_)['scale'] == 1.5


def test_a_double_click_looks_closer_and_a_drag_moves(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(page, easel, pictures[2])
    x, y = middle(print_)

    page.mouse.dblclick(x, y)
    near = state(print_)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 30, steps=5)
    page.mouse.up()
    moved = state(print_)
    page.mouse.click(x, y)

    assert near['scale'] > 1
    assert (moved['x'] - near['x'], moved['y'] - near['y']) == pytest.approx((60, 30), abs=1)
    assert moved['scale'] == near['scale']
    assert state(print_)['scale'] == 1


def test_a_picture_is_never_dragged_out_of_sight(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(page, easel, pictures[2])
    page.keyboard.press('+')

    for _ in range(20):
        page.keyboard.press('ArrowLeft')
    view, near = page.locator('zoom-view').bounding_box(), print_.bounding_box()

    assert view
    assert near
    assert near['x'] == pytest.approx(view['x'], abs=1)
    assert f'/images/{pictures[2]}' in page.url


def test_arrows_go_to_the_neighbours_of_the_search(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    at_picture(page, easel, pictures[2], '?q=fox')

    page.keyboard.press('ArrowRight')
    page.wait_for_url(f'**/images/{pictures[0]}?q=fox')
    page.keyboard.press('ArrowLeft')

    page.wait_for_url(f'**/images/{pictures[2]}?q=fox')


def test_a_swipe_goes_to_the_neighbour(phone: Page, easel: Easel, pictures: list[int]) -> None:
    print_ = at_picture(phone, easel, pictures[1])
    x, y = middle(print_)

    drag_fingers(phone, line((x + 70, y), (x - 70, y)))

    phone.wait_for_url(f'**/images/{pictures[0]}')


def test_a_short_swipe_stays(phone: Page, easel: Easel, pictures: list[int]) -> None:
    print_ = at_picture(phone, easel, pictures[1])
    x, y = middle(print_)

    drag_fingers(phone, line((x, y), (x - 30, y)))

    assert phone.locator('zoom-view').evaluate('view => view.style.translate') == ''
    assert phone.url.endswith(f'/images/{pictures[1]}')


def test_two_fingers_pinch_and_one_moves(phone: Page, easel: Easel, pictures: list[int]) -> None:
    print_ = at_picture(phone, easel, pictures[2])
    x, y = middle(print_)

    drag_fingers(phone, line((x - 20, y), (x - 80, y)), line((x + 20, y), (x + 80, y)))
    near = state(print_)
    drag_fingers(phone, line((x, y), (x - 40, y)))

    assert near['scale'] == pytest.approx(4, rel=0.1)
    assert state(print_)['x'] - near['x'] == pytest.approx(-40, abs=8)
    assert phone.evaluate('visualViewport.scale') == 1
    assert phone.url.endswith(f'/images/{pictures[2]}')


def test_two_taps_look_closer(phone: Page, easel: Easel, pictures: list[int]) -> None:
    print_ = at_picture(phone, easel, pictures[2])
    x, y = middle(print_)

    phone.touchscreen.tap(x, y)
    phone.touchscreen.tap(x, y)

    assert state(print_)['scale'] > 1
    expect(phone.get_by_role('button', name='Full screen', pressed=False)).to_be_visible()


def test_one_tap_shows_it_whole_and_the_next_the_page(
    phone: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(phone, easel, pictures[2])

    phone.touchscreen.tap(*middle(print_))
    expect(phone.get_by_role('button', name='Full screen', pressed=True)).to_be_visible()
    scale = state(print_)['scale']
    phone.touchscreen.tap(*middle(print_))

    expect(phone.get_by_role('button', name='Full screen', pressed=False)).to_be_visible()
    assert scale == 1


def test_the_page_itself_can_be_pinched(phone: Page, easel: Easel, pictures: list[int]) -> None:
    at_picture(phone, easel, pictures[2])
    x, y = middle(phone.get_by_role('heading', name=FOX))
    session = phone.context.new_cdp_session(phone)

    session.send('Input.synthesizePinchGesture', {'x': x, 'y': y, 'scaleFactor': 2})

    assert phone.evaluate('visualViewport.scale') > 1.5
    expect(phone.locator('[data-yields] .print')).to_have_css('touch-action', 'auto')
    assert 'user-scalable' not in phone.content()


@pytest.mark.parametrize('key', ['z', 'Enter'])
def test_a_key_gives_the_picture_the_whole_screen(
    key: str, page: Page, easel: Easel, pictures: list[int]
) -> None:
    print_ = at_picture(page, easel, pictures[2])
    before = print_.bounding_box()

    page.keyboard.press(key)
    expect(page.get_by_role('button', name='Full screen', pressed=True)).to_be_visible()
    full = print_.bounding_box()
    page.keyboard.press('Escape')

    assert before
    assert full
    assert full['width'] > before['width']
    expect(page.get_by_role('button', name='Full screen', pressed=False)).to_be_visible()
    expect(page.get_by_role('link', name='More like this')).to_be_visible()


def test_where_no_screen_is_to_be_had_the_picture_takes_the_window(
    browser: Browser, easel: Easel, pictures: list[int]
) -> None:
    with still_window(browser, viewport=PHONE) as page, watching(page) as complaints:
        page.add_init_script('delete Element.prototype.requestFullscreen')
        print_ = at_picture(page, easel, pictures[1])

        page.keyboard.press('z')
        stage = page.locator('.stage').bounding_box()
        behind = page.locator('.placard').evaluate('placard => placard.inert')
        page.keyboard.press('Escape')

        assert stage == {'x': 0, 'y': 0, **PHONE}
        assert behind
        assert page.locator('[data-full]').count() == 0
        expect(print_).to_be_visible()

    assert complaints == []


def test_on_the_whole_screen_the_neighbours_come_and_it_stays_whole(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    at_picture(page, easel, pictures[2], '?q=fox')
    page.keyboard.press('z')

    page.keyboard.press('ArrowRight')
    page.wait_for_url(f'**/images/{pictures[0]}?q=fox')

    expect(page.get_by_role('button', name='Full screen', pressed=True)).to_be_visible()
    expect(page.locator('.print')).to_have_count(1)
    page.keyboard.press('+')
    assert state(page.locator('.print'))['scale'] == 1.5
    page.keyboard.press('Escape')
    expect(page.get_by_role('link', name='Search: fox')).to_be_visible()

"""From the gallery to a picture and back: it grows out of its tile, and shrinks into it again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import DESKTOP, PHONE
from tests.support.servers import Easel

pytestmark = pytest.mark.browser

# Gives the width that the picture has at the end of a turn, or 0 where no picture moves; a page
# that the browser keeps for the way back begins anew when it is left.
TURNS = """let tell;
const renew = () => globalThis.turned = new Promise((resolve) => tell = resolve);
renew();
addEventListener('pagehide', renew);
addEventListener('pagereveal', async ({ viewTransition }) => {
  await viewTransition?.ready;
  const effects = document.getAnimations().map((animation) => animation.effect);
  const group = effects.find((one) => one.pseudoElement === '::view-transition-group(picture)');
  tell(group ? Math.round(parseFloat(group.getKeyframes().at(-1).width)) : 0);
});"""
TRIES = 4  # Chromium leaves a turn out when the next page is not drawn in time
WIDTH = 'one => Math.round(one.getBoundingClientRect().width)'


@pytest.fixture(scope='module')
def wall(easel: Easel) -> Easel:
    """Twelve pictures; the fifth and its neighbours are much smaller than their page shows them."""
    for number in range(3):
        easel.draw(prompt=f'on the wall {number}', size='900x600', n='4')
    return easel


def turning(browser: Browser, motion: str) -> Page:
    context = browser.new_context(viewport=DESKTOP, reduced_motion=motion)  # type: ignore[arg-type]
    page = context.new_page()
    page.add_init_script(TURNS)
    return page


@pytest.mark.parametrize('way', ['link', 'history'])
def test_the_picture_shrinks_into_its_tile_again(way: str, browser: Browser, wall: Easel) -> None:
    page = turning(browser, 'no-preference')

    tries = (there_and_back(page, wall, way) for _ in range(TRIES))
    grown, shrunk, tile = next((widths for widths in tries if all(widths)), (0, 0, 1))

    assert shrunk == tile
    assert grown > 1.5 * tile
    page.context.close()


def there_and_back(page: Page, wall: Easel, way: str) -> tuple[int, int, int]:
    """Open a picture and leave it; gives both widths that it moved to, and its tile's."""
    page.goto(f'{wall.url}/gallery')
    page.locator('#image-5 > a').click()
    page.wait_for_url('**/images/5')
    grown = page.evaluate('globalThis.turned')
    if way == 'link':
        page.locator('.back').click()
    else:
        page.go_back()
    page.wait_for_url('**/gallery*')
    return grown, page.evaluate('globalThis.turned'), page.locator('#image-5 > a').evaluate(WIDTH)


def test_the_tile_is_that_of_the_picture_that_was_looked_at_last(
    browser: Browser, wall: Easel
) -> None:
    page = turning(browser, 'no-preference')
    widths = []
    for _ in range(TRIES):
        page.goto(f'{wall.url}/images/5')
        page.locator('#older').click()
        page.wait_for_url('**/images/4')
        page.locator('.back').click()
        page.wait_for_url('**/gallery#image-4')
        widths.append(page.evaluate('globalThis.turned'))
        if widths[-1]:
            break

    assert widths[-1] > 0
    expect(page.locator('#image-4 > a')).to_have_css('view-transition-name', 'picture')
    expect(page.locator('#image-5 > a')).to_have_css('view-transition-name', 'none')
    page.context.close()


def test_nothing_moves_where_motion_is_not_welcome(browser: Browser, wall: Easel) -> None:
    page = turning(browser, 'reduce')
    page.goto(f'{wall.url}/images/5')

    page.locator('.back').click()
    page.wait_for_url('**/gallery#image-5')

    assert page.evaluate('globalThis.turned') == 0
    page.context.close()


@pytest.mark.parametrize('viewport', [DESKTOP, PHONE], ids=['desktop', 'phone'])
def test_a_picture_has_its_room_before_its_file_comes(
    viewport: dict[str, int], browser: Browser, wall: Easel
) -> None:
    page = browser.new_page(viewport=viewport)  # type: ignore[arg-type]
    held: list[Route] = []
    page.route('**/files/*', lambda route: held.append(route))
    page.goto(f'{wall.url}/images/5', wait_until='domcontentloaded')
    print_ = page.locator('.print')
    before = print_.bounding_box()

    held[0].continue_()
    page.wait_for_function('id => document.getElementById(id).naturalWidth > 0', arg='picture')

    assert before
    assert before['width'] > 300
    assert print_.bounding_box() == before
    page.close()

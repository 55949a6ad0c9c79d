"""The page of one picture, opened in a real browser as a person has it."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.support.browser import DESKTOP, window
from tests.support.servers import Easel

FOX, CAT = 'a fox in the snow', 'a cat'

TRANSFORM = """print => {
  const { scale, translate } = getComputedStyle(print);
  const [near, x, y] = [scale, ...translate.split(' ')].map((part) => parseFloat(part));
  return { scale: near || 1, x: x || 0, y: y || 0 };
}"""


def hang(easel: Easel) -> list[int]:
    """Draw a fox, a cat and a fox, the last much larger than its place; gives their ids."""
    asks = [(FOX, '320x240'), (CAT, '200x300'), (FOX, '1536x1024')]
    return [
        image_of(easel.draw(prompt=prompt, size=size, seed='7', model='flux', quality='hd'))
        for prompt, size in asks
    ]


def image_of(generation: dict[str, object]) -> int:
    images = generation['images']
    assert isinstance(images, list)
    return int(images[0]['id'])


def still_window(browser: Browser, **settings: object) -> AbstractContextManager[Page]:
    """Open a window where nothing moves by itself, on a desktop unless told otherwise."""
    return window(browser, **{'viewport': DESKTOP, 'reduced_motion': 'reduce', **settings})


def at_picture(page: Page, easel: Easel, image_id: int, query: str = '') -> Locator:
    """Open a picture's page and wait until its scripts have taken over."""
    page.goto(f'{easel.url}/images/{image_id}{query}')
    expect(page.get_by_text(re.compile(r'^\d+ %$'))).to_be_visible()
    return page.locator('.print')


def open_more(page: Page) -> None:
    page.get_by_role('button', name='More').click()


def state(print_: Locator) -> dict[str, float]:
    held: dict[str, float] = print_.evaluate(TRANSFORM)
    return held


def _touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    shown = [{'x': x, 'y': y, 'id': number} for number, (x, y) in enumerate(points)]
    session.send('Input.dispatchTouchEvent', {'type': kind, 'touchPoints': shown})


def drag_fingers(page: Page, *paths: list[tuple[float, float]]) -> None:
    session = page.context.new_cdp_session(page)
    for step, points in enumerate(zip(*paths, strict=True)):
        _touch(session, 'touchMove' if step else 'touchStart', *points)
    _touch(session, 'touchEnd')


def line(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    (x, y), (to_x, to_y) = start, end
    return [(x + (to_x - x) * part / 8, y + (to_y - y) * part / 8) for part in range(9)]

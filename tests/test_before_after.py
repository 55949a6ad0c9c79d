"""A picture over what it was made of, and where it changed: in a real browser."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import lent
from tests.support.picture_page import at_picture, image_of, still_window
from tests.support.servers import Easel

pytestmark = pytest.mark.browser

SIZE = (320, 240)
MARKED = """marks => {
  const { width, height } = marks;
  const { data } = marks.getContext('2d').getImageData(0, 0, width, height);
  let [left, right] = [0, 0];
  for (let at = 3; at < data.length; at += 4) {
    if (data[at]) (at / 4) % width < width / 2 ? (left += 1) : (right += 1);
  }
  return [left / (width * height / 2), right / (width * height / 2)];
}"""


@pytest.fixture(scope='module')
def edited(easel: Easel) -> int:
    """A picture whose left half was to be changed alone, and was not."""
    source = image_of(easel.draw(prompt='a fox in the snow', size='320x240', model='flux'))
    mask, file = Image.new('L', SIZE, 0), io.BytesIO()
    mask.paste(255, (0, 0, SIZE[0] // 2, SIZE[1]))
    mask.save(file, 'PNG')
    form = {'prompt': 'red desert', 'source': str(source), 'model': 'ignores-mask'}
    with easel.client() as client:
        answer = client.post('/generations', data=form, files={'mask': file.getvalue()})
    return image_of(easel.wait(int(answer.headers['location'].rpartition('-')[2])))


@pytest.fixture(scope='module')
def desk_window(browser: Browser) -> Iterator[Page]:
    with still_window(browser) as page:
        yield page


@pytest.fixture
def page(desk_window: Page) -> Iterator[Page]:
    yield from lent(desk_window)


def test_a_line_is_moved_over_the_picture_by_keys_and_by_a_press(
    page: Page, easel: Easel, edited: int
) -> None:
    at_picture(page, easel, edited)
    switch, slider = page.get_by_role('button', name='Before and after'), page.get_by_role('slider')
    expect(slider).to_be_hidden()

    switch.click()
    slider.focus()
    page.keyboard.press('ArrowRight')
    page.keyboard.press('Shift+ArrowRight')
    by_keys = slider.input_value()
    box = page.locator('.before-after .print').bounding_box()
    assert box
    page.mouse.click(box['x'] + box['width'] / 4, box['y'] + 20)
    line = page.locator('.before-after .line').bounding_box()
    assert line
    switch.click()

    assert by_keys == '61'
    assert line['x'] + 2 == pytest.approx(box['x'] + box['width'] / 4, abs=4)
    assert page.url.endswith(f'/images/{edited}')
    expect(slider).to_be_hidden()
    expect(page.locator('zoom-view')).to_be_visible()


def test_what_changed_of_what_the_mask_protects_is_hatched(
    page: Page, easel: Easel, edited: int
) -> None:
    at_picture(page, easel, edited)
    expect(page.get_by_text('This server seems to ignore masks.')).to_be_visible()
    switch = page.get_by_role('button', name='Show where')

    switch.evaluate('(button) => [1, 2, 3].forEach(() => button.click())')  # once more is once
    marks = page.locator('canvas.marks')
    expect(marks).to_be_visible()
    left, right = marks.evaluate(MARKED)
    switch.click()

    assert left == 0
    assert right > 0.2
    expect(marks).to_be_hidden()

"""Pictures that come to a form in a browser, and their chips."""

from __future__ import annotations

import base64

from playwright.sync_api import Locator, Page

# Drops a file at a place, or pastes it where none is told.
BRING = """([name, type, content, place]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt());
  transfer.items.add(new File([bytes], name, { type }));
  const all = { bubbles: true, cancelable: true };
  const [clientX, clientY] = place ?? [];
  document.querySelector('main').dispatchEvent(place
    ? new DragEvent('drop', { dataTransfer: transfer, clientX, clientY, ...all })
    : new ClipboardEvent('paste', { clipboardData: transfer, ...all }));
}"""
CHOOSE_A_LARGE_ONE = """input => {
  const files = new DataTransfer();
  const content = new ArrayBuffer(50 * 1024 ** 2 + 1);
  files.items.add(new File([content], 'huge.png', { type: 'image/png' }));
  input.files = files.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}"""
# Presses a chip and lets it go outside the window, then comes back over the last one.
LET_GO_ELSEWHERE = """chip => {
  const mouse = { bubbles: true, pointerId: 1, pointerType: 'mouse' };
  const over = [...document.querySelectorAll('.source[data-id]')].at(-1).getBoundingClientRect();
  chip.dispatchEvent(new PointerEvent('pointerdown', { ...mouse, buttons: 1 }));
  const place = { clientX: over.right - 1, clientY: over.y + 9 };
  chip.dispatchEvent(new PointerEvent('pointermove', { ...mouse, ...place }));
}"""


def bring(page: Page, content: bytes, name: str, place: tuple[int, int] | None = None) -> None:
    kind = f'image/{name.rpartition(".")[2]}'
    page.evaluate(BRING, [name, kind, base64.b64encode(content).decode(), place])


def chips(page: Page) -> Locator:
    return page.locator('.source[data-id]')


def ids(page: Page) -> list[str | None]:
    return [one.get_attribute('data-id') for one in chips(page).all()]


def drag(page: Page, start: int, end: int) -> None:
    """Drag a chip to the left half of another."""
    box, other = (chips(page).nth(place).bounding_box() for place in (start, end))
    assert box
    assert other
    page.mouse.move(box['x'] + 20, box['y'] + 20)
    page.mouse.down()
    page.mouse.move(other['x'] + 5, other['y'] + 20, steps=4)
    page.mouse.up()

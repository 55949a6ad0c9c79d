"""What a form starts from, as a person in a browser meets it: files that are brought, their chips."""

from __future__ import annotations

import base64

from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.support.servers import Easel

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


def bring(page: Page, content: bytes, name: str, place: tuple[int, int] | None = None) -> None:
    kind = f'image/{name.rpartition(".")[2]}'
    page.evaluate(BRING, [name, kind, base64.b64encode(content).decode(), place])


def chosen(content: bytes, name: str) -> FilePayload:
    return {'name': name, 'mimeType': 'image/png', 'buffer': content}


def choose_held(page: Page, file: FilePayload) -> None:
    """Choose a file, and look at its chip before any of it is sent."""
    sent: list[Route] = []
    page.route('**/sources', lambda route: sent.append(route), times=1)
    page.locator('[data-sources]').set_input_files([file])
    expect(page.locator('.coming')).to_contain_text('Uploading…')
    expect(page.locator('.coming [data-again]')).to_be_hidden()
    for one in sent:
        one.continue_()


def chips(page: Page) -> Locator:
    return page.locator('.source[data-id]')


def ids(page: Page) -> list[str | None]:
    return [one.get_attribute('data-id') for one in chips(page).all()]


def in_trash(easel: Easel) -> list[int]:
    with easel.client() as client:
        images = client.get('/gallery.json?deleted=1').json()['images']
    return [image['id'] for image in images]

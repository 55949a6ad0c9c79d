"""Beside a picture: copies, what it brings back, the way to its search."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Playwright, expect

from tests.support.browser import PHONE, launched, lent, window
from tests.support.picture_page import FOX, at_picture, hang, open_more, still_window
from tests.support.servers import Easel

pytestmark = pytest.mark.browser
# Drags something over the header and drops it there; tells whether each was caught, and shown.
DRAG = """([name, type, text]) => {
  const dataTransfer = new DataTransfer();
  if (name) dataTransfer.items.add(new File([text], name, { type }));
  else dataTransfer.setData('text/plain', text);
  const caught = (what) => !document.querySelector('.bar').dispatchEvent(
    new DragEvent(what, { dataTransfer, bubbles: true, cancelable: true }));
  const over = caught('dragover');
  const shown = document.querySelector('.landing').checkVisibility();
  return [over, shown, caught('drop'), document.querySelector('.landing').checkVisibility()];
}"""

CLIPBOARD_KIND = """async () => {
  const [item] = await navigator.clipboard.read();
  const blob = await item.getType('image/png');
  const picture = await createImageBitmap(blob);
  return [blob.type, picture.width, picture.height];
}"""
GRANTED = ['clipboard-read', 'clipboard-write']


@pytest.fixture(scope='module')
def pictures(easel: Easel) -> list[int]:
    return hang(easel)


@pytest.fixture(scope='module')
def granted(playwright: Playwright) -> Iterator[Page]:
    with (
        launched(playwright, whole=True) as browser,
        still_window(browser, permissions=GRANTED) as page,
    ):
        yield page


@pytest.fixture
def copying(granted: Page) -> Iterator[Page]:
    yield from lent(granted)


@pytest.fixture(scope='module')
def desk_window(browser: Browser) -> Iterator[Page]:
    with still_window(browser) as page:
        yield page


@pytest.fixture
def page(desk_window: Page) -> Iterator[Page]:
    yield from lent(desk_window)


def test_a_picture_is_copied_as_png(copying: Page, easel: Easel, pictures: list[int]) -> None:
    page = copying
    at_picture(page, easel, pictures[0])

    open_more(page)
    page.get_by_role('button', name='Copy picture').click()
    expect(page.get_by_role('button', name='Copied')).to_be_visible()

    assert page.evaluate(CLIPBOARD_KIND) == ['image/png', 320, 240]
    expect(page.locator('#copied')).to_have_text('Copied')
    expect(page.get_by_role('button', name='Copy picture')).to_be_visible()


@pytest.mark.parametrize(
    ('button', 'start', 'end'),
    [
        ('Copy prompt', FOX, FOX),
        ('Copy settings', f'{FOX}\nSeed: 7, Size: 320x240, Model: flux', ''),
    ],
)
def test_words_are_copied(
    button: str, start: str, end: str, copying: Page, easel: Easel, pictures: list[int]
) -> None:
    page = copying
    at_picture(page, easel, pictures[0])

    open_more(page)
    page.get_by_role('button', name=button).click()
    expect(page.locator('#copied')).to_have_text('Copied')

    copied = page.evaluate('navigator.clipboard.readText()')
    assert copied.startswith(start)
    assert copied.endswith(end)


@pytest.mark.parametrize(
    ('button', 'start'), [('Copy prompt', FOX), ('Copy settings', f'{FOX}\nSeed: 7')]
)
def test_plain_http_selects_what_it_can_not_copy(
    button: str, start: str, browser: Browser, easel: Easel, pictures: list[int]
) -> None:
    with window(browser) as page:
        page.goto(f'{easel.url.replace("localhost", "0.0.0.0")}/images/{pictures[0]}')
        assert not page.evaluate('isSecureContext')

        open_more(page)
        page.get_by_role('button', name=button).click()
        expect(page.locator('#copied')).to_have_text('Selected: press Ctrl+C')

        assert page.evaluate('String(getSelection())').startswith(start)
        expect(page.get_by_role('button', name='Copy picture')).to_be_hidden()


@pytest.mark.parametrize(
    ('bring', 'prompt', 'seed'),
    [
        ('', FOX, ''),
        ('&seed=7', FOX, '7'),
        ('&bring=all', FOX, '7'),
        ('&bring=prompt', FOX, '8'),
        ('&bring=settings', '', '7'),
    ],
)
def test_a_picture_brings_back_what_was_asked_for(
    bring: str, prompt: str, seed: str, page: Page, easel: Easel, pictures: list[int]
) -> None:
    easel.draw(prompt='the last one asked for', seed='8', size='64x64')
    with easel.client() as client:
        source = client.get(f'/images/{pictures[0]}.json').json()['generation_id']

    page.goto(f'{easel.url}/?from={source}{bring}')

    assert page.get_by_role('textbox', name='Prompt', exact=True).input_value() == prompt
    assert page.get_by_label('Seed').input_value() == seed


def test_an_unknown_wish_is_told(easel: Easel, pictures: list[int]) -> None:
    with easel.client() as client:
        answer = client.get('/?from=1&bring=luck', headers={'Accept': 'application/json'})

    assert answer.status_code == 422
    assert '“luck”' in answer.json()['error']['message']


def test_the_links_below_more_like_this_bring_parts(
    page: Page, easel: Easel, pictures: list[int]
) -> None:
    at_picture(page, easel, pictures[0])

    open_more(page)
    page.get_by_role('link', name='Settings only').click()

    expect(page.get_by_role('textbox', name='Prompt', exact=True)).to_have_value('')
    assert page.get_by_label('Seed').input_value() == '7'


@pytest.mark.parametrize(
    ('query', 'name'),
    [
        ('', 'Gallery'),
        ('?q=fox', 'Search: fox'),
        ('?model=flux', 'Search: flux'),
        ('?favourite=1', 'Favourites'),
        ('?deleted=1', 'Trash'),
    ],
)
def test_the_way_back_is_to_the_search_it_came_from(
    query: str, name: str, page: Page, easel: Easel, pictures: list[int]
) -> None:
    at_picture(page, easel, pictures[0], query)

    back = page.locator('.placard').get_by_role('link', name=name)

    assert back.get_attribute('href') == f'/gallery{query}#image-{pictures[0]}'
    here = page.get_by_role('navigation', name='Main').locator('[aria-current]')
    assert here.inner_text() == 'Gallery'


def test_an_act_keeps_the_search(page: Page, easel: Easel, pictures: list[int]) -> None:
    at_picture(page, easel, pictures[0], '?q=fox')

    page.keyboard.press('f')
    expect(page.get_by_role('button', name='Favourite', pressed=True)).to_be_visible()

    assert page.url.endswith(f'/images/{pictures[0]}?q=fox')


def test_without_scripts_the_picture_is_a_link_to_its_file(
    browser: Browser, easel: Easel, pictures: list[int]
) -> None:
    with window(browser, java_script_enabled=False) as page:
        page.goto(f'{easel.url}/images/{pictures[0]}')

        tools = page.locator('zoom-tools').is_visible()
        page.locator('.print').click()

        page.wait_for_url('**/files/*.png')
        assert not tools


@pytest.mark.parametrize(
    ('dropped', 'told', 'prompt'),
    [
        (['', '', 'a fox'], None, 'A boat\na fox'),
        (['notes.pdf', 'application/pdf', '%PDF'], "notes.pdf isn't a PNG, JPEG, WebP", 'A boat'),
    ],
    ids=['text', 'no picture'],
)
def test_what_is_dropped_anywhere_is_caught(
    dropped: list[str], told: str | None, prompt: str, page: Page, easel: Easel
) -> None:
    page.goto(f'{easel.url}/?prompt=A+boat')

    caught = page.evaluate(DRAG, dropped)

    assert caught == [True, True, True, False]
    if told:
        expect(page.locator('#wrong-source')).to_contain_text(told)
    expect(page.get_by_role('textbox', name='Prompt', exact=True)).to_have_value(prompt)


def test_a_file_leads_no_other_page_away(page: Page, easel: Easel) -> None:
    page.goto(f'{easel.url}/settings')

    refused = page.evaluate("""() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'x.png', { type: 'image/png' }));
      const over = new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true });
      document.body.dispatchEvent(over);
      return over.defaultPrevented;
    }""")

    assert refused


def test_what_is_dropped_on_the_gallery_is_sent_and_a_refusal_told(
    page: Page, easel: Easel
) -> None:
    page.goto(f'{easel.url}/gallery')
    adding = page.locator('add-pictures')

    caught = page.evaluate(DRAG, ['letter.png', 'image/png', 'dear reader'])
    expect(adding.get_by_role('status')).to_have_text('Added: 0 · Not added: 1')
    dropped = adding.locator('.refused li').all_inner_texts()
    adding.get_by_text('Add pictures…').press('Enter')
    chosen = FilePayload(name='notes.txt', mimeType='text/plain', buffer=b'dear reader')
    adding.locator('[name=picture]').set_input_files(chosen)

    assert caught == [True, True, True, False]
    assert dropped == ["letter.png: isn't a PNG, JPEG, WebP, GIF or AVIF (unknown)"]
    expect(adding.get_by_role('status')).to_have_text('No pictures among these files.')


def test_where_the_system_shares_files_a_button_does(
    browser: Browser, easel: Easel, pictures: list[int]
) -> None:
    with still_window(browser, viewport=PHONE) as page:
        page.add_init_script(
            'navigator.canShare = () => true;'
            'navigator.share = async ({ files }) => { globalThis.shared = files[0]; };'
        )
        at_picture(page, easel, pictures[0])

        page.get_by_role('button', name='Share').click()
        page.wait_for_function('globalThis.shared')

        assert page.evaluate('[shared.type, shared.size > 0]') == ['image/png', True]
        expect(page.locator('.acts > a', has_text='Download')).to_be_hidden()

"""What a form starts from, in a browser: how pictures come, their order, a mask, what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Request, Route, expect

from tests.support.browser import DESKTOP, lent
from tests.support.fakes import picture
from tests.support.labelled_pictures import saved
from tests.support.picture_page import image_of, still_window
from tests.support.servers import Easel
from tests.support.source_list import CHOOSE_A_LARGE_ONE, LET_GO_ELSEWHERE, bring, chips, drag, ids

pytestmark = pytest.mark.browser

PLACE = (1300, 200)


@pytest.fixture(scope='module')
def desk(browser: Browser) -> Iterator[Page]:
    with still_window(browser) as page:
        yield page


@pytest.fixture
def page(desk: Page) -> Iterator[Page]:
    yield from lent(desk)


@pytest.fixture(scope='module')
def fox(easel: Easel) -> int:
    return image_of(easel.draw(prompt='a fox to edit', size='64x48'))


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


def in_trash(easel: Easel) -> list[int]:
    with easel.client() as client:
        images = client.get('/gallery.json?deleted=1').json()['images']
    return [image['id'] for image in images]


def test_pictures_come_by_paste_file_and_from_the_wall_and_are_sent_in_their_order(
    page: Page, easel: Easel, fox: int
) -> None:
    page.goto(easel.url)
    bring(page, saved('PNG', comment=b'pasted'), 'pasted.png')
    expect(chips(page)).to_have_count(1)
    choose_held(page, chosen(saved('PNG', 'L'), 'grey.png'))
    expect(chips(page)).to_have_count(2)
    page.locator(f'.again [data-source="{fox}"]').dblclick()
    expect(page.locator('[data-news]')).to_have_text('Picture 3 added')
    expect(chips(page)).to_have_count(3)
    pasted, grey, wall = ids(page)

    page.locator('.source .thumb').nth(2).press('Shift+ArrowLeft')
    expect(page.locator('[data-news]')).to_have_text('Moved to place 2 of 3')
    drag(page, 2, 0)
    chips(page).first.evaluate(LET_GO_ELSEWHERE)
    moved = ids(page)
    page.reload()
    expect(chips(page)).to_have_count(3)
    reloaded = ids(page)
    page.get_by_role('button', name='Remove picture 1').click()
    expect(page.get_by_role('button', name='Remove picture 1')).to_be_focused()
    page.get_by_role('textbox', name='Prompt', exact=True).fill('both')
    with page.expect_request('**/generations') as sending:
        page.get_by_role('button', name='Generate').click()

    assert moved == reloaded == [grey, pasted, str(wall)]
    expect(page.get_by_role('button', name='Edit the result')).to_be_visible(timeout=15_000)
    body = sending.value.post_data_buffer or b''
    assert [body.index(f'\r\n\r\n{one}\r\n'.encode()) for one in (pasted, wall)]
    assert in_trash(easel)[0] == int(grey or 0)
    page.get_by_role('button', name='Edit the result').click()
    expect(chips(page)).to_have_count(1)
    assert ids(page) not in ([pasted], [wall])


@pytest.mark.usefixtures('fox')
def test_what_a_form_was_sent_with_is_not_thrown_away(page: Page, easel: Easel) -> None:
    page.goto(easel.url)
    page.evaluate("() => document.querySelector('live-wall').remove()")  # as where none is yet
    content = saved('PNG', comment=b'the first of all')
    page.locator('[data-sources]').set_input_files([chosen(content, 'first.png')])
    expect(chips(page)).to_have_count(1)
    page.get_by_role('textbox', name='Prompt', exact=True).fill('the first of all')
    page.get_by_role('button', name='Generate').click()
    expect(page).to_have_url(re.compile('#generation-'))
    expect(chips(page)).to_have_count(1)
    asked: list[str] = []

    def heard(request: Request) -> None:
        asked.append(f'{request.method} {request.url}')

    page.on('request', heard)

    page.get_by_role('button', name='Remove picture 1').click()

    expect(chips(page)).to_have_count(0)
    page.remove_listener('request', heard)
    assert [one for one in asked if one.endswith('/deletion')] == []


def test_a_dropped_picture_that_has_settings_asks_and_one_without_is_taken(
    page: Page, easel: Easel, fox: int
) -> None:
    with easel.client() as client:
        whole = client.get(client.get(f'/images/{fox}.json').json()['url']).content
    page.goto(f'{easel.url}/?bring=prompt&prompt=x')
    bring(page, saved('JPEG'), 'plain.jpeg', PLACE)
    expect(chips(page)).to_have_count(1)

    bring(page, whole, 'fox.png', PLACE)
    asked = page.get_by_role('group', name='This picture')
    expect(asked.get_by_role('button', name='Use its settings')).to_be_focused()
    box = asked.bounding_box()
    page.keyboard.press('Enter')
    prompt = page.get_by_role('textbox', name='Prompt', exact=True)
    expect(prompt).to_have_value('a fox to edit')
    bring(page, whole, 'fox.png', PLACE)
    page.get_by_role('button', name='Start from it').press('Enter')
    expect(chips(page)).to_have_count(2)

    assert box
    assert box['x'] + box['width'] <= DESKTOP['width']
    assert ids(page)[1] == str(fox)


def test_three_are_taken_out_at_once(page: Page, easel: Easel, fox: int) -> None:
    other = image_of(easel.draw(prompt='another', size='64x48'))
    page.goto(f'{easel.url}/?bring=prompt&prompt=x&source={fox}&source={other}')
    every = page.get_by_role('button', name='Remove all')
    expect(chips(page)).to_have_count(2)
    expect(every).to_be_hidden()
    bring(page, saved('JPEG', comment=b'taken out again'), 'third.jpeg')
    expect(chips(page)).to_have_count(3)
    third = int(ids(page)[2] or 0)

    with page.expect_response(f'**/images/{third}/deletion'):
        every.click()

    expect(page.locator('.sources')).to_be_hidden()
    expect(page.locator('[data-sources]')).to_be_focused()
    expect(page.locator('[data-news]')).to_have_text('Pictures removed')
    assert in_trash(easel)[0] == third


def test_what_cannot_be_taken_is_told_before_or_after_it_is_sent(page: Page, easel: Easel) -> None:
    page.goto(f'{easel.url}/?bring=prompt&prompt=x')
    word = page.locator('#wrong-source')
    bring(page, b'no picture', 'photo.heic', PLACE)
    expect(word).to_contain_text('photo.heic isn')
    page.locator('[data-sources]').evaluate(CHOOSE_A_LARGE_ONE)
    expect(word).to_have_text('huge.png is over 50 MB.')

    page.locator('[data-sources]').set_input_files([chosen(b'no picture', 'broken.png')])
    expect(page.locator('.coming .wrong')).to_contain_text('broken.png isn')
    page.get_by_role('button', name='Generate').click()
    expect(word).to_contain_text('Retry or remove it')
    page.get_by_role('button', name='Retry').click()
    expect(page.locator('.coming .wrong')).to_contain_text('broken.png isn')
    page.locator('.coming [data-remove]').click()

    expect(page.locator('.sources')).to_be_hidden()
    expect(page.locator('[data-sources]')).to_be_focused()


def enlarge(page: Page) -> int:
    """Give the first picture a border; return the id of the larger one, which has its place."""
    [before] = ids(page)
    page.locator('.paint [data-mask], .mask [data-mask]').locator('visible=true').click()
    editor = page.locator('.mask-editor:not([aria-busy])')
    editor.get_by_role('button', name='Enlarge').click()
    asked = page.get_by_role('dialog', name='Enlarge the canvas')
    asked.get_by_role('spinbutton', name='Left').fill('10')
    asked.get_by_role('button', name='Add the border').click()
    editor.locator('button[value=use]').click()
    expect(page.locator(f'.source[data-id="{before}"], .coming')).to_have_count(0)
    [after] = ids(page)
    return int(after or 0)


def test_an_enlarged_picture_leads_to_the_first_that_was_not(page: Page, easel: Easel) -> None:
    page.goto(f'{easel.url}/?bring=prompt&prompt=x')
    content = picture(64, 48, (9, 8, 7))
    page.locator('[data-sources]').set_input_files([chosen(content, 'small.png')])
    expect(chips(page)).to_have_count(1)
    first = int(ids(page)[0] or 0)

    larger = enlarge(page)
    with page.expect_response('**/deletion'):
        largest = enlarge(page)

    with easel.client() as client:
        told = client.get(f'/images/{largest}.json').json()
    assert (told['parent_id'], told['versions']) == (first, [first, largest])
    assert in_trash(easel)[0] == larger
    assert first not in in_trash(easel)


def test_a_painted_mask_is_kept_and_sent_once_it_is_back(
    page: Page, easel: Easel, fox: int
) -> None:
    page.goto(f'{easel.url}/?source={fox}')
    protects = page.locator('.of-sources .tick')
    expect(protects).to_have_css('display', 'none')
    page.get_by_role('button', name='Paint a mask').click()
    editor = page.get_by_role('dialog')
    editor.get_by_role('button', name='Invert').click()
    editor.locator('button[value=use]').click()
    expect(page.get_by_text('100 % will change')).to_be_visible()
    held: list[Route] = []
    page.route('**/sources?*', lambda route: held.append(route), times=1)
    with page.expect_request('**/sources?*'):
        page.reload()
    page.get_by_role('textbox', name='Prompt', exact=True).fill('masked')
    page.get_by_role('button', name='Generate').click()
    held[0].continue_()
    expect(page.get_by_text('100 % will change')).to_be_visible()
    expect(page.locator('[name=size]')).to_have_value('')
    expect(protects).to_have_css('display', 'flex')
    expect(page.locator('img[alt="masked"]').first).to_be_visible(timeout=15_000)

    page.locator('live-generation').first.get_by_role('link', name='More like this').first.click()

    mask = page.locator('[name=mask][type=checkbox]')
    expect(mask).to_be_checked()
    assert len(mask.input_value()) == 64
    expect(page.locator('[name=paste_back]')).to_be_checked()
    page.get_by_role('button', name='Remove the mask').click()
    expect(page.get_by_role('button', name='Paint a mask')).to_be_focused()


def test_generate_waits_for_what_is_on_its_way_and_sends_it(
    page: Page, easel: Easel, fox: int
) -> None:
    held: list[Route] = []
    page.goto(f'{easel.url}/?source={fox}')
    page.get_by_role('button', name='Paint a mask').dblclick()
    editor = page.locator('.mask-editor')
    editor.get_by_role('button', name='Enlarge').click()
    editor.get_by_role('spinbutton', name='Left').fill('8')
    editor.get_by_role('button', name='Add the border').click()
    expect(editor.get_by_role('status').first).to_have_text('11 % will change')
    page.route('**/sources', lambda route: held.append(route), times=1)
    with page.expect_request('**/sources'):
        editor.get_by_role('button', name='Use mask').click()
    page.get_by_role('textbox', name='Prompt', exact=True).fill('a wider fox')

    page.get_by_role('button', name='Generate').click()
    held[0].continue_()
    expect(page.get_by_role('button', name='Edit the result')).to_be_visible(timeout=15_000)

    with easel.client() as client:
        made = client.get('/generations.json').json()['generations'][0]['images'][0]
    [larger] = ids(page)
    assert larger != str(fox)
    assert made['sources'] == [int(larger or 0)]
    assert made['changed_outside_mask'] is not None

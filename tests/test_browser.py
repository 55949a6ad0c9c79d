"""What a person does, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from app.database.providers import AT_ONCE
from tests.support.browser import DESKTOP, PHONE, lent, window
from tests.support.servers import CLOSED_PORT_URL, Easel, running_easel, start_easel

pytestmark = pytest.mark.browser

SHIFT = """() => new Promise((done) => {
  let total = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) total += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(total), 600);
})"""
ALL_ARE_SHOWN = """() => [...document.querySelectorAll('.hung img')]
    .filter((image) => image.getBoundingClientRect().top < innerHeight)
    .every((image) => image.complete && image.naturalWidth)"""
ADD_A_FIELD = """form => form.append(
    Object.assign(document.createElement('input'), { name: 'field', value: 'text' })
)"""


@pytest.fixture(scope='module')
def desk_window(browser: Browser) -> Iterator[Page]:
    with window(browser, viewport=DESKTOP) as page:
        yield page


@pytest.fixture(scope='module')
def phone(browser: Browser) -> Iterator[Page]:
    with window(browser, viewport=PHONE, has_touch=True) as page:
        yield page


@pytest.fixture
def page(desk_window: Page) -> Iterator[Page]:
    yield from lent(desk_window)


def generate(page: Page, prompt: str) -> None:
    page.get_by_role('textbox', name='Prompt', exact=True).fill(prompt)
    page.get_by_role('button', name='Generate').click()


def test_from_the_form_to_the_picture_and_its_page(page: Page, easel: Easel) -> None:
    page.goto(easel.url)

    generate(page, 'a paper boat')
    picture = page.locator('.generation .hung img[alt="a paper boat"]').first
    expect(picture).to_be_visible(timeout=15_000)
    page.wait_for_function(
        'img => img.complete && img.naturalWidth > 0', arg=picture.element_handle()
    )
    picture.click()

    expect(page.get_by_role('heading', name='a paper boat')).to_be_visible()
    assert '/images/' in page.url


def test_ctrl_enter_sends(page: Page, easel: Easel) -> None:
    page.goto(easel.url)
    page.get_by_role('textbox', name='Prompt', exact=True).fill('by keyboard')

    page.keyboard.press('Control+Enter')

    expect(page.locator('.generation', has_text='by keyboard').first).to_be_visible()


def test_the_queue_is_paused_and_ended_in_place(page: Page, easel: Easel) -> None:
    for number in range(AT_ONCE + 3):
        easel.submit(prompt=f'queued {number}', model='slow-90', size='32x32')
    page.goto(easel.url)
    last = page.locator('.generation', has_text=f'queued {AT_ONCE + 2}').first

    page.get_by_role('button', name='Pause').click()
    expect(last.get_by_text('Paused')).to_be_visible()
    expect(page.get_by_role('button', name='Resume')).to_be_focused()
    page.get_by_role('button', name='Cancel waiting').click()
    expect(last.get_by_text('Cancelled')).to_be_visible()
    page.get_by_role('button', name='Resume').click()
    expect(page.get_by_text('The queue is paused.')).to_be_hidden()
    last.locator('.dismissal').evaluate(ADD_A_FIELD)
    with page.expect_request('**/dismissal') as sent:
        last.get_by_role('button', name='Dismiss').click()
    assert sent.value.post_data == 'field=text'
    expect(page.get_by_text(f'queued {AT_ONCE + 2}')).to_be_hidden()
    with easel.client() as client:
        for one in client.get('/generations.json').json()['generations']:
            client.post(f'/generations/{one["id"]}/cancellation')


def test_a_double_click_is_drawn_once(page: Page, easel: Easel) -> None:
    easel.draw(prompt='so that there is a wall', size='32x32')
    page.goto(easel.url)
    page.get_by_role('textbox', name='Prompt', exact=True).fill('pressed twice')

    page.get_by_role('button', name='Generate').dblclick(delay=60)
    expect(page.locator('.hung img[alt="pressed twice"]').first).to_be_visible(timeout=15_000)

    assert page.locator('.generation', has_text='pressed twice').count() == 1


def test_what_was_typed_survives_a_reload_and_an_error(page: Page, easel: Easel) -> None:
    page.goto(easel.url)
    page.get_by_role('textbox', name='Prompt', exact=True).fill('half a thou')
    page.get_by_label('Seed').fill('123')

    page.reload()
    kept = page.get_by_role('textbox', name='Prompt', exact=True).input_value()
    page.get_by_label('Model').fill('fail-500')
    generate(page, 'half a thought')
    expect(page.locator('.stopped').first).to_be_visible(timeout=15_000)

    assert kept == 'half a thou'
    assert page.get_by_role('textbox', name='Prompt', exact=True).input_value() == 'half a thought'
    assert page.get_by_label('Seed').input_value() == '123'


def test_what_is_refused_says_why_on_a_page_with_a_wall(browser: Browser, easel: Easel) -> None:
    easel.draw(prompt='so that there is a wall', size='32x32')
    page = browser.new_page()
    page.goto(easel.url)

    generate(page, 'a cat <sd_cpp_extra_args>{}</sd_cpp_extra_args>')

    expect(page.get_by_text('sd-server would read')).to_be_visible()
    page.close()


def test_typing_goes_on_while_pictures_come(page: Page, easel: Easel) -> None:
    page.goto(easel.url)
    page.get_by_label('Model').fill('slow-2')
    generate(page, 'slowly')
    expect(page.get_by_text('Generating…')).to_be_visible()

    page.get_by_role('textbox', name='Prompt', exact=True).press('End')
    page.keyboard.type(' next', delay=150)
    expect(page.locator('.hung img[alt="slowly"]').first).to_be_visible(timeout=15_000)

    assert page.get_by_role('textbox', name='Prompt', exact=True).input_value() == 'slowly next'


def test_cancel_and_try_again_on_the_tile(page: Page, easel: Easel) -> None:
    page.goto(easel.url)
    page.get_by_label('Model').fill('slow-60')
    generate(page, 'to be cancelled')
    tile = page.locator('.generation', has_text='to be cancelled').first

    tile.get_by_role('button', name='Cancel').click()
    expect(tile.get_by_text('Cancelled', exact=True)).to_be_visible()
    tile.get_by_role('button', name='Retry').click()

    expect(tile.get_by_text('Generating…')).to_be_visible()
    tile.get_by_role('button', name='Cancel').click()


def test_delete_and_undo(page: Page, easel: Easel) -> None:
    generation = easel.draw(prompt='deleted and back', size='64x64')
    page.goto(f'{easel.url}/images/{_first_image(generation)}')

    page.get_by_role('button', name='Delete').click()
    expect(page.get_by_text('Moved to the trash: deleted and back', exact=True)).to_be_visible()
    elsewhere = page.get_by_role('heading', name='deleted and back').count()
    page.get_by_role('button', name='Undo').click()

    expect(page.get_by_role('heading', name='deleted and back')).to_be_visible()
    assert elsewhere == 0


def test_every_act_works_without_scripts(browser: Browser, easel: Easel) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(easel.url)

    page.locator('input[name=model]').fill('slow-1')
    generate(page, 'without scripts')
    tile = page.locator('.generation', has_text='without scripts').first
    expect(tile.locator('.working')).to_be_visible()
    expect(tile.locator('img')).to_be_visible(timeout=20_000)
    tile.locator('img').click()
    page.get_by_role('button', name='Favourite').click()
    page.get_by_role('button', name='Delete').click()
    page.get_by_role('button', name='Undo').click()

    expect(page.get_by_role('heading', name='without scripts')).to_be_visible()
    context.close()


@pytest.mark.parametrize('address', ['/', '/gallery', '/images/1', '/settings'])
def test_a_phone_needs_no_sideways_scrolling(phone: Page, easel: Easel, address: str) -> None:
    easel.draw(prompt='wide ' * 30, size='160x40')

    phone.goto(easel.url + address)

    assert phone.evaluate('document.documentElement.scrollWidth') <= PHONE['width']


@pytest.mark.parametrize('viewport', [DESKTOP, PHONE])
def test_nothing_jumps_while_pictures_load(
    browser: Browser, easel: Easel, viewport: dict[str, int]
) -> None:
    easel.draw(prompt='steady', size='300x200', n='4')
    context = browser.new_context(viewport=viewport)  # type: ignore[arg-type]
    page = context.new_page()

    page.goto(f'{easel.url}/gallery')
    page.wait_for_function(ALL_ARE_SHOWN)

    assert page.evaluate(SHIFT) == 0
    context.close()


def test_the_empty_create_page_is_light_and_stays_on_its_origin(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp('light') / 'data'
    with running_easel(data, {'EASEL_API_URL': CLOSED_PORT_URL}) as easel:
        page = browser.new_page(locale='ru')  # the longer words
        requests: list[Request] = []
        page.on('requestfinished', lambda request: requests.append(request))

        page.goto(easel.url, wait_until='networkidle')

        sizes = [request.sizes() for request in requests]
        wire = sum(one['responseBodySize'] + one['responseHeadersSize'] for one in sizes)
        assert wire <= 40_000
        assert len(requests) <= 12
        assert all(request.url.startswith(easel.url) for request in requests)
        page.close()


def test_hostile_text_is_only_text(page: Page, easel: Easel) -> None:
    payload = '<img src=x onerror=alert(1)>"\'><script>alert(2)</script>{{7*7}}'
    page.on('dialog', lambda dialog: pytest.fail(dialog.message))
    generation = easel.draw(prompt=payload, size='64x64')

    page.goto(f'{easel.url}/images/{_first_image(generation)}')
    heading = page.locator('h1').inner_text()
    page.goto(easel.url)

    assert heading == payload
    expect(
        page.locator('.title', has_text=re.escape('{{7*7}}').replace('\\', '')).first
    ).to_be_visible()


def _first_image(generation: dict[str, object]) -> int:
    images = generation['images']
    assert isinstance(images, list)
    return int(images[0]['id'])


def test_a_second_tab_shows_what_the_first_one_asked_for(browser: Browser, easel: Easel) -> None:
    easel.draw(prompt='so that there is a wall', size='32x32')
    context = browser.new_context(viewport=DESKTOP)
    first, second = context.new_page(), context.new_page()
    first.goto(easel.url)
    second.goto(easel.url)

    second.bring_to_front()
    first.get_by_role('textbox', name='Prompt', exact=True).fill('seen in both')
    first.get_by_role('button', name='Generate').click()

    expect(second.locator('.hung img[alt="seen in both"]').first).to_be_visible(timeout=15_000)
    expect(first.locator('#news')).to_have_text('Picture ready: seen in both', timeout=15_000)
    context.close()


def test_tiles_catch_up_after_the_server_was_away(
    browser: Browser, upstream: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp('away') / 'data'
    easel = start_easel(data, {'EASEL_API_URL': upstream})
    port = int(easel.url.rpartition(':')[2])
    running = easel.submit(prompt='interrupted', model='slow-60')
    easel.wait(running, 'running')
    page = browser.new_page()
    page.goto(easel.url)
    expect(page.get_by_text('Generating…')).to_be_visible()

    easel.stop()
    expect(page.locator('#connection').get_by_text('No connection')).to_be_visible(timeout=20_000)
    again = start_easel(data, {'EASEL_API_URL': upstream}, port=port)

    expect(page.get_by_text('Easel stopped while generating this')).to_be_visible(timeout=20_000)
    expect(page.locator('#connection').get_by_text('No connection')).to_be_hidden()
    page.close()
    again.stop()

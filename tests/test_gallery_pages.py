"""From page to page of a long gallery, and from a picture back to its own."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from playwright.sync_api import Browser, expect

from app.web.pages.gallery.query import PAGE
from tests.support.fakes import picture
from tests.support.picture_page import still_window
from tests.support.servers import Easel, running_easel
from tests.support.static_server import Quiet, serving

ROUNDS = 7
PICTURE = base64.b64encode(picture(16, 16)).decode()
TO_END = 'scrollTo(0, document.documentElement.scrollHeight)'
IS_REMEMBERED = '() => history.state?.wall?.y === scrollY'  # and not where one was before
HANGS_THERE = """({ id, top }) =>
  Math.abs(document.getElementById(id)?.getBoundingClientRect().top - top) < 2"""
ADD_TILES = """(count) => {
  const [tile] = document.querySelectorAll('.hung');
  for (let number = 0; number < count; number += 1) {
    tile.after(Object.assign(tile.cloneNode(true), { id: `another-${number}` }));
    document.body.offsetTop;
  }
}"""
SEARCHES = ['', '?q=fox', '?model=flux&q=fox']


class AtOnce(Quiet):
    """A server whose pictures take no time to draw."""

    def post(self) -> None:
        wanted = json.loads(self.body()).get('n', 1)
        drawn = {'data': [{'b64_json': PICTURE}] * wanted}
        self.answer(200, 'application/json', json.dumps(drawn).encode())


@pytest.fixture(scope='module')
def easel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    data = tmp_path_factory.mktemp('pages') / 'data'
    with (
        serving(AtOnce) as port,
        running_easel(data, {'EASEL_API_URL': f'http://127.0.0.1:{port}/v1'}) as running,
    ):
        yield running


@pytest.fixture(scope='module')
def long(easel: Easel) -> Easel:
    """More than a page of foxes, a cat after every ten."""
    for _ in range(ROUNDS):
        easel.draw(prompt='a fox', size='16x16', n='10')
        easel.draw(prompt='a cat', size='16x16')
    return easel


def shown(html: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="image-(\d+)"', html)]


def link(html: str, pattern: str) -> str:
    """Give the address of the one link whose tag matches, or empty."""
    found = re.search(rf'<a [^>]*{pattern}[^>]*>', html)
    address = re.search(r'href="([^"#]*)', found[0]) if found else None
    return unescape(address[1]) if address else ''


def walk(client: httpx.Client, address: str, rel: str) -> list[list[int]]:
    """Follow one kind of link to its end; gives what each page shows."""
    pages = []
    while address:
        html = client.get(address).text
        pages.append(shown(html))
        address = link(html, f'rel="{rel}"')
    return pages


@pytest.mark.parametrize('query', SEARCHES)
def test_the_way_back_leads_to_the_page_that_shows_the_picture(query: str, long: Easel) -> None:
    with long.client() as client:
        ids = [number for page in walk(client, f'/gallery{query}', 'next') for number in page]
        ways = {}
        for number in (ids[0], ids[PAGE // 2], ids[PAGE - 1], ids[PAGE], ids[-1]):
            ways[number] = link(client.get(f'/images/{number}{query}').text, 'class="back')
        pages = {number: client.get(way).text for number, way in ways.items()}

    assert len(ids) > PAGE
    assert all(number in shown(html) for number, html in pages.items())
    assert ways[ids[PAGE - 1]] == f'/gallery{query}'
    assert all(way.startswith(f'/gallery{query}') for way in ways.values())


def test_the_picture_is_in_the_middle_of_the_page_that_one_comes_back_to(long: Easel) -> None:
    with long.client() as client:
        ids = [number for page in walk(client, '/gallery', 'next') for number in page]
        way = link(client.get(f'/images/{ids[PAGE + 5]}').text, 'class="back')
        page = shown(client.get(way).text)

    assert page == ids[PAGE + 5 - PAGE // 2 :][:PAGE]


@pytest.mark.parametrize('query', SEARCHES)
def test_newer_pages_lead_to_the_first_without_a_gap(query: str, long: Easel) -> None:
    with long.client() as client:
        down = [number for page in walk(client, f'/gallery{query}', 'next') for number in page]
        oldest = f'{query}{"&" if query else "?"}before={down[-1] + 1}'
        up = walk(client, f'/gallery{oldest}', 'prev')

    met = [number for page in reversed(up) for number in page]
    assert list(dict.fromkeys(met)) == down


def test_the_first_page_has_nothing_newer(long: Easel) -> None:
    with long.client() as client:
        plain = client.get('/gallery').text
        as_a_page = client.get(f'/gallery?before={1 << 40}').text

    assert link(plain, 'rel="prev"') == link(as_a_page, 'rel="prev"') == ''


def test_gallery_pages_go_down_by_id_without_a_gap(long: Easel) -> None:
    seen: list[int] = []
    address: str | None = '/gallery.json?q=fox'
    with long.client() as client:
        while address:
            page = client.get(address).json()
            seen += [one['id'] for one in page['images']]
            address = page['next']

    assert len(seen) == 10 * ROUNDS
    assert seen == sorted(seen, reverse=True)


@pytest.mark.browser
def test_pages_join_as_one_scrolls_and_a_reload_comes_to_the_same_place(
    long: Easel, browser: Browser
) -> None:
    with still_window(browser) as page:
        page.goto(f'{long.url}/gallery')
        end = page.locator('.pages[data-side=older]')
        page.evaluate(TO_END)
        expect(end).to_have_count(0)
        expect(page.locator('.hung')).to_have_count(ROUNDS * 11)
        headings = page.locator('.day:visible').count()
        page.evaluate(TO_END)
        page.wait_for_function(IS_REMEMBERED)
        assert '/gallery?at=' in page.url
        before = page.evaluate('history.state.wall')
        page.reload()

        assert headings == 1
        page.wait_for_function(HANGS_THERE, arg=before)
        expect(page.locator('.hung')).to_have_count(ROUNDS * 11)
        assert page.evaluate(HANGS_THERE, before)
        page.evaluate('scrollTo(0, 0)')
        page.wait_for_url('**/gallery')


@pytest.mark.browser
def test_arrows_go_on_to_the_next_page_and_one_that_is_lost_can_be_asked_for_again(
    long: Easel, browser: Browser
) -> None:
    with still_window(browser) as page:
        page.route('**/gallery?before=*', lambda route: route.abort())
        page.goto(f'{long.url}/gallery')
        page.evaluate(TO_END)
        lost = page.get_by_role('alert').filter(has_text="More pictures couldn't be loaded.")
        expect(lost).to_be_visible()
        page.unroute('**/gallery?before=*')
        page.locator('.hung > a').last.focus()
        page.keyboard.press('ArrowRight')

        expect(page.locator('.hung').nth(PAGE).locator('a.plate')).to_be_focused()
        expect(lost).to_be_hidden()


def test_a_suggestion_is_chosen_by_keys_and_the_wall_follows_without_a_new_page(
    browser: Browser, long: Easel
) -> None:
    page = browser.new_page()
    page.goto(f'{long.url}/gallery')
    page.evaluate('globalThis.isSamePage = true')
    field = page.get_by_role('combobox', name='Search pictures')

    field.click()
    page.keyboard.type('shape:')
    expect(page.locator('.suggestions [role=option]')).not_to_have_count(0)
    page.keyboard.press('ArrowDown')
    shape = page.locator('.suggestions [aria-selected=true]').get_attribute('data-words')
    page.keyboard.press('Enter')
    page.wait_for_url('**q=shape*')

    assert field.input_value() == shape
    expect(page.locator('#gallery-count')).to_contain_text('match')
    expect(page.locator('#gallery-zip a')).to_have_attribute('href', re.compile('[?]q=shape'))
    expect(field).to_be_focused()
    assert page.evaluate('globalThis.isSamePage')
    page.get_by_role('link', name='Clear search').click()
    page.wait_for_url('**/gallery')
    page.evaluate('history.back()')
    expect(field).to_have_value(shape or '')
    expect(page.locator('#gallery-count')).to_contain_text('match')
    page.context.close()


@pytest.mark.browser
def test_a_filter_acts_at_once_and_says_what_finds_nothing(browser: Browser, long: Easel) -> None:
    page = browser.new_page()
    page.goto(f'{long.url}/gallery?q=since:yesteryear')
    expect(page.locator('.nothing')).to_contain_text("since:yesteryear isn't a date.")

    page.get_by_role('link', name='Use since:').click()
    page.get_by_role('checkbox', name='Favourites').check()

    page.wait_for_url('**favourite=1')
    expect(page.locator('.nothing')).to_contain_text('No matches')
    page.context.close()


@pytest.mark.browser
def test_a_tile_that_comes_has_no_other_styled_anew(browser: Browser, long: Easel) -> None:
    with still_window(browser) as page:
        page.goto(f'{long.url}/gallery')
        tiles = page.locator('.hung').count()
        browser.start_tracing(page=page, categories=['devtools.timeline'])
        page.evaluate(ADD_TILES, 4)
        events = json.loads(browser.stop_tracing())['traceEvents']

    styled = [event['args'] for event in events if event['name'] == 'UpdateLayoutTree']
    large = [one for one in styled if one.get('elementCount', 0) >= 3 * tiles]
    assert len(styled) >= 4
    assert len(large) < 4  # a page that comes meanwhile is one


@pytest.mark.browser
def test_filters_break_before_their_end_and_a_wall_without_days_begins_below(
    browser: Browser, long: Easel
) -> None:
    edge = '(one, side) => one.getBoundingClientRect()[side]'
    with still_window(browser) as page:
        page.goto(f'{long.url}/gallery?sort=random')
        page.evaluate('document.querySelector(".filters").style.inlineSize = "680px"')
        slides = page.get_by_role('button', name='Slideshow').evaluate(edge, 'bottom')
        trash = page.get_by_role('link', name='Trash').evaluate(edge, 'bottom')
        head = page.locator('.in-out').evaluate(edge, 'bottom')

        assert abs(slides - trash) < 4
        assert page.locator('.hung').first.evaluate(edge, 'top') >= head + 8

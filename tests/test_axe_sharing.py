"""The pages of sharing, measured by axe at WCAG 2.2 AA: wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.support.axe import ALL_RULES, WIDTHS, AxePage, axe_page
from tests.support.browser import watching, window
from tests.support.guests import path_of
from tests.support.servers import Easel, running_easel

pytestmark = pytest.mark.browser

PAGES = {
    'sharing': ('owner', '/share'),
    'settings while shared': ('owner', '/settings'),
    'picture of a guest': ('owner', '/images/2'),
    'gallery of a guest': ('owner', '/gallery?guest=1'),
    'session': ('owner', '/session'),
    'guest, create': ('guest', '/'),
    'guest, gallery': ('guest', '/gallery'),
    'guest, picture': ('guest', '/images/2'),
    'guest, settings': ('guest', '/settings'),
    'guest, not allowed': ('guest', '/share'),
    'come in': ('stranger', '{join}'),
    'shown picture': ('stranger', '{shown}'),
    'link to nowhere': ('stranger', '/shared/nowhere'),
    'sign in': ('stranger', '/session'),
}


@dataclass(frozen=True, slots=True)
class Shared:
    """A server that is shared: the cookies of owner and guest, and where the links lead."""

    easel: Easel
    cookies: dict[str, dict[str, str]]
    links: dict[str, str]


@pytest.fixture(scope='module')
def measured(browser: Browser) -> Iterator[AxePage]:
    with axe_page(browser) as opened:
        yield opened


@pytest.fixture(scope='module')
def shared(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    data: Path = tmp_path_factory.mktemp('shared') / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream}) as easel, easel.client() as owner:
        easel.draw(prompt='a fox in the snow', size='300x200')
        yield furnish(easel, owner)


def furnish(easel: Easel, owner: httpx.Client) -> Shared:
    """Let the network in, invite two guests, have one draw, and show one picture by a link."""
    own = {'Accept': 'application/json', 'Origin': easel.url}
    owner.post('/share', data={'sharing': 'on'}, headers=own)
    ticks = {'name': 'Mira', 'makes': 'on', 'sees_all': 'on'}
    join = path_of(owner.post('/share/guests', data=ticks, headers=own).json()['url'])
    owner.post('/share/guests', data={'name': 'Tom', 'sees_all': 'on'}, headers=own)
    owner.post('/share/guests/2/revocation', headers=own)
    owner.post('/albums', data={'name': 'for Ada', 'q': 'fox'}, headers=own)
    owner.post('/share/guests', data={'name': 'Ada', 'album': '1'}, headers=own)
    shown = owner.post('/images/1/link', data={'tells_prompt': 'on'}, headers=own).json()['url']
    with easel.client() as guest:
        guest.post(join, headers=own)
        guest.post('/generations', data={'prompt': 'a harbour', 'size': '200x300'}, headers=own)
        while guest.get('/generations/2.json').json()['status'] != 'done':
            pass
        cookies = {'owner': dict(owner.cookies), 'guest': dict(guest.cookies), 'stranger': {}}
    return Shared(easel, cookies, {'{join}': join, '{shown}': path_of(shown)})


def become(page: Page, shared: Shared, who: str) -> None:
    """Have a window belong to somebody: nobody else's cookies are left."""
    page.context.clear_cookies()
    cookies = shared.cookies[who].items()
    for name, value in cookies:
        page.context.add_cookies([{'name': name, 'value': value, 'url': shared.easel.url}])


@pytest.mark.parametrize(('who', 'address'), PAGES.values(), ids=PAGES.keys())
def test_axe_finds_nothing(measured: AxePage, shared: Shared, who: str, address: str) -> None:
    become(measured.page, shared, who)
    measured.open(shared.easel.url + shared.links.get(address, address))
    opened = "document.querySelectorAll('details').forEach((one) => (one.open = true))"
    measured.page.evaluate(opened)

    assert measured.faults() == []


@pytest.mark.parametrize('width', WIDTHS)
def test_an_owner_makes_both_kinds_of_link_by_hand(
    measured: AxePage, shared: Shared, width: str
) -> None:
    page = measured.page
    become(page, shared, 'owner')
    measured.show(width, 'light')
    with watching(page) as complaints:
        page.goto(f'{shared.easel.url}/share')
        page.get_by_label("Guest's name").fill('Ada')
        page.get_by_role('button', name='Create a link').click()
        guests_link = page.locator('#link-1').inner_text()
        first = measured.measure(ALL_RULES)

        page.goto(f'{shared.easel.url}/images/1')
        page.get_by_text('Share by link').click()
        page.get_by_role('button', name='Create a link').click()
        pictures_link = page.locator('#link-1').inner_text()
        second = measured.measure(ALL_RULES)

    assert '/join/' in guests_link
    assert '/shared/' in pictures_link
    assert (first.violations_count, second.violations_count) == (0, 0)
    assert complaints == []


def test_a_guest_comes_in_without_scripts(browser: Browser, shared: Shared) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=shared.easel.url)
    page = context.new_page()
    page.goto(shared.links['{join}'])

    page.get_by_role('button', name='Continue').click()

    assert page.get_by_role('textbox', name='Prompt', exact=True).is_visible()
    assert page.get_by_text('Mira').is_visible()
    context.close()


def test_row_80_a_shown_picture_asks_nobody_else_and_keeps_nothing(
    browser: Browser, shared: Shared
) -> None:
    asked: list[str] = []
    with window(browser) as page, watching(page) as complaints:
        page.on('request', lambda request: asked.append(request.url))

        page.goto(shared.easel.url + shared.links['{shown}'], wait_until='load')
        width = page.evaluate("document.querySelector('img').naturalWidth")
        cookies = page.context.cookies()

    assert width == 300
    assert all(url.startswith(shared.easel.url) for url in asked)
    assert cookies == []
    assert complaints == []

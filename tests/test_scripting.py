"""A thousand texts that would be scripts, in every place of every page: text they stay."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser_origins import KINDS, Worlds, worlds_of
from tests.support.hostile_data import Stuffed, hostile_provider, stuffed_with, write_folder
from tests.support.script_payloads import payloads
from tests.support.text_places import (
    Seen,
    Sight,
    compare,
    look_at,
    one_of_each,
    sights,
    watched_page,
)

pytestmark = pytest.mark.browser

TEXTS = payloads(1_000)
AT_ONCE = 8


@pytest.fixture(scope='module')
def stuffed() -> Stuffed:
    return stuffed_with(TEXTS, pages=4, servers=40, together=3)


@pytest.fixture(scope='module')
def go() -> threading.Event:
    """Give what every refusal of the provider waits for."""
    return threading.Event()


@pytest.fixture(scope='module')
def worlds(
    stuffed: Stuffed,
    go: threading.Event,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Worlds]:
    data = tmp_path_factory.mktemp('scripting') / 'data'
    with hostile_provider(stuffed, go) as url:
        write_folder(data, stuffed, url)
        with worlds_of(browser, data, {'EASEL_API_URL': f'{url}/0/v1'}) as running:
            yield running


@pytest.mark.parametrize('kind', KINDS)
def test_cve_2024_6706_no_text_of_anybody_becomes_a_script(
    worlds: Worlds, stuffed: Stuffed, kind: str
) -> None:
    everything = list(sights(stuffed))
    wanted = everything if kind == 'localhost' else one_of_each(everything)
    seen = Seen()

    look_at(worlds.browser, worlds.urls[kind], wanted, seen)

    assert seen.wrong == []
    assert seen.events == []
    assert seen.outside == []
    assert seen.texts > (len(TEXTS) if kind == 'localhost' else 500)


def test_cve_2025_64496_what_a_provider_says_stays_text_in_a_live_tile(
    worlds: Worlds, stuffed: Stuffed, go: threading.Event
) -> None:
    seen = Seen()
    url = worlds.urls['localhost']
    context, page = watched_page(worlds.browser, url, seen)
    sendable = [text for text in TEXTS if '\x1b' not in text]
    prompts = [' '.join(sendable[at : at + 9]) for at in range(0, 9 * AT_ONCE, 9)]

    ids = [worlds.easel.submit(prompt=one, provider=stuffed.names[0]) for one in prompts]
    page.goto(f'{url}/')
    expect(page.locator('.generation .working')).to_have_count(AT_ONCE)
    go.set()
    told = [worlds.easel.wait(one)['error'] for one in ids]
    tiles = page.locator(', '.join(f'#generation-{one}[data-status=failed]' for one in ids))
    expect(tiles).to_have_count(AT_ONCE, timeout=20_000)
    words = tiles.locator('blockquote').all_text_contents()
    compare(page, Sight('/', []), seen)
    context.close()
    messages = ''.join(str(one['message']) for one in told if isinstance(one, dict))
    assert len(messages) > 2_000
    assert all(one in messages for one in words)
    assert sum(len(one) for one in words) > 2_000
    assert seen.wrong + seen.events + seen.outside == []

"""Fixtures that several test files share."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.sync_api import Browser, Playwright, sync_playwright

from app.access import sharing
from app.database import Library
from app.storage.decoding.decoder import Decoder
from tests.support.browser import launched
from tests.support.kept_folder import KeptFolder, kept_folder
from tests.support.made_once import make_in
from tests.support.servers import Easel, running_demo, running_easel

# By the processor time that each takes, as `--durations` and `time` say it.
LONGEST = (
    *('scripting', 'browser', 'axe', 'evil_pages', 'axe_sharing', 'tiles', 'shortcuts', 'sub_path'),
    *('view_transition', 'picture_page', 'picture_label', 'composer_providers', 'install'),
    *('bombs', 'decoder_answers', 'lifecycle', 'providers_page', 'guessing', 'rebuild'),
    *('hostile_texts', 'files', 'event_stream', 'whole_reader', 'listeners', 'stopping'),
)


CHEAP = 2  # instead of 2**14: a guess costs 16 MB and 0.2 s, and tests make hundreds


@pytest.fixture(scope='session', autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """Hash passwords at next to no cost, in servers that are forked from this process too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, 'COST', CHEAP)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Read the files without looking for garbage: there is none yet."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files without a browser unread where only those with one are asked for."""
    if config.option.markexpr != 'browser' or collection_path.suffix != '.py':
        return None
    return 'pytest.mark.browser' not in collection_path.read_text('utf-8') or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, so that no process ends alone.

    Those with a browser come last, because no other event loop can run once Playwright's does.
    """
    functions = [item for item in items if isinstance(item, pytest.Function)]
    serving = {item.path for item in functions if 'upstream' in item.fixturenames}
    browsing = {item.path for item in functions if 'playwright' in item.fixturenames}
    places = {f'test_{name}.py': place for place, name in enumerate(LONGEST)}

    def order(item: pytest.Item) -> tuple[bool, int, bool]:
        place = places.get(item.path.name, len(LONGEST))
        return item.path in browsing, place, item.path not in serving

    items.sort(key=order)


@pytest.fixture(scope='session', autouse=True)
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Have templates compiled and tables made once, in forked servers as well."""
    make_in(tmp_path_factory.mktemp('made'))


@pytest.fixture(scope='session')
def upstream() -> Iterator[str]:
    """An image API on a socket: the demo provider, as somebody else's server."""
    with running_demo() as url:
        yield url


@pytest.fixture(scope='module')
def easel(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    """The real server over a socket, with an empty data folder at the start of each file."""
    data: Path = tmp_path_factory.mktemp('easel') / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream}) as running:
        yield running


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[KeptFolder]:
    """A data folder with three pictures, its database open as a server's is."""
    async with kept_folder(tmp_path / 'data') as folder:
        yield folder


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    """An empty database, for one test."""
    library = await Library.open(tmp_path / 'easel.db')
    yield library
    await library.close()


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def decoder() -> AsyncIterator[Decoder]:
    """A decoder of pictures with one child, for the tests of a file that share their loop."""
    decoder = Decoder({})
    yield decoder
    await decoder.close()


@pytest.fixture
def own_process() -> Iterator[None]:
    """Give back what a command changes of the process that it has for itself."""
    before, mask = signal.getsignal(signal.SIGTERM), os.umask(0o022)
    yield
    signal.signal(signal.SIGTERM, before)
    os.umask(mask)


@pytest.fixture(scope='session')
def playwright() -> Iterator[Playwright]:
    """Playwright's driver, from the first file with a browser on."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope='session')
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Headless Chromium; what one test does in it the next must not find, see `lent`."""
    with launched(playwright) as browser:
        yield browser

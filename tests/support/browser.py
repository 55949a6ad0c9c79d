"""Headless Chromium for the browser tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    ViewportSize,
    sync_playwright,
)

from tests.support.tools import path_of

WITHOUT_WINDOWS = 'chromium-headless-shell'  # the same engine, in a third less time
ARGUMENTS = [
    *('--no-sandbox', '--disable-gpu', '--disable-background-networking'),
    # Names of `browser_origins` are this machine's, and no certificate is minded.
    *('--host-resolver-rules=MAP *.test 127.0.0.1', '--ignore-certificate-errors'),
]
DESKTOP: ViewportSize = {'width': 1360, 'height': 860}
PHONE: ViewportSize = {'width': 390, 'height': 844}
PLAIN_PAGE = '/health'  # It runs nothing, and keeps no connection.
ICON = '/favicon.ico'  # What Chromium looks for where a page names no icon, as the plain one.
TOLD = 'status of 422'  # a form that is refused, as the page says itself
FORGET = '() => [localStorage, sessionStorage].forEach((store) => store.clear())'


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium by itself, where no test has started Playwright."""
    with sync_playwright() as playwright, launched(playwright) as browser:
        yield browser


@contextmanager
def launched(playwright: Playwright, *, whole: bool = False) -> Iterator[Browser]:
    """Start Chromium; without one a test is skipped, and in CI it fails.

    The `whole` one alone has a clipboard for pictures.
    """
    path = None if whole else shutil.which(WITHOUT_WINDOWS)
    browser = playwright.chromium.launch(executable_path=path or _path(), args=ARGUMENTS)
    yield browser
    browser.close()


@contextmanager
def launched_with_profile(playwright: Playwright, folder: Path) -> Iterator[BrowserContext]:
    """Start Chromium with a profile; without one it is incognito, and installs nothing."""
    context = playwright.chromium.launch_persistent_context(
        folder, executable_path=_path(), args=ARGUMENTS
    )
    yield context
    context.close()


def _path() -> str:
    return shutil.which('chromium-browser') or path_of('chromium')


@contextmanager
def window(browser: Browser, **settings: object) -> Iterator[Page]:
    """Open a window for all tests of a file: to open one takes longer than most of them."""
    context = browser.new_context(**settings)  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


def lent(page: Page) -> Iterator[Page]:
    """Lend a window to one test; it must not have complained, and is given back as good as new."""
    with watching(page) as complaints:
        yield page
        page.mouse.move(0, 0)  # What is on its way is heard meanwhile.
    give_back(page)
    assert complaints == [], complaints


def give_back(page: Page) -> None:
    """Leave what is open, and remember nothing of it."""
    if page.url.startswith('http'):
        page.goto(urljoin(page.url, PLAIN_PAGE))
        page.evaluate(FORGET)
    page.context.clear_cookies()


@contextmanager
def watching(page: Page) -> Iterator[list[str]]:
    """Collect what a page complains of: errors, and refusals by its own policy."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        is_known = message.location['url'].endswith(ICON) or TOLD in message.text
        if message.type == 'error' and not is_known:
            complaints.append(message.text)

    def failed(error: Error) -> None:
        complaints.append(str(error))

    page.on('pageerror', failed)
    page.on('console', heard)
    yield complaints
    page.remove_listener('pageerror', failed)
    page.remove_listener('console', heard)

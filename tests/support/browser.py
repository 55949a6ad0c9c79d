"""Headless Chromium for the browser tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.tools import path_of

ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
DESKTOP = {'width': 1360, 'height': 860}
PHONE = {'width': 390, 'height': 844}


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Start Chromium with more arguments; without one a test is skipped, and in CI it fails."""
    path = _path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        yield browser
        browser.close()


@contextmanager
def chromium_with_profile(folder: Path) -> Iterator[BrowserContext]:
    """Start Chromium with a profile; without one it is incognito, and installs nothing."""
    path = _path()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=path, args=ARGUMENTS
        )
        yield context
        context.close()


def _path() -> str:
    return shutil.which('chromium-browser') or path_of('chromium')


def watched(page: Page) -> list[str]:
    """Collect what a page complains of: errors, and refusals by its own policy."""
    complaints: list[str] = []
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.on(
        'console',
        lambda message: complaints.append(message.text) if message.type == 'error' else None,
    )
    return complaints

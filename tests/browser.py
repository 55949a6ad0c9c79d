"""Headless Chromium for the browser tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
DESKTOP = {'width': 1360, 'height': 860}
PHONE = {'width': 390, 'height': 844}
NO_BROWSER = 'Chromium is not installed (Debian: apt-get install chromium)'


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; without one the test is skipped, and in CI it fails."""
    path = shutil.which('chromium') or shutil.which('chromium-browser')
    if path is None:
        if os.environ.get('CI'):
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def watched(page: Page) -> list[str]:
    """Collect what a page complains of: errors, and refusals by its own policy."""
    complaints: list[str] = []
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.on(
        'console',
        lambda message: complaints.append(message.text) if message.type == 'error' else None,
    )
    return complaints

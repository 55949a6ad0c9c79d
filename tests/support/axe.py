"""axe at WCAG 2.2 AA: every rule once a page, and per width and colour what depends on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support.browser import DESKTOP, PHONE, window

Rules = dict[str, object]
WIDTHS = {'wide': DESKTOP, 'narrow': PHONE}
FULL = ('wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa')
ALL_RULES: Rules = {'resultTypes': ['violations'], 'runOnly': {'type': 'tag', 'values': FULL}}
OF_COLOUR = ('color-contrast', 'link-in-text-block')
# What is shown in one width alone must have its names too.
OF_WIDTH = (
    *OF_COLOUR,
    *('target-size', 'scrollable-region-focusable', 'css-orientation-lock', 'meta-viewport'),
    *('aria-hidden-focus', 'aria-required-children', 'aria-required-parent', 'nested-interactive'),
    *('button-name', 'image-alt', 'input-button-name', 'label', 'link-name', 'select-name'),
    *('aria-command-name', 'aria-input-field-name', 'aria-toggle-field-name', 'summary-name'),
)
# Transitions are over at once; what goes on without end cannot be finished, and goes on.
AT_REST = """() => document.getAnimations().forEach((one) => {
  try { one.finish(); } catch { /* it has no end */ }
})"""


def only(rules: tuple[str, ...]) -> Rules:
    return {'resultTypes': ['violations'], 'runOnly': {'type': 'rule', 'values': rules}}


@contextmanager
def windows(browser: Browser) -> Iterator[dict[str, Page]]:
    """Open a window of each width, for a whole file."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                window(browser, viewport=size, has_touch=size is PHONE, color_scheme='light')
            )
            for name, size in WIDTHS.items()
        }


def faults_of(page: Page, width: str) -> list[str]:
    """Return what axe finds on an open page, in light and in dark."""
    found = [measure(page, ALL_RULES if width == 'wide' else only(OF_WIDTH))]
    page.emulate_media(color_scheme='dark')
    page.evaluate(AT_REST)
    found.append(measure(page, only(OF_COLOUR)))
    page.emulate_media(color_scheme='light')
    return [one.generate_report() for one in found if one.violations_count]


def measure(page: Page, rules: Rules) -> AxeResults:
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    page.evaluate(AT_REST)
    return AxeResults(page.evaluate('(rules) => axe.run(rules)', rules))

"""axe at WCAG 2.2 AA: every rule once a page, and per width and colour what depends on them.

Contrast is measured of everything in one width for each colour; in the other width of what is not
shown in the first, and of what has another text or ground there, once for each layout of pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, JSHandle, Page

from tests.support.browser import DESKTOP, PHONE, window

Rules = dict[str, object]
Colour = Literal['light', 'dark']
WIDTHS = {'wide': DESKTOP, 'narrow': PHONE}
FULL = ('wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa')
ALL_RULES: Rules = {'resultTypes': ['violations'], 'runOnly': {'type': 'tag', 'values': FULL}}
OF_COLOUR = ('color-contrast', 'link-in-text-block')
# What is shown in one width alone must have its names too.
OF_WIDTH = (
    *('target-size', 'scrollable-region-focusable', 'css-orientation-lock', 'meta-viewport'),
    *('aria-hidden-focus', 'aria-required-children', 'aria-required-parent', 'nested-interactive'),
    *('button-name', 'image-alt', 'input-button-name', 'label', 'link-name', 'select-name'),
    *('aria-command-name', 'aria-input-field-name', 'aria-toggle-field-name', 'summary-name'),
)
# Transitions are over at once; what goes on without end cannot be finished, and goes on.
AT_REST = """() => document.getAnimations().forEach((one) => {
  try { one.finish(); } catch { /* it has no end */ }
})"""


# Give what is shown and did not look the same when this was last asked in that colour.
DIFFERING = """(colour) => {
  const deciding = ['color', 'backgroundColor', 'backgroundImage', 'opacity', 'filter',
    'textShadow', 'fontSize', 'fontWeight', 'textDecorationLine'];
  const looks = new Map([[null, '']]);
  const look = (one) => {
    if (!looks.has(one)) {
      const style = getComputedStyle(one);
      looks.set(one, deciding.map((name) => style[name]).join() + look(one.parentElement));
    }
    return looks.get(one);
  };
  const known = ((globalThis.looked ??= {})[colour] ??= new WeakMap());
  const shown = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility());
  const differing = new Set(shown.filter((one) => known.get(one) !== look(one)));
  differing.forEach((one) => known.set(one, look(one)));
  return [...differing].filter((one) => !differing.has(one.parentElement));
}"""
RUN = """([rules, chosen]) => {
  if (!chosen) return axe.run(rules);
  return chosen.length ? axe.run({ include: chosen }, rules) : { violations: [] };
}"""


def only(rules: tuple[str, ...]) -> Rules:
    return {'resultTypes': ['violations'], 'runOnly': {'type': 'rule', 'values': rules}}


# One load serves them all: to load a page and axe takes longer than most of these.
LOOKS: tuple[tuple[str, Colour, Rules | None], ...] = (
    ('wide', 'light', ALL_RULES),
    ('narrow', 'dark', only((*OF_COLOUR, *OF_WIDTH))),
    ('narrow', 'light', None),
    ('wide', 'dark', None),
)


@dataclass(frozen=True, slots=True)
class AxePage:
    """A window that shows what is open in it in each width and colour, and measures that."""

    page: Page
    session: CDPSession
    layouts: set[str] = field(default_factory=set)  # which were shown in every look

    def open(self, url: str) -> None:
        self.show('wide', 'light')
        self.page.goto(url, wait_until='load')

    def show(self, width: str, colour: Colour) -> None:
        """Show what is open in a width and a colour; what is narrow is under a finger."""
        touched = {'enabled': width == 'narrow'}
        self.session.send('Emulation.setTouchEmulationEnabled', touched)
        self.page.set_viewport_size(WIDTHS[width])
        self.page.emulate_media(color_scheme=colour)

    def measure(self, rules: Rules, chosen: JSHandle | None = None) -> AxeResults:
        """Run axe on all that is open, or on what is chosen of it."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        self.page.evaluate(AT_REST)
        return AxeResults(self.page.evaluate(RUN, [rules, chosen]))

    def faults(self) -> list[str]:
        """Return what axe finds in every width and colour, and what is too wide for the window."""
        found: list[str] = []
        layout = self.page.evaluate("document.querySelector('main').className")
        is_known = layout in self.layouts
        self.layouts.add(layout)
        for width, colour, rules in LOOKS:
            if is_known and not rules:
                continue
            self.show(width, colour)
            found += [f'{width}, {colour}: {fault}' for fault in self._faults(colour, rules)]
        return found

    def _faults(self, colour: Colour, rules: Rules | None) -> Iterator[str]:
        self.page.evaluate(AT_REST)
        differing = self.page.evaluate_handle(DIFFERING, colour)
        results = self.measure(rules) if rules else self.measure(only(OF_COLOUR), differing)
        if results.violations_count:
            yield results.generate_report()
        if self.page.evaluate('document.documentElement.scrollWidth > innerWidth'):
            yield 'wider than the window'


@contextmanager
def axe_page(browser: Browser) -> Iterator[AxePage]:
    """Open a window for a whole file."""
    with window(browser) as page:
        yield AxePage(page, page.context.new_cdp_session(page))

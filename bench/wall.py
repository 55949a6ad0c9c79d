"""Claims: scrolling the gallery costs a browser little, however long its wall is.

Chromium scrolls down 5,000 pictures and up again, in a window for each size of them: no task takes
more than 100 ms, nothing on the page shifts, at most 1,500 tiles are in the document.

It wants a quiet machine: a task takes as long as the clock says, with whatever else has run
meanwhile. Beside it stands the most that the page's thread has computed in one step of the wheel,
which nobody else adds to: no task in it took longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page

from bench import gallery_rows
from bench.measure import Claim, judge
from tests.support.browser import DESKTOP, chromium
from tests.support.servers import running_easel

PICTURES = 5_000
STEP_PX = 1_200
STEP_MS = 50
MOST_STEPS = 4_000
MOST_TASK_MS, MOST_SHIFT, MOST_TILES = 100, 0, 1_500
DENSITIES = ('small', 'medium', 'large')
USUAL = DENSITIES[:2]  # most tiles at once, and as it opens; large ones take as long as both
WATCH = """() => {
  globalThis.seen = { task: 0, shift: 0, tiles: 0, ids: new Set() };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.task = Math.max(seen.task, duration);
  }).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) seen.shift += value;
  }).observe({ type: 'layout-shift', buffered: true });
  const count = () => {
    const tiles = [...document.querySelectorAll('.hung')];
    seen.tiles = Math.max(seen.tiles, tiles.length);
    for (const tile of tiles) seen.ids.add(tile.id);
  };
  count();
  const wall = document.querySelector('wall-keys');
  new MutationObserver(count).observe(wall, { childList: true, subtree: true });
}"""
AT_END = """() => scrollY + innerHeight >= document.documentElement.scrollHeight - 2
  && !document.querySelector('.pages[data-side=older]')"""


@dataclass(frozen=True, slots=True)
class Scrolled:
    """What one way down and up took."""

    computed_ms: float
    task_ms: float
    shift: float
    tiles: int
    met: int


def scroll(browser: Browser, address: str, density: str) -> Scrolled:
    context = browser.new_context(viewport=DESKTOP)
    context.add_cookies([{'name': 'easel-density', 'value': density, 'url': address}])
    page = context.new_page()
    page.goto(f'{address}/gallery')
    page.evaluate(WATCH)
    page.mouse.move(400, 500)
    computed = page.context.new_cdp_session(page)
    computed.send('Performance.enable', {'timeDomain': 'threadTicks'})
    computed_ms = max(
        _turn(page, computed, STEP_PX, AT_END),
        _turn(page, computed, -STEP_PX, '() => scrollY === 0'),
    )
    seen = page.evaluate('() => [seen.task, seen.shift, seen.tiles, seen.ids.size]')
    context.close()
    return Scrolled(computed_ms, *seen)


def _turn(page: Page, computed: CDPSession, by_px: int, is_there: str) -> float:
    """Turn the wheel until the page is there; give the most that it computed in one step."""
    most_ms, before_ms = 0.0, _computed_ms(computed)
    for _ in range(MOST_STEPS):
        page.mouse.wheel(0, by_px)
        page.wait_for_timeout(STEP_MS)
        after_ms = _computed_ms(computed)
        most_ms, before_ms = max(most_ms, after_ms - before_ms), after_ms
        if page.evaluate(is_there):
            return most_ms
    raise SystemExit('the wall has no end')


def _computed_ms(computed: CDPSession) -> float:
    metrics = computed.send('Performance.getMetrics')['metrics']
    [seconds] = [one['value'] for one in metrics if one['name'] == 'TaskDuration']
    return float(seconds) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m bench.wall', description=__doc__)
    parser.add_argument('--pictures', type=int, default=PICTURES)
    parser.add_argument('--density', choices=DENSITIES, action='append')
    chosen = parser.parse_args()
    claims = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / 'data'
        gallery_rows.main(data, chosen.pictures)
        with running_easel(data) as easel, chromium() as browser:
            for density in chosen.density or USUAL:
                seen = scroll(browser, easel.url, density)
                took = f'at most {seen.computed_ms:.0f} ms computed in a step'
                print(f'{density}: {seen.met} pictures met; {took}', flush=True)
                claims += [
                    Claim(f'{density}: longest task', seen.task_ms, MOST_TASK_MS, 'ms'),
                    Claim(f'{density}: layout shift', seen.shift, MOST_SHIFT, ''),
                    Claim(f'{density}: most tiles at once', seen.tiles, MOST_TILES, 'tiles'),
                ]
    return judge(claims)


if __name__ == '__main__':
    sys.exit(main())

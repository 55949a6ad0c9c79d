"""Claims: scrolling the gallery costs a browser little, however long its wall is.

Chromium scrolls down 5,000 pictures and up again, each size of them in its own window: no task
takes more than 100 ms, nothing on the page shifts, at most 1,500 tiles are in the document.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench import gallery_rows
from bench.measure import Claim, judge
from tests.support.browser import DESKTOP, chromium
from tests.support.servers import running_easel

PICTURES = 5_000
STEP_PX = 600
STEP_MS = 80
MOST_STEPS = 4_000
MOST_TASK_MS, MOST_SHIFT, MOST_TILES = 100, 0, 1_500
DENSITIES = ('small', 'medium', 'large')
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
    _turn(page, STEP_PX, AT_END)
    _turn(page, -STEP_PX, '() => scrollY === 0')
    seen = page.evaluate('() => [seen.task, seen.shift, seen.tiles, seen.ids.size]')
    context.close()
    return Scrolled(*seen)


def _turn(page: Page, by_px: int, is_there: str) -> None:
    for _ in range(MOST_STEPS):
        page.mouse.wheel(0, by_px)
        page.wait_for_timeout(STEP_MS)
        if page.evaluate(is_there):
            return
    raise SystemExit('the wall has no end')


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m bench.wall', description=__doc__)
    parser.add_argument('--pictures', type=int, default=PICTURES)
    pictures = parser.parse_args().pictures
    claims = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / 'data'
        gallery_rows.main(data, pictures)
        with running_easel(data) as easel, chromium() as browser:
            for density in DENSITIES:
                seen = scroll(browser, easel.url, density)
                print(f'{density}: {seen.met} pictures met', flush=True)
                claims += [
                    Claim(f'{density}: longest task', seen.task_ms, MOST_TASK_MS, 'ms'),
                    Claim(f'{density}: layout shift', seen.shift, MOST_SHIFT, ''),
                    Claim(f'{density}: most tiles at once', seen.tiles, MOST_TILES, 'tiles'),
                ]
    return judge(claims)


if __name__ == '__main__':
    sys.exit(main())

"""Every place of every page where a stuffed folder's text is seen, and a browser that looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.hostile_data import MOST_ENABLED, Stuffed

PAGE = 60
LONGEST_QUESTION = 500
MOST_MODELS = 200

# Give what differs from what is expected, and what no page of Easel has of its own.
LOOK = """(expected) => {
  const wrong = [];
  for (const [selector, property, texts] of expected) {
    const got = [...document.querySelectorAll(selector)].map((found) => found[property]);
    const missing = texts.filter((text) => !got.includes(text));
    wrong.push(...missing.map((text) => `${selector} ${property} has no ${text}`));
  }
  const own = `:not([href^="/"]):not([href^="#"]):not([href^="${location.origin}/"])`;
  const foreign = document.querySelectorAll(`iframe, frame, object, embed, base, video, audio, math,
    style, template:not(album-menu > *), meta[http-equiv], form[action^="//"],
    script:not([src^="/static/"]), link${own}, svg script, svg animate, a[href^="javascript:"],
    [srcdoc]`);
  wrong.push(...[...foreign].map((found) => found.outerHTML));
  for (const found of document.querySelectorAll('*')) {
    const acts = found.getAttributeNames().filter((name) => name.startsWith('on'));
    wrong.push(...acts.map((name) => `${name} at ${found.outerHTML}`));
  }
  return wrong;
}"""
LISTEN = """addEventListener('securitypolicyviolation', (event) =>
  pwned(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"""

Expected = list[tuple[str, str, list[str]]]


@dataclass(frozen=True, slots=True)
class Sight:
    """One page, and which texts stand in it: selector, property, every text."""

    address: str
    expected: Expected


@dataclass(slots=True)
class Seen:
    """What a browser saw.

    Attributes:
        wrong: What is not as it was written.
        events: Scripts that ran, dialogs, reports of the page's policy.
        outside: Requests to anywhere else.
    """

    pages: int = 0
    texts: int = 0
    wrong: list[object] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


def sights(stuffed: Stuffed) -> Iterator[Sight]:
    """List the pages to look at."""
    for kind in (_galleries, _generations, _pictures, _failures, _servers, _guests, _typed):
        yield from kind(stuffed)


def one_of_each(wanted: Iterable[Sight]) -> list[Sight]:
    """Choose one page for each place that texts stand in, where scripts can be."""
    first: dict[tuple[str, ...], Sight] = {}
    for sight in wanted:
        page = sight.address.partition('?')[0].split('/')[1]
        if '.json' in sight.address:
            continue
        places = [f'{selector} {name}' for selector, name, _ in sight.expected]
        first.setdefault((page, *places), sight)
    return list(first.values())


def _galleries(stuffed: Stuffed) -> Iterator[Sight]:
    newest_first = [*stuffed.short, *stuffed.long][::-1]
    models = sorted(newest_first, key=str.encode)[:MOST_MODELS]
    for at in range(0, len(newest_first), PAGE):
        texts = newest_first[at : at + PAGE]
        expected: Expected = [('.hung .title', 'textContent', [cut(one, 160) for one in texts])]
        expected.append(('.hung img', 'alt', [cut(one, 200) for one in texts]))
        expected.append(('.hung bdi', 'textContent', texts))
        expected.append(('select[name=model] option', 'value', models))
        yield Sight(f'/gallery?before={len(newest_first) - at + 1}', expected)


def _generations(stuffed: Stuffed) -> Iterator[Sight]:
    newest_first = [*stuffed.short, *stuffed.long, *stuffed.long][::-1]
    for at in range(0, len(newest_first), PAGE):
        texts = newest_first[at : at + PAGE]
        expected: Expected = [('.hung .title', 'textContent', [cut(one, 160) for one in texts])]
        expected.append(('.facts bdi', 'textContent', texts))
        yield Sight(f'/generations?before={len(newest_first) - at + 1}', expected)


def _pictures(stuffed: Stuffed) -> Iterator[Sight]:
    for number, text in enumerate(stuffed.long, len(stuffed.short) + 1):
        said = [text, f'{text}!', cut(text[:80], 80)]
        expected: Expected = [
            ('h1', 'textContent', [text]),
            ('dd', 'textContent', said),
            ('pre[aria-label=Response]', 'textContent', [text]),
        ]
        yield Sight(f'/images/{number}', expected)


def _failures(stuffed: Stuffed) -> Iterator[Sight]:
    first = len(stuffed.short) + len(stuffed.long) + 1
    for number, text in enumerate(stuffed.long, first):
        yield Sight(f'/generations/{number}', [('blockquote', 'textContent', [text])])
        calls: Expected = [
            ('h3 bdi', 'textContent', [text]),
            ('pre[aria-label=Request]', 'textContent', [f'X: {text}\n\n{text}']),
            ('pre[aria-label=Response]', 'textContent', [text]),
        ]
        yield Sight(f'/generations/{number}/attempts', calls)


def _servers(stuffed: Stuffed) -> Iterator[Sight]:
    names = list(stuffed.names)
    yield Sight('/settings', [('.server .name', 'textContent', names)])
    chosen: Expected = [('input[name=provider]', 'value', names[:MOST_ENABLED])]
    chosen.append(('#models option', 'value', list(stuffed.models[0])))
    yield Sight('/', chosen)
    for number, (name, models) in enumerate(zip(names, stuffed.models, strict=False), 1):
        expected: Expected = [
            ('h1', 'textContent', [name]),
            ('input[name=name]', 'value', [name]),
            ('input[name=model]', 'value', [stuffed.model(number - 1)]),
            ('#models option', 'value', list(models)),
        ]
        yield Sight(f'/settings/providers/{number}', expected)


def _guests(stuffed: Stuffed) -> Iterator[Sight]:
    names = list(stuffed.names)
    offered: Expected = [('#guests .name', 'textContent', names)]
    offered.append(('#pictures .name', 'textContent', [cut(one, 80) for one in stuffed.long]))
    yield Sight('/share', offered)
    yield Sight('/gallery', [('select[name=guest] option', 'textContent', names)])
    for number, text in enumerate(stuffed.long):
        yield Sight(f'/shared/shown-{number}', [('h1', 'textContent', [text])])
        greeting = f'This link is for {names[number]}'
        yield Sight(f'/join/guest-{number}', [('h1', 'textContent', [greeting])])


def _typed(stuffed: Stuffed) -> Iterator[Sight]:
    for text in stuffed.long:
        yield Sight(f'/?prompt={quote(text)}', [('#prompt', 'value', [text])])
        question = text[:LONGEST_QUESTION].strip().replace('\n', '')
        yield Sight(f'/gallery?q={quote(question)}', [('input[name=q]', 'value', [question])])
        yield Sight(f'/images/{quote(text, safe="")}', [])
    for name in ('gallery', 'generations', 'settings/providers'):
        # A browser takes seconds to lay out a long one, and finds no more in it: it is plain text.
        yield Sight(f'/{name}.json?before=9', [])


def cut(text: str, most: int) -> str:
    """Cut as Jinja's `truncate` does: at a blank, with five signs of grace."""
    return text if len(text) <= most + 5 else text[: most - 3].rsplit(' ', 1)[0] + '...'


def look_at(browser: Browser, url: str, wanted: Sequence[Sight], seen: Seen) -> None:
    """Open each page and compare."""
    context, page = watched_page(browser, url, seen)
    for sight in wanted:
        page.goto(url + sight.address)
        compare(page, sight, seen)
    context.close()


def compare(page: Page, sight: Sight, seen: Seen) -> None:
    """Compare what is open with what should be there."""
    found: list[object] = page.evaluate(LOOK, sight.expected)
    seen.wrong += [(sight.address, one) for one in found]
    seen.texts += sum(len(texts) for _, _, texts in sight.expected)
    seen.pages += 1


def watched_page(browser: Browser, url: str, seen: Seen) -> tuple[BrowserContext, Page]:
    """Open a window whose every fault is noted."""
    context = browser.new_context()
    context.expose_function('pwned', lambda said: seen.events.append(str(said)))
    context.add_init_script(LISTEN)
    context.on(
        'request',
        lambda asked: None if asked.url.startswith(url) else seen.outside.append(asked.url),
    )
    page = context.new_page()
    page.on('dialog', lambda dialog: seen.events.append(dialog.message))
    page.on('pageerror', lambda error: seen.events.append(str(error)))
    return context, page

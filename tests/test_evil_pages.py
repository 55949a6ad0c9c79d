"""Pages of other sites in the same browser: they act, read, frame and remember nothing of Easel."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from app.web.security.routes import ROUTES
from tests.support.browser_origins import KINDS, Evil, Worlds, running_evil, worlds_of
from tests.support.servers import NO_TLS

pytestmark = pytest.mark.browser

PASSWORD, TOKEN = 'open sesame', 'a-token-of-a-program'
TOSSED_PATHS = ('/x', '/gallery')
SECRET = 'a private cat'
PAIRS = tuple(zip(KINDS, ('another port', 'another site', 'another port'), strict=True))
EVERY_PAIR = (*PAIRS, ('localhost', 'another site'))  # four, as there are ways
ACTS = [rule.pattern.replace('{}', '1') for rule in ROUTES if rule.method == 'POST']
KEPT_BACK = 'net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin'  # Easel answered, for itself alone
BODY = 'prompt=stolen&size=16x16&base_url=127.0.0.1:9&theme=dark&password=open+sesame&draw=1'

# Ask for every act in one of the ways that need no permission, in the next one at each turn.
ATTACK = """async ([url, acts, body, turn]) => {
  const form = 'application/x-www-form-urlencoded';
  const types = [form, 'text/plain', 'multipart/form-data; boundary=b'];
  const init = { method: 'POST', mode: 'no-cors', credentials: 'include', body };
  await Promise.all(acts.map((act, at) => {
    const type = types[(at + turn) % (types.length + 1)];
    if (!type) return navigator.sendBeacon(url + act, new Blob([body], { type: form }));
    return fetch(url + act, { ...init, headers: { 'Content-Type': type } }).catch(() => {});
  }));
}"""
SUBMIT = """([url, policy]) => {
  document.head.innerHTML = `<meta name="referrer" content="${policy}">`;
  document.body.innerHTML = `<form action="${url}/generations" method="post"
    ><input name="prompt" value="stolen"><input name="size" value="16x16"></form>`;
  document.forms[0].submit();
}"""
INCLUDE = """async (addresses) => {
  const kinds = { img: 'src', script: 'src', link: 'href', video: 'src' };
  const loaded = [];
  const tried = Object.entries(kinds).flatMap(([kind, name]) => addresses.map((address) =>
    new Promise((done) => {
      const element = document.createElement(kind);
      if (kind === 'link') element.rel = 'stylesheet';
      element.onload = element.onloadeddata = () => done(loaded.push(`${kind} ${address}`));
      element.onerror = () => done();
      setTimeout(done, 1000);
      element[name] = address;
      document.body.append(element);
    })));
  await Promise.all(tried);
  for (const address of addresses) {
    const how = { credentials: 'include' };
    await fetch(address, how).then(() => loaded.push(`fetch ${address}`), () => {});
  }
  return loaded;
}"""
STEAL = """async () => {
  const said = [];
  const form = { method: 'POST', body: new URLSearchParams({ prompt: 'stolen', size: '16x16' }) };
  const read = ['/', '/gallery', '/gallery.json', '/settings.json'].map((address) => [address]);
  const asked = [...read, ['/generations', form]];
  for (const one of asked) {
    const answer = await fetch(...one);
    said.push([answer.status, await answer.text()]);
  }
  const events = new EventSource('/events?showing=1');
  await new Promise((done) => { events.onopen = () => { said.push([200, 'live']); done(); };
                                events.onerror = done; });
  return said;
}"""


@dataclass(frozen=True, slots=True)
class Scene:
    """One Easel with a private picture, and somebody evil next to it."""

    worlds: Worlds
    evil: Evil
    contexts: dict[str, BrowserContext] = field(default_factory=dict)

    def program(self) -> httpx.Client:
        headers = {'authorization': f'Bearer {TOKEN}'}
        return httpx.Client(
            base_url=self.worlds.easel.url, headers=headers, trust_env=False, verify=NO_TLS
        )

    def everything(self) -> str:
        """Read all that an act could change."""
        pages = ('generations', 'gallery', 'settings', 'images/1', 'settings/providers')
        with self.program() as program:
            answers = [program.get(f'/{page}.json').json() for page in pages]
        answers[2].pop('free_bytes')
        return json.dumps(answers)

    @contextmanager
    def signed_in(self, kind: str) -> Iterator[BrowserContext]:
        """Lend the window of somebody who signed in, one for each world."""
        if kind not in self.contexts:
            self.contexts[kind] = self._sign_in(kind)
        context = self.contexts[kind]
        yield context
        for page in context.pages[1:]:
            page.close()

    def _sign_in(self, kind: str) -> BrowserContext:
        context = self.worlds.browser.new_context()
        page = context.new_page()
        page.goto(f'{self.worlds.urls[kind]}/session')
        page.get_by_label('Password').fill(PASSWORD)
        page.get_by_role('button', name='Sign in').click()
        page.wait_for_url(f'{self.worlds.urls[kind]}/')
        return context

    def evil_page(self, context: BrowserContext, kind: str, neighbour: str) -> Page:
        """Open the evil page: of another site, or of another port of Easel's own name."""
        own = urlsplit(self.worlds.urls[kind]).hostname
        host = 'evil.test' if neighbour == 'another site' else own
        self.evil.pages.setdefault('/', '<!doctype html><title>Win</title><body></body>')
        page = context.pages[-1] if context.pages else context.new_page()
        page.goto(f'http://{host}:{self.evil.port}/')
        return page


@pytest.fixture(scope='module')
def scene(
    upstream: str, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    data = tmp_path_factory.mktemp('evil') / 'data'
    settings = {'EASEL_API_URL': upstream, 'EASEL_PASSWORD': PASSWORD, 'EASEL_TOKEN': TOKEN}
    with worlds_of(browser, data, settings) as worlds, running_evil() as evil:
        scene = Scene(worlds, evil)
        with scene.program() as program:
            program.post('/generations', data={'prompt': SECRET, 'size': '32x32'})
            while program.get('/generations/1.json').json()['status'] != 'done':
                time.sleep(0.05)
        yield scene


@pytest.mark.parametrize(('kind', 'neighbour'), EVERY_PAIR)
def test_cve_2024_1727_no_act_of_another_page_reaches_easel(
    scene: Scene, kind: str, neighbour: str
) -> None:
    url, before = scene.worlds.urls[kind], scene.everything()
    answers: list[str | None] = []
    statuses: list[int] = []
    with scene.signed_in(kind) as context:
        page = scene.evil_page(context, kind, neighbour)
        page.on('requestfailed', lambda request: answers.append(request.failure))
        page.evaluate(ATTACK, [url, ACTS, BODY, EVERY_PAIR.index((kind, neighbour))])
        context.new_page()  # The first one's beacons may still be under way.
        for policy in ('no-referrer', 'same-origin', 'unsafe-url'):
            page = scene.evil_page(context, kind, neighbour)
            with page.expect_navigation() as navigating:
                page.evaluate(SUBMIT, [url, policy])
            statuses.append(getattr(navigating.value, 'status', 0))

    assert len(answers) >= len(ACTS) * 3 // 4
    assert set(answers) == {KEPT_BACK}
    assert statuses == [403] * 3
    assert scene.everything() == before


@pytest.mark.parametrize(('kind', 'neighbour'), PAIRS)
def test_cve_2023_40170_another_page_includes_and_reads_nothing(
    scene: Scene, kind: str, neighbour: str
) -> None:
    url = scene.worlds.urls[kind]
    with scene.program() as program:
        image = program.get('/images/1.json').json()
        sheet = program.get('/').text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    paths = (image['url'], image['thumb_url'], sheet, '/gallery', '/gallery.json', '/health')
    scene.evil.pages['/own.js'] = 'void 0'

    with scene.signed_in(kind) as context:
        page = scene.evil_page(context, kind, neighbour)
        loaded = page.evaluate(INCLUDE, ['/own.js', *(url + path for path in paths)])

    assert 'fetch /own.js' in loaded
    assert [one for one in loaded if url in one] == []


@pytest.mark.parametrize(('kind', 'neighbour'), PAIRS)
def test_row_16_no_page_can_be_framed(scene: Scene, kind: str, neighbour: str) -> None:
    url = scene.worlds.urls[kind]
    with scene.program() as program:
        file = program.get('/images/1.json').json()['url']
    paths = ('/', '/gallery', '/settings', '/session', '/nope', file)
    frames = ''.join(f'<iframe src="{url}{path}"></iframe>' for path in paths)
    scene.evil.pages['/frames'] = f'<!doctype html><body>{frames}<iframe src="/"></iframe>'

    with scene.signed_in(kind) as context:
        page = scene.evil_page(context, kind, neighbour)
        page.goto(page.url + 'frames')
        for frame in page.frames[1:]:
            frame.wait_for_url(lambda shown: shown != '')
        shown = [frame.url for frame in page.frames[1:]]
        texts = [frame.locator('body').inner_text() for frame in page.frames[1:-1]]

    assert len(shown) == len(paths) + 1
    assert shown[-1].endswith(f':{scene.evil.port}/')
    assert set(shown[:-1]) == {'chrome-error://chromewebdata/'}
    assert SECRET not in ''.join(texts)


@pytest.mark.parametrize('kind', KINDS)
def test_cve_2024_28224_a_rebound_name_reads_nothing_in_a_browser(scene: Scene, kind: str) -> None:
    own, before = urlsplit(scene.worlds.urls[kind]), scene.everything()
    rebound = f'{own.scheme}://rebind.test:{own.port}'

    with scene.signed_in(kind) as context:
        (page,) = context.pages
        page.goto(rebound)
        said = page.evaluate(STEAL)

    assert [status for status, _ in said] == [421] * 5
    assert SECRET not in json.dumps(said)
    assert scene.everything() == before


@pytest.mark.parametrize('kind', ['localhost', 'a plain-http name'])
def test_cve_2026_48545_a_cookie_of_another_port_signs_nobody_in_or_out(
    scene: Scene, kind: str
) -> None:
    url = scene.worlds.urls[kind]
    with scene.signed_in(kind) as context:
        tossed = [f'{one["name"]}=9999999999.{"0" * 64}' for one in context.cookies(url)]
        scene.evil.headers['/'] = [
            ('Set-Cookie', f'{one}; Path={path}') for one in tossed for path in TOSSED_PATHS
        ]
        scene.evil_page(context, kind, 'another port')
        still_in = context.new_page().goto(f'{url}/gallery')
        for path in TOSSED_PATHS:
            context.clear_cookies(path=path)
    stranger = scene.worlds.browser.new_context()
    scene.evil_page(stranger, kind, 'another port')
    scene.evil.headers['/'] = [('Set-Cookie', f'c{n}={"x" * 3900}; Path=/') for n in range(60)]
    not_in = stranger.new_page().goto(f'{url}/gallery')
    scene.evil_page(stranger, kind, 'another port')
    swamped = stranger.new_page().goto(f'{url}/session')
    stranger.close()
    scene.evil.headers.clear()

    assert still_in
    assert still_in.status == 200
    assert not_in
    assert not_in.status == 401
    assert swamped
    assert 400 <= swamped.status < 500


@pytest.mark.parametrize('kind', KINDS)
def test_cve_2026_54007_messages_of_other_windows_are_not_heard(scene: Scene, kind: str) -> None:
    url = scene.worlds.urls[kind]
    with scene.signed_in(kind) as context:
        evil = scene.evil_page(context, kind, 'another port')
        with context.expect_page() as opening:
            evil.evaluate('url => { window.other = window.open(url); }', f'{url}/generations/1')
        opened = opening.value
        opened.wait_for_load_state()
        if kind != 'behind TLS':
            opened.locator('#connection[data-state=live]').wait_for(state='attached')
        before = opened.content()
        for message in (
            {'type': 'execute', 'code': 'document.body.remove()'},
            'reload',
            '{"id":1}',
        ):
            evil.evaluate("message => window.other.postMessage(message, '*')", message)
        opened.evaluate('() => new Promise((done) => setTimeout(done, 50))')
        after = opened.content()

    assert (SECRET in before) is (kind != 'behind TLS')  # http is another site than https
    assert after == before

"""Takes the pictures of this folder: `.venv/bin/python docs/screenshots.py`.

Starts Easel with the demo alone, has a few prompts drawn, and photographs every page at both
widths, light and dark. Needs Chromium.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402
from PIL import Image, ImageDraw, ImageFilter  # noqa: E402
from playwright.sync_api import Browser, BrowserContext  # noqa: E402

from app.demo.painter.scene import draw  # noqa: E402
from tests.support.browser import DESKTOP, PHONE, chromium  # noqa: E402
from tests.support.servers import Easel, executed, running_demo, running_easel  # noqa: E402

DOCS = ROOT / 'docs'
PROMPTS = (
    ('Volcano at first light, woodcut', '1344x768'),
    ('Moss garden, macro, soft rain', '1024x1024'),
    ('Night train crossing a viaduct', '1024x1536'),
    ('Old observatory above the clouds', '1536x1024'),
    ('Тихая гавань на рассвете, акварель', '1344x768'),
    ('Desert highway, heat haze, red sun', '1024x1024'),
    ('Fox asleep in tall grass, morning fog', '1536x1024'),
    ('A city at night in the rain', '1024x1536'),
    ('Sunflower field under a wide sky', '1344x768'),
    ('Snow-covered ridge under two moons, risograph print', '1024x1536'),
    ('A lighthouse at dusk, long exposure, calm sea', '1536x1024'),
)
SEED = '2026'
PAGES = {
    'create': '/',
    'gallery': '/gallery',
    'image': '/images/11',
    'albums': '/albums',
    'trash': '/gallery?deleted=1',
    'compare': '/compare?image=11&image=10',
    'generations': '/generations',
    'settings': '/settings',
    'server': '/settings/providers/environment',
    'install': '/install',
    'not-found': '/nope',
}
ALBUMS = (
    ({'name': 'By the sea'}, (5, 11)),
    ({'name': 'Quiet evenings'}, (3, 7, 11)),
    ({'name': 'Portraits', 'q': 'shape:portrait'}, ()),
)  # the images by their ids, which are those of the prompts
TRASHED = (1, 2)
GUESTS = (
    {'name': 'Mira', 'makes': 'on', 'sees_all': 'on', 'lifetime': 'month'},
    {'name': 'Tom', 'sees_all': 'on'},
)
EDITED = ('11', '10')  # the lighthouse, and a picture for its colours
MOON, ITS_PATH = (865, 320, 1030, 480), ((900, 610), (995, 610), (1070, 1024), (820, 1024))
EDITS = (
    {'prompt': 'Recolour the moon and its path on the water, orange', 'model': 'ignores-mask'},
    {'prompt': 'The moon in the colours of the second picture', 'model': 'recolour'},
)
EMPTY = {'sign-in': '/session', 'empty': '/'}
PASSWORD = 'a password for the picture'  # noqa: S105 (of a server that lives for seconds)
QUALITY = 82


def main() -> None:
    """Draw the prompts, then photograph each page."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(draw) as upstream,
        running_easel(Path(folder) / 'data', {'EASEL_API_URL': upstream}, executed) as easel,
        chromium() as browser,
    ):
        for prompt, size in PROMPTS:
            easel.draw(prompt=prompt, size=size, seed=SEED)
        easel.draw(prompt='Polar station in a whiteout, one red lamp', model='fail-429')
        easel.submit(prompt='A harbour of paper boats', model='slow-90', size='1536x1024')
        with easel.client() as client:
            form = {'base_url': upstream, 'name': 'studio', 'model': 'sketch', 'key': 'a-key'}
            for address, fields in (('', form), ('/1/test', {})):
                address = f'/settings/providers{address}'
                client.post(address, data=fields, follow_redirects=True).raise_for_status()
            keep(client)
        photograph_all(browser, easel, PAGES)
        photograph_all(browser, easel, edit(easel))
        with easel.client() as owner:
            owner.post('/share', data={'sharing': 'on'})
            for guest in GUESTS:
                owner.post('/share/guests', data=guest, headers={'Origin': easel.url})
            photograph_all(browser, easel, {'sharing': '/share'}, dict(owner.cookies))
    for name, address in EMPTY.items():
        secret = {'EASEL_PASSWORD': PASSWORD} if name == 'sign-in' else {}
        with (
            tempfile.TemporaryDirectory() as folder,
            running_demo(draw) as upstream,
            running_easel(
                Path(folder) / 'data', {'EASEL_API_URL': upstream, **secret}, executed
            ) as easel,
            chromium() as browser,
        ):
            photograph_all(browser, easel, {name: address})


def keep(client: httpx.Client) -> None:
    """Put pictures into albums, favourites and the trash."""
    for album, (fields, images) in enumerate(ALBUMS, start=1):
        client.post('/albums', data=fields)
        if images:
            select(client, images, act='add', album=str(album))
    select(client, (4, 11), act='favourite')
    select(client, TRASHED, act='delete')


def select(client: httpx.Client, images: tuple[int, ...], **fields: str) -> None:
    """Do an act on pictures."""
    client.post('/images/selection', data={'image': images, **fields})


def edit(easel: Easel) -> dict[str, str]:
    """Start from pictures, and lay the first original back; return the pages that show it."""
    mask, file = Image.new('L', (1536, 1024)), io.BytesIO()
    ImageDraw.Draw(mask).ellipse(MOON, fill='white')
    ImageDraw.Draw(mask).polygon(ITS_PATH, fill='white')
    mask.filter(ImageFilter.GaussianBlur(8)).save(file, 'PNG')
    found: list[int] = []
    with easel.client() as client:
        for fields in EDITS:
            form = {**fields, 'source': EDITED if found else EDITED[:1], 'seed': SEED}
            files = {'mask': ('mask.png', file.getvalue())}
            answer = client.post('/generations', data=form, files=files)
            found.append(int(answer.headers['location'].rpartition('-')[2]))
            easel.wait(found[-1])
        changed = client.get(f'/generations/{found[0]}.json').json()['images'][0]['id']
        client.post(f'/images/{changed}/laying-back')
    form_address = f'/?from={found[1]}'
    return {'sources': form_address, 'mask': form_address, 'edit': f'/images/{changed}'}


def photograph_all(
    browser: Browser, easel: Easel, pages: dict[str, str], cookies: dict[str, str] | None = None
) -> None:
    """Take each page at both widths, light and dark."""
    for name, address in pages.items():
        for theme in ('light', 'dark'):
            for phone, kind in ((False, ''), (True, '-phone')):
                context = browser.new_context(
                    viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
                    color_scheme='dark' if theme == 'dark' else 'light',
                    has_touch=phone,
                )
                for cookie, value in (cookies or {}).items():
                    context.add_cookies([{'name': cookie, 'value': value, 'url': easel.url}])
                photograph(context, easel.url + address, f'{name}{kind}-{theme}')
                context.close()


def photograph(context: BrowserContext, address: str, name: str) -> None:
    """Take one picture."""
    page = context.new_page()
    page.goto(address, wait_until='load')
    if address.endswith('/') and 'empty' not in name:
        page.get_by_role('textbox', name='Prompt').fill(PROMPTS[-1][0])
    if name.startswith('mask'):
        page.locator('[data-mask]:visible').first.click()
    if name.startswith('edit'):
        page.get_by_role('button', name='Before and after').click()
    page.wait_for_timeout(1200)
    page.screenshot(path=DOCS / f'{name}.jpg', type='jpeg', quality=QUALITY)


if __name__ == '__main__':
    main()

"""Pictures that are not, or not only, pictures: refused, or served as nothing else."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser

from app.storage.health import PROBE
from tests.support.fakes import picture
from tests.support.servers import Easel, running_demo, running_easel
from tests.support.static_server import Quiet, serving
from tests.support.text_places import Seen, watched_page

SCRIPT = '<html><body><script>pwned(1)</script><img src=x onerror=pwned(1)></body></html>'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="pwned(1)"><script>pwned(1)</script></svg>'
XSL = '<?xml-stylesheet type="text/xsl" href="data:text/xml,x"?>'
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><script>pwned(1)</script></html>'


def with_text() -> bytes:
    texts = PngImagePlugin.PngInfo()
    for name in ('Comment', 'parameters', 'XML:com.adobe.xmp'):
        texts.add_text(name, SCRIPT)
    file = io.BytesIO()
    Image.new('RGB', (8, 6)).save(file, 'PNG', pnginfo=texts, icc_profile=SCRIPT.encode())
    return file.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SCRIPT
    exif[0x9286] = SCRIPT.encode()
    file = io.BytesIO()
    Image.new('RGB', (8, 6)).save(file, 'JPEG', exif=exif, comment=SCRIPT.encode())
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('a.html', SCRIPT)
    return file.getvalue()


NO_PICTURES = {
    'svg': SVG.encode(),
    'svg with a head': b'<?xml version="1.0"?>\n' + SVG.encode(),
    'html': SCRIPT.encode(),
    'html behind blanks': b'\xef\xbb\xbf \n\t' + SCRIPT.encode(),
    'xhtml': XHTML.encode(),
    'xml with a style': (XSL + '<a/>').encode(),
    'pdf': b'%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj',
    'zip': zipped(),
    'script': b'GIF89a=1;pwned(1)//',
    'gif head and html': b'GIF89a' + SCRIPT.encode(),
    'png head and html': b'\x89PNG\r\n\x1a\n' + SCRIPT.encode(),
    'jpeg head and html': b'\xff\xd8\xff\xe0' + SCRIPT.encode(),
    'webp head and html': b'RIFF\x10\x00\x00\x00WEBP' + SCRIPT.encode(),
    'shell': b'#!/bin/sh\nid',
    'tiff': b'II*\x00' + bytes(40),
    'bmp': b'BM' + bytes(60),
    'icon': b'\x00\x00\x01\x00' + bytes(40),
}
BOTH = {
    'png and html': picture() + SCRIPT.encode(),
    'jpeg and html': picture(form='JPEG') + SCRIPT.encode(),
    'gif and html': picture(form='GIF') + SCRIPT.encode(),
    'webp and html': picture(form='WEBP') + SCRIPT.encode(),
    'png with texts': with_text(),
    'jpeg with exif': with_exif(),
}
EVERY = {**NO_PICTURES, **BOTH}


@pytest.fixture(scope='module')
def handing() -> Iterator[str]:
    """Hand over what the prompt names, as base64, as a data address, or by an address."""

    class Handler(Quiet):
        def post(self) -> None:
            way, _, name = json.loads(self.body())['prompt'].partition(': ')
            text = base64.b64encode(EVERY[name]).decode()
            items = {
                'base64': {'b64_json': text},
                'data': {'url': f'data:image/svg+xml;base64,{text}'},
                'address': {'url': f'/{list(EVERY).index(name)}.svg'},
            }
            self.answer(200, 'application/json', json.dumps({'data': [items[way]]}).encode())

        def get(self) -> None:
            number = re.fullmatch(r'/(\d+)\.svg', self.path)
            content = list(EVERY.values())[int(number[1])] if number else b'{"data": []}'
            self.answer(200, 'image/svg+xml' if number else 'application/json', content)

    with serving(Handler) as port:
        yield f'http://127.0.0.1:{port}/v1'


@pytest.fixture(scope='module')
def easel(handing: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    data = tmp_path_factory.mktemp('active') / 'data'
    with running_easel(data, {'EASEL_API_URL': handing}) as running:
        yield running


def files(easel: Easel) -> list[Path]:
    found = [path for path in (easel.data / 'images').rglob('*') if path.is_file()]
    return [path for path in found if path.name != PROBE]


@pytest.mark.parametrize('way', ['base64', 'data', 'address'])
def test_cve_2026_45314_what_is_no_picture_is_not_kept(easel: Easel, way: str) -> None:
    before = files(easel)

    drawn = [easel.draw(prompt=f'{way}: {name}') for name in NO_PICTURES]

    kinds = {str(one['error']['kind']) for one in drawn if isinstance(one['error'], dict)}
    assert {one['status'] for one in drawn} == {'failed'}
    assert kinds <= {'not_an_image', 'bad_image', 'empty', 'image_fetch_failed'}
    assert files(easel) == before
    assert list((easel.data / 'arriving').iterdir()) == []


@pytest.mark.browser
def test_cve_2025_46571_a_picture_that_is_a_page_as_well_runs_nothing(
    easel: Easel, browser: Browser
) -> None:
    drawn = [easel.draw(prompt=f'base64: {name}') for name in BOTH]
    images = [image for one in drawn for image in one['images']]  # type: ignore[attr-defined]
    seen = Seen()

    context, page = watched_page(browser, easel.url, seen)
    for image in images:
        answers = [page.goto(easel.url + image[name]) for name in ('url', 'thumb_url')]
        kinds = {answer.headers['content-type'] for answer in answers if answer}
        assert kinds <= {image['mime'], 'image/webp'}
        page.goto(f'{easel.url}/images/{image["id"]}')
    context.close()

    assert {one['status'] for one in drawn} == {'done'}
    assert len(images) == len(BOTH)
    assert seen.events + seen.outside == []


def test_cve_2024_4325_no_field_of_a_visitor_is_fetched(tmp_path: Path) -> None:
    asked: list[str] = []

    class Sink(Quiet):
        def get(self) -> None:
            asked.append(self.path)
            self.answer(200, 'image/png', picture())

        post = get

    with (
        serving(Sink) as port,
        running_demo() as url,
        running_easel(tmp_path / 'data', {'EASEL_API_URL': url}) as easel,
        easel.client() as client,
    ):
        there = f'http://127.0.0.1:{port}/x.png'
        named = ('image', 'image_url', 'url', 'file', 'path', 'callback', 'webhook', 'src')
        known = ('model', 'quality', 'negative_prompt', 'sampler', 'submission')
        drawn = easel.draw(prompt=there, **dict.fromkeys((*named, *known), there))
        masked = client.post('/generations', data={'prompt': 'a', 'mask': there})
        for page in ('/', '/gallery', '/settings/providers/new', '/generations'):
            for name in (*named, 'q', 'prompt', 'base_url', 'name', 'back'):
                client.get(page, params={name: there})
        for path in (f'/files/{there}', f'/thumbs/{there}', f'/static/{there}', f'/{there}'):
            assert client.get(path).status_code == 404
        client.post('/reading', files={'picture': ('x.png', b'')}, data={'picture_url': there})

    assert drawn['status'] in ('done', 'failed')
    assert masked.status_code == 422
    assert asked == []

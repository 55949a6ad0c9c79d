"""The embedded provider: how it reads pictures that are large, and of any kind."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from app.demo.render import edit_stages
from app.demo.request import RequestError, read_request
from app.demo.uploads import Uploads
from tests.support.edited import INSIDE, SIZE, mask, photo
from tests.support.picture_checks import opened, png
from tests.test_decoder import png_of


def edited(image: bytes, cover: bytes = b'', **fields: object) -> Image.Image:
    uploads = Uploads((io.BytesIO(image),), io.BytesIO(cover) if cover else None)
    [made] = edit_stages(read_request({'prompt': 'make it blue', **fields}), uploads, 0)
    return opened(made)


def test_a_large_picture_and_its_mask_come_back_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('app.demo.render._MOST_DRAWN', SIZE[0] * SIZE[1] // 4)

    picture = edited(png(photo()), png(mask()))

    left, top, right, bottom = (side // 2 for side in INSIDE)
    small = photo().resize((SIZE[0] // 2, SIZE[1] // 2), Image.Resampling.BOX)
    difference = ImageChops.difference(picture, small).convert('L').point(lambda v: v > 8 and 255)
    assert picture.size == small.size
    assert difference.getbbox() == (left, top, right, bottom)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'L', 'LA', 'P', 'I;16'])
def test_a_picture_is_edited_whatever_its_colours_are(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('app.demo.render._STRIP_PIXELS', 7 * 99)
    source = Image.new('L', (99, 67), 51).convert('RGB' if mode == 'P' else mode)

    picture = edited(png(source.convert(mode)), size='33x22', strength=0)

    assert picture.getcolors() == [(33 * 22, (51, 51, 51))]


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_a_large_jpeg_is_never_decoded_whole(tmp_path: Path) -> None:
    Image.new('RGB', (8000, 5000), 'teal').save(tmp_path / 'large.jpeg')
    code = (
        'import sys; from pathlib import Path; from app.demo.render import edit_stages;'
        'from app.demo.request import read_request; from app.demo.uploads import Uploads;'
        "asked = read_request({'prompt': 'make it blue', 'size': '256x256'});"
        "edit_stages(asked, Uploads((open(sys.argv[1], 'rb'),), None), 0);"
        "print(Path('/proc/self/status').read_text())"
    )

    told = subprocess.run(
        [sys.executable, '-c', code, str(tmp_path / 'large.jpeg')],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    peak_kb = int(told.stdout.partition('VmHWM:')[2].split()[0])
    assert peak_kb < 100_000  # whole it would be 160 MB alone


def test_a_picture_that_would_take_too_much_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        edited(png_of(6001, 4000))

    assert refused.value.code == 'image_too_large'
    assert refused.value.message == "'image' must have at most 24000000 pixels."

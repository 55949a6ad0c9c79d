"""What servers are sent to start from: upright, plain, whole; and masks, pixel for pixel."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from app.errors import ProviderError
from app.storage.decoding.colours import TURNS
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.edit_orders import make_sent_mask, make_sent_picture
from app.storage.edit_input import SentMask, SentPicture
from app.storage.metadata.mime import mime_of
from tests.support.labelled_pictures import LABEL, labelled, profile
from tests.test_decoder import animated, chunk, cmyk, grey_16, png_of, saved, see_through_palette

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals'),
]

SIZE = (7, 5)


async def sent(
    decoder: Decoder, folder: Path, content: bytes, *, as_png: bool = False
) -> tuple[SentPicture, Image.Image]:
    source, target = folder / 'source', folder / 'target.part'
    source.write_bytes(content)
    mime = mime_of(content)
    assert mime
    made = await make_sent_picture(decoder, source, mime, target, as_png=as_png)
    with Image.open(target) as found:
        found.load()
    assert (made.width, made.height, made.size_bytes) == (*found.size, target.stat().st_size)
    assert found.get_format_mimetype() == made.mime
    return made, found


def corners(mode: str = 'RGB') -> Image.Image:
    """Draw a picture that looks different from every side."""
    image = Image.new('RGB', SIZE, (10, 20, 30))
    for place, colour in (((0, 0), (250, 0, 0)), ((6, 0), (0, 250, 0)), ((0, 4), (0, 0, 250))):
        image.putpixel(place, colour)
    return image.convert(mode)


def colours_16() -> bytes:
    return png_of(2, 1, 16, 2, b'\x00' + struct.pack('>6H', 0xFF80, 0, 0x8040, 1, 2, 3))


MODES = {
    'colours': (saved(corners()), 'RGB', (250, 0, 0)),
    'grey': (saved(corners('L')), 'RGB', (75, 75, 75)),
    'one bit': (saved(Image.new('1', SIZE, 1)), 'RGB', (255, 255, 255)),
    '16 bits of grey': (grey_16(), 'RGB', (128, 128, 128)),
    '16 bits a colour': (colours_16(), 'RGB', (255, 0, 128)),
    'see-through': (saved(Image.new('RGBA', SIZE, (9, 8, 7, 6))), 'RGBA', (9, 8, 7, 6)),
    'see-through grey': (saved(Image.new('LA', SIZE, (9, 8))), 'RGBA', (9, 9, 9, 8)),
    'a palette': (saved(corners('P')), 'RGB', (255, 0, 0)),
    'a see-through palette': (see_through_palette(1), 'RGBA', (10, 200, 30, 0)),
    'frames of GIF': (animated(3), 'RGB', (0, 0, 0)),
    'WebP': (saved(corners(), 'WEBP', lossless=True), 'RGB', (250, 0, 0)),
    'AVIF': (saved(Image.new('RGB', (16, 16), (90, 90, 90)), 'AVIF'), 'RGB', (90, 90, 90)),
}


@pytest.mark.parametrize('name', MODES)
async def test_a_picture_of_any_kind_is_sent_in_8_bits_of_colour(
    name: str, decoder: Decoder, tmp_path: Path
) -> None:
    content, mode, colour = MODES[name]

    made, found = await sent(decoder, tmp_path, content)

    assert made.mime == 'image/png'
    assert (found.mode, found.getpixel((0, 0))) == (mode, colour)


async def test_cmyk_becomes_colours_and_stays_a_jpeg(decoder: Decoder, tmp_path: Path) -> None:
    made, found = await sent(decoder, tmp_path, cmyk())

    assert (made.mime, found.mode, found.getpixel((0, 0))) == ('image/jpeg', 'RGB', (254, 0, 0))


@pytest.mark.parametrize('side', range(1, 9))
@pytest.mark.parametrize('as_png', [True, False])
async def test_a_photograph_is_sent_upright_and_says_nothing_of_itself(
    side: int, decoder: Decoder, tmp_path: Path, *, as_png: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = side, 'Somebody'
    content = saved(corners(), 'JPEG', quality=95, subsampling=0, exif=exif, comment=b'secret')
    with Image.open(io.BytesIO(content)) as opened:
        upright = opened.convert('RGB')
    if side in TURNS:
        upright = upright.transpose(TURNS[side])

    made, found = await sent(decoder, tmp_path, content, as_png=as_png)

    most = max(ImageChops.difference(found, upright).tobytes())
    assert made.mime == ('image/png' if as_png else 'image/jpeg')
    assert most <= (0 if as_png or side == 1 else 24)
    assert not {'exif', 'comment', 'icc_profile', 'xmp'} & set(found.info)


async def test_neither_prompt_nor_profile_is_sent(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / 'own.png').write_bytes(saved(corners(), icc_profile=profile()))
    content = labelled(tmp_path / 'own.png').path.read_bytes()

    _, found = await sent(decoder, tmp_path, content)

    assert LABEL.prompt.encode() in content
    assert found.info == {}
    assert found.getpixel((0, 0)) == pytest.approx((250, 0, 0), abs=1)


async def test_colours_are_sent_as_they_are_shown(decoder: Decoder, tmp_path: Path) -> None:
    linear = chunk(b'gAMA', struct.pack('>I', 100_000))
    plain = saved(Image.new('RGB', SIZE, (128, 128, 128)))

    _, found = await sent(decoder, tmp_path, plain[:33] + linear + plain[33:])

    assert found.getpixel((0, 0)) == pytest.approx((188, 188, 188), abs=1)


async def masks(
    decoder: Decoder, folder: Path, kept: Image.Image, *, inverted: bool = False
) -> tuple[SentMask, Image.Image, Image.Image]:
    source, grey, dual = folder / 'mask.png', folder / 'grey.part', folder / 'dual.part'
    kept.save(source)
    of = SentPicture(path=source, mime='image/png', width=256, height=2, size_bytes=1)
    made = await make_sent_mask(decoder, source, of, grey, dual, inverted=inverted)
    with Image.open(grey) as opened_grey, Image.open(dual) as opened_dual:
        opened_grey.load()
        opened_dual.load()
    return made, opened_grey, opened_dual


def every_grey() -> Image.Image:
    return Image.linear_gradient('L').rotate(90).resize((256, 2))


@pytest.mark.parametrize('inverted', [False, True])
async def test_a_mask_says_the_same_by_its_grey_and_by_its_alpha(
    decoder: Decoder, tmp_path: Path, *, inverted: bool
) -> None:
    wanted = ImageChops.invert(every_grey()) if inverted else every_grey()

    made, grey, dual = await masks(decoder, tmp_path, every_grey(), inverted=inverted)

    red, green, blue, alpha = dual.split()
    assert len(set(every_grey().tobytes())) == 256
    assert (grey.mode, grey.tobytes(), grey.info) == ('L', wanted.tobytes(), {})
    assert {one.tobytes() for one in (red, green, blue)} == {wanted.tobytes()}
    assert alpha.tobytes() == ImageChops.invert(wanted).tobytes()
    assert {(one.mime, one.width, one.height) for one in (made.grey, made.dual)} == {
        ('image/png', 256, 2)
    }


async def test_a_mask_of_another_size_is_refused(decoder: Decoder, tmp_path: Path) -> None:
    with pytest.raises(ProviderError):
        await masks(decoder, tmp_path, Image.new('L', (2, 256)))

"""What a mask protects: how much of it changed, and laid back, identical beyond the feather."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from app.errors import ProviderError
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.edit_orders import Protected, lay_back, measure_change
from app.storage.metadata.mime import PNG, mime_of
from tests.support.labelled_pictures import profile
from tests.test_decoder import saved

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals'),
]

WIDE, HIGH = SIZE = (96, 64)
FEATHER = 1  # of a picture of this size


def scene(mode: str = 'RGB') -> Image.Image:
    """Draw a picture with smooth colours, so that bringing it to another size changes little."""
    shade, across = (Image.linear_gradient('L').rotate(turn).resize(SIZE) for turn in (0, 90))
    colours = Image.merge('RGB', (shade, ImageChops.invert(shade), across))
    if mode == 'RGBA':
        colours.putalpha(shade)
    return colours.convert(mode)


def right_half(size: tuple[int, int] = SIZE, white: int = 255) -> Image.Image:
    """Draw a mask by which the right half may change."""
    mask = Image.new('L', size, 0)
    mask.paste(white, (size[0] // 2, 0, *size))
    return mask


def repainted(picture: Image.Image, box: tuple[int, int, int, int], by: int = 100) -> Image.Image:
    """Change every channel in a box by so much."""
    changed = picture.copy()
    part = picture.crop(box).point(lambda value: value + by if value < 128 else value - by)
    changed.paste(part, box)
    return changed


def protected(
    folder: Path, mask: Image.Image | None = None, source: bytes | None = None
) -> Protected:
    (folder / 'source').write_bytes(source or saved(scene()))
    (mask or right_half()).save(folder / 'mask.png')
    mime = mime_of(source or saved(scene()))
    assert mime
    return Protected(source=folder / 'source', mime=mime, mask=folder / 'mask.png')


async def share_of(decoder: Decoder, folder: Path, of: Protected, answer: Image.Image) -> float:
    answer.save(folder / 'answer.png')
    return await measure_change(decoder, of, folder / 'answer.png', PNG)


async def laid_back(
    decoder: Decoder, folder: Path, of: Protected, answer: Image.Image
) -> Image.Image:
    answer.save(folder / 'answer.png')
    await lay_back(decoder, of, folder / 'answer.png', PNG, folder / 'laid.part')
    with Image.open(folder / 'laid.part') as found:
        found.load()
    assert found.format == 'PNG'
    return found


KEPT = WIDE // 2 - FEATHER  # columns that are protected
SHARES: dict[str, tuple[Callable[[], Image.Image], float]] = {
    'the same': (scene, 0),
    'what may change': (lambda: repainted(scene(), (WIDE // 2, 0, *SIZE)), 0),
    'what is in the feather': (lambda: repainted(scene(), (WIDE // 2 - 1, 0, *SIZE)), 0),
    'all': (lambda: repainted(scene(), (0, 0, *SIZE)), 1),
    'a little of each pixel': (lambda: repainted(scene(), (0, 0, *SIZE), 16), 0),
    'a little more': (lambda: repainted(scene(), (0, 0, *SIZE), 17), 1),
    'the upper half': (lambda: repainted(scene(), (0, 0, WIDE, HIGH // 2)), 0.5),
    'one column': (lambda: repainted(scene(), (0, 0, 1, HIGH)), 1 / KEPT),
    'one channel': (
        lambda: Image.merge('RGB', (*scene().split()[:2], Image.new('L', SIZE))),
        (scene().getchannel(2).point(lambda v: 255 * (v > 16)).crop((0, 0, KEPT, HIGH)))
        .histogram()[255] / (KEPT * HIGH),
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', SHARES)
async def test_the_share_of_what_is_protected_and_changed_is_exact(
    name: str, decoder: Decoder, tmp_path: Path
) -> None:
    answer, share = SHARES[name]

    found = await share_of(decoder, tmp_path, protected(tmp_path), answer())

    assert found == pytest.approx(share)


async def test_an_answer_of_another_size_is_compared_at_its_own(
    decoder: Decoder, tmp_path: Path
) -> None:
    of = protected(tmp_path)
    small = scene().resize((48, 32), Image.Resampling.LANCZOS)

    same = await share_of(decoder, tmp_path, of, small)
    upper = await share_of(decoder, tmp_path, of, repainted(small, (0, 0, 48, 16)))

    assert (same, upper) == (0, 0.5)


@pytest.mark.parametrize('size', [(64, 64), (96, 32)])
@pytest.mark.parametrize('is_cut', [True, False])
async def test_an_answer_of_another_shape_is_cut_or_squeezed_whatever_fits(
    size: tuple[int, int], decoder: Decoder, tmp_path: Path, *, is_cut: bool
) -> None:
    left, top = (WIDE - size[0]) // 2, (HIGH - size[1]) // 2
    middle = (left, top, left + size[0], top + size[1])
    whole = scene()
    answer = whole.crop(middle) if is_cut else whole.resize(size, Image.Resampling.LANCZOS)
    of = protected(tmp_path)

    share = await share_of(decoder, tmp_path, of, answer)
    found = await laid_back(decoder, tmp_path, of, repainted(answer, (size[0] // 2, 0, *size)))

    assert share == 0
    assert found.size == SIZE
    assert same_in(found, whole, (0, 0, KEPT, HIGH))
    if is_cut:  # where the answer shows nothing, the original stays
        outside = (WIDE - left, 0, *SIZE) if left else (0, 0, WIDE, top)
        assert same_in(found, whole, outside)


async def test_an_answer_that_is_a_mere_line_is_squeezed(decoder: Decoder, tmp_path: Path) -> None:
    found = await laid_back(
        decoder, tmp_path, protected(tmp_path), Image.new('RGB', (4_000, 1), (200, 30, 40))
    )

    assert same_in(found, scene(), (0, 0, KEPT, HIGH))


def same_in(one: Image.Image, other: Image.Image, box: tuple[int, int, int, int]) -> bool:
    return one.crop(box).tobytes() == other.crop(box).tobytes()


SOURCES = {
    'colours': saved(scene()),
    'see-through': saved(scene('RGBA')),
    'grey': saved(scene('L')),
    'JPEG': saved(scene(), 'JPEG'),
    'with a profile': saved(scene(), icc_profile=profile()),
}


@pytest.mark.parametrize('name', SOURCES)
@pytest.mark.parametrize('mode', ['RGB', 'RGBA'])
async def test_what_is_protected_is_identical_and_the_rest_is_the_answers(
    name: str, mode: str, decoder: Decoder, tmp_path: Path
) -> None:
    of = protected(tmp_path, source=SOURCES[name])
    with Image.open(of.source) as opened:
        profiled = opened.info.get('icc_profile')
        original = opened.convert('RGBA' if 'RGBA' in (opened.mode, mode) else 'RGB')
    answer = Image.new(mode, SIZE, (200, 30, 40))

    found = await laid_back(decoder, tmp_path, of, answer)

    assert same_in(found, original, (0, 0, KEPT, HIGH))
    assert same_in(found.convert('RGB'), answer.convert('RGB'), (WIDE // 2, 0, *SIZE)) or profiled
    assert found.info.get('icc_profile') == profiled
    assert await share_of(decoder, tmp_path, of, found) == 0


ALIKE: dict[str, tuple[str, Callable[[], Image.Image], bool]] = {
    'what may change': ('colours', lambda: repainted(scene(), (WIDE // 2, 0, *SIZE)), True),
    'seen through by nobody': ('colours', lambda: scene().convert('RGBA'), True),
    'less than is noticed': ('colours', lambda: repainted(scene(), (0, 0, 1, 1), 1), False),
    'what is in the feather': (
        'colours', lambda: repainted(scene(), (WIDE // 2 - 1, 0, *SIZE)), False,
    ),
    'what is seen through': ('see-through', scene, False),
    'another size': ('colours', lambda: scene().resize((WIDE * 2, HIGH * 2)), False),
    'other colours': ('with a profile', scene, False),
}  # fmt: skip


@pytest.mark.parametrize('name', ALIKE)
async def test_an_answer_that_shows_just_what_would_be_laid_back_is_left_as_it_is(
    name: str, decoder: Decoder, tmp_path: Path
) -> None:
    source, answer, is_same = ALIKE[name]
    of = protected(tmp_path, source=SOURCES[source])
    answer().save(tmp_path / 'answer.png')

    differs = await lay_back(decoder, of, tmp_path / 'answer.png', PNG, tmp_path / 'laid.part')

    assert differs is not is_same
    assert (tmp_path / 'laid.part').exists() is differs


async def test_a_soft_mask_blends_and_half_of_it_is_the_answers(
    decoder: Decoder, tmp_path: Path
) -> None:
    mask = Image.new('L', SIZE, 64)
    mask.paste(0, (0, 0, 20, HIGH))
    mask.paste(128, (70, 0, *SIZE))
    of = protected(tmp_path, mask, saved(Image.new('RGB', SIZE, (0, 0, 0))))

    found = await laid_back(decoder, tmp_path, of, Image.new('RGB', SIZE, (255, 255, 255)))

    assert [found.getpixel((x, 30)) for x in (10, 40, 90)] == [(0,) * 3, (128,) * 3, (255,) * 3]


async def test_the_original_is_upright_where_it_is_laid_back(
    decoder: Decoder, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(scene(), 'JPEG', exif=exif)
    of = protected(tmp_path, right_half((HIGH, WIDE)), turned)
    with Image.open(of.source) as opened:
        original = opened.transpose(Image.Transpose.ROTATE_270)

    found = await laid_back(decoder, tmp_path, of, Image.new('RGB', (HIGH, WIDE)))

    assert same_in(found, original, (0, 0, HIGH // 2 - FEATHER, WIDE))


async def test_a_mask_of_another_size_measures_nothing(decoder: Decoder, tmp_path: Path) -> None:
    with pytest.raises(ProviderError):
        await share_of(decoder, tmp_path, protected(tmp_path, right_half((9, 9))), scene())

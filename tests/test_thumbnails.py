"""Thumbnails: their colours, and how they come again; and the label as a PNG has it."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from app.models import StoredImage
from app.models.request import Size
from app.storage.decoding.colours import shown_colours
from app.storage.decoding.decoder import Decoded, Decoder
from app.storage.files import remove
from app.storage.metadata.container import DamagedContainer, write
from app.storage.metadata.copies import stripped
from app.storage.metadata.jpeg import segment, shown_side
from app.storage.metadata.label import Label
from app.storage.metadata.mime import mime_of
from app.storage.store import THUMB_WIDTHS, Store
from tests.support.fakes import picture, received_in, storing
from tests.support.hostile_pictures import chunk
from tests.support.labelled_pictures import label_of
from tests.support.servers import ROOT

FIELD = ROOT / 'tests' / 'data' / 'field'
XMP_ORIENTATION = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def exif_of(side: int, kind: int = 3, count: int = 1) -> bytes:
    """Write EXIF that says which side is up, as a value of this type and count."""
    value = struct.pack('>HH', side, side) if count == 2 else struct.pack('>HH', side, 0)
    value = struct.pack('>I', side) if kind == 4 else value
    tag = struct.pack('>HHI', 0x0112, kind, count) + value
    return b'Exif\0\0MM\0*\0\0\0\x08\0\x01' + tag + bytes(4)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with storing(tmp_path) as store:
        yield store


async def keep(store: Store, content: bytes, prompt: str = 'a cat') -> StoredImage:
    return await store.keep(received_in(store, content), label_of(prompt, 1.0))


async def test_a_thumbnail_keeps_the_colour_profile_of_its_picture(store: Store) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    content = BytesIO()
    Image.new('RGB', (600, 400), (200, 30, 40)).save(content, 'PNG', icc_profile=profile)

    kept = await keep(store, content.getvalue())

    with Image.open(store.thumb(kept.digest, THUMB_WIDTHS[0])) as thumb:
        assert thumb.info['icc_profile'] == profile


@pytest.mark.parametrize('left', [b'', None], ids=['empty', 'gone'])
async def test_a_thumbnail_that_is_empty_or_gone_is_made_again(
    left: bytes | None, store: Store
) -> None:
    kept = await keep(store, picture(600, 400))
    thumb = store.thumb(kept.digest, THUMB_WIDTHS[0])
    whole = thumb.read_bytes()
    if left is None:
        thumb.unlink()
    else:
        thumb.write_bytes(left)

    await store.ensure_thumbs(kept.digest, kept.file)

    assert thumb.read_bytes() == whole


class SlowDecoder(Decoder):
    """Takes so long that the picture is deleted meanwhile."""

    async def decode(
        self, path: Path, mime: str, thumbs: Mapping[int, Path], label: Label | None = None
    ) -> Decoded:
        for thumb in thumbs.values():
            thumb.write_bytes(b'made of what is gone')
        remove(path)
        return Decoded(8, 6, '#102030')


async def test_a_picture_that_is_deleted_meanwhile_gets_no_thumbnail(store: Store) -> None:
    kept = await keep(store, picture(8, 6))
    thumbs = [store.thumb(kept.digest, width) for width in THUMB_WIDTHS]
    for thumb in thumbs:
        thumb.unlink()

    await replace(store, decoder=SlowDecoder({})).ensure_thumbs(kept.digest, kept.file)

    assert not any(thumb.exists() for thumb in thumbs)


async def test_xmp_is_a_chunk_of_international_text_whatever_its_letters(store: Store) -> None:
    kept = await keep(store, picture(8, 6), 'only ascii')

    content = store.original(kept.file).read_bytes()

    names, at = [], 8
    while at < len(content):
        length, name = struct.unpack('>I4s', content[at : at + 8])
        key = content[at + 8 : at + 8 + length].partition(b'\0')[0]
        names += [(name, key)] if name in (b'tEXt', b'iTXt') else []
        at += 12 + length
    assert (b'iTXt', b'XML:com.adobe.xmp') in names
    assert (b'tEXt', b'XML:com.adobe.xmp') not in names


async def test_a_thumbnail_of_a_grey_picture_has_no_grey_profile(store: Store) -> None:
    kept = await keep(store, (FIELD / 'gray_gamma18.png').read_bytes())

    with Image.open(store.thumb(kept.digest, THUMB_WIDTHS[0])) as thumb:
        assert (thumb.mode, 'icc_profile' in thumb.info) == ('RGB', False)


@pytest.mark.parametrize(
    ('form', 'start', 'damaged'),
    [
        ('JPEG', 2, b'\xff\xe2\0\x13ICC_PROFILE\0\x01\x03abc'),
        ('PNG', 33, chunk(b'iCCP', b'x\0\0no zlib')),
    ],
    ids=['a part of three', 'not packed'],
)
async def test_a_picture_with_a_damaged_profile_is_kept(
    store: Store, form: str, start: int, damaged: bytes
) -> None:
    plain = BytesIO()
    Image.new('RGB', (64, 48)).save(plain, form)
    content = plain.getvalue()

    kept = await keep(store, content[:start] + damaged + content[start:])

    assert (kept.width, kept.height) == (64, 48)


SWAPPED = (31_270, 32_900, 30_000, 60_000, 64_000, 33_000, 15_000, 6_000)


@pytest.mark.parametrize(
    ('gamma', 'chromaticities', 'more', 'right'),
    [
        (100_000, (), b'', (229, 133, 79)),
        (45_455, SWAPPED, b'', (57, 201, 12)),
        (45_455, (), b'', (200, 60, 20)),
        (0, (), b'', (200, 60, 20)),
        (45_455, (0,) * 8, b'', (200, 60, 20)),
        (100_000, (), chunk(b'sRGB', b'\0'), (200, 60, 20)),
    ],
    ids=['linear', 'red is green', 'as sRGB', 'impossible', 'no colours', 'sRGB besides'],
)
async def test_a_thumbnail_has_the_gamma_and_colours_that_a_png_tells(
    store: Store, gamma: int, chromaticities: tuple[int, ...], more: bytes, right: tuple[int, ...]
) -> None:
    plain = BytesIO()
    Image.new('RGB', (64, 48), (200, 60, 20)).save(plain, 'PNG')
    told = chunk(b'gAMA', struct.pack('>I', gamma)) + more
    if chromaticities:
        told += chunk(b'cHRM', struct.pack('>8I', *chromaticities))
    content = plain.getvalue()

    kept = await keep(store, content[:33] + told + content[33:])

    with Image.open(store.thumb(kept.digest, THUMB_WIDTHS[0])) as thumb:
        profile = thumb.info.get('icc_profile', b'')
        shown = thumb.convert('RGB')
    if profile:
        srgb = ImageCms.createProfile('sRGB')
        shown = ImageCms.profileToProfile(shown, BytesIO(profile), srgb) or shown
    pixel = shown.getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert max(abs(one - other) for one, other in zip(pixel, right, strict=True)) < 12  # as lossy


@pytest.mark.parametrize(
    ('mode', 'colour'),
    [('L', 128), ('LA', (128, 90)), ('I;16', 128 * 257), ('CMYK', (0, 255, 255, 0))],
)
def test_only_a_profile_of_the_own_colours_is_followed(
    mode: str, colour: int | tuple[int, ...]
) -> None:
    with Image.open(FIELD / 'gray_gamma18.png') as image:
        profile = image.info['icc_profile']
    naive, _ = shown_colours(Image.new(mode, (8, 8), colour), b'')

    shown, left = shown_colours(Image.new(mode, (8, 8), colour), profile)

    assert (shown.mode, left) == (naive.mode, b'')
    red = [one.getchannel('R').getpixel((4, 4)) for one in (naive, shown)]
    assert red == ([255, 255] if mode == 'CMYK' else [128, 147])


def test_a_profile_too_large_for_a_thumbnail_is_followed() -> None:
    large = srgb_of(40_000)
    picture = Image.new('RGBA', (8, 8), (200, 30, 40, 128))

    shown, left = shown_colours(picture, large)

    assert (shown.getpixel((4, 4)), left) == ((200, 30, 40, 128), b'')


def test_a_profile_that_is_none_is_left_out() -> None:
    broken = srgb_of(40_000)[:200]

    shown, left = shown_colours(Image.new('L', (8, 8), 7), broken[:16] + b'GRAY' + broken[20:])

    assert (shown.getpixel((4, 4)), left) == ((7, 7, 7), b'')


def srgb_of(more_bytes: int) -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    size = (len(profile) + more_bytes).to_bytes(4, 'big')
    return size + profile[4:] + bytes(more_bytes)


async def test_a_jpeg_with_a_second_picture_behind_it_is_a_jpeg(store: Store) -> None:
    content = (FIELD / 'iphone_mpf.jpg').read_bytes()

    kept = await keep(store, content)

    assert (kept.mime, kept.width, kept.height) == ('image/jpeg', 640, 480)
    assert (await store.settings_in(store.original(kept.file)))['prompt'] == 'a cat'
    assert store.original(kept.file).read_bytes().endswith(content[-4_000:])


# Whether Chromium 156 turns it: what Pillow turns besides, it does not.
SIDES: list[tuple[str, dict[str, object], bool]] = [
    ('JPEG', {'exif': exif_of(6)}, True),
    ('PNG', {'exif': exif_of(6)}, True),
    ('AVIF', {'exif': exif_of(6)}, True),  # Pillow writes it into the container
    ('WEBP', {'exif': exif_of(6)}, False),
    ('WEBP', {'exif': exif_of(6), 'lossless': True}, False),
    ('JPEG', {'exif': exif_of(9)}, False),
    ('JPEG', {'exif': exif_of(6, kind=4)}, False),
    ('JPEG', {'exif': exif_of(6, count=2)}, False),
    ('JPEG', {'xmp': XMP_ORIENTATION}, False),
    ('WEBP', {'xmp': XMP_ORIENTATION}, False),
    ('AVIF', {'xmp': XMP_ORIENTATION}, False),
]


async def test_pictures_are_kept_and_shown_as_browsers_turn_them(store: Store) -> None:
    for form, hints, is_turned in SIDES:
        content = BytesIO()
        Image.new('RGB', (60, 40), 'red').save(content, form, **hints)

        kept = await keep(store, content.getvalue())
        original = store.original(kept.file)
        again = await store.look_again(original, Size(60, 40))

        with Image.open(store.thumb(kept.digest, THUMB_WIDTHS[0])) as thumb:
            sizes = {(kept.width, kept.height), thumb.size, (again.width, again.height)}
        assert sizes == {(40, 60) if is_turned else (60, 40)}, (form, hints)
        with original.open('rb') as opened, contextlib.suppress(DamagedContainer):
            write(opened, store.arriving / 'shown', stripped(opened, kept.mime))
            with Image.open(store.arriving / 'shown') as shown, Image.open(original) as whole:
                sides = [shown_side(form, one.info.get('exif', b'')) for one in (shown, whole)]
            assert sides == ([6, 6] if is_turned else [1, 1]), (form, hints)


@pytest.mark.parametrize(('first', 'second'), [(1, 6), (6, 1)])
def test_only_the_first_exif_of_a_jpeg_turns_it(first: int, second: int, tmp_path: Path) -> None:
    content = BytesIO()
    Image.new('RGB', (60, 40), 'red').save(content, 'JPEG', exif=exif_of(second))
    whole = content.getvalue()
    (tmp_path / 'two.jpg').write_bytes(whole[:2] + segment(exif_of(first)) + whole[2:])

    with (tmp_path / 'two.jpg').open('rb') as opened:
        write(opened, tmp_path / 'shown.jpg', stripped(opened, 'image/jpeg'))

    with Image.open(tmp_path / 'shown.jpg') as shown:
        assert shown_side('JPEG', shown.info.get('exif', b'')) == first


def test_an_avif_by_another_first_name_is_one() -> None:
    assert mime_of(b'\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf') == 'image/avif'
    assert mime_of(b'\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf') is None

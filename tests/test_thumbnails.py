"""Thumbnails: their colours, and how they come again; and the label as a PNG has it."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from app.models import StoredImage
from app.storage.store import THUMB_WIDTHS, Store
from tests.support.fakes import picture, received_in, storing
from tests.support.labelled_pictures import label_of


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

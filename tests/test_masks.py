"""Masks: read however they were made, written in one form, kept once and for this user alone."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from app.errors import ProviderError, StorageFailed
from app.models.request import Size
from app.storage.decoding.masks import grey_of
from app.storage.masks import NewMask, keep, kept_size, normalised
from app.storage.store import Store
from tests.support.fakes import received_in, storing

pytestmark = pytest.mark.asyncio(loop_scope='module')

WHOLE, SPOT = (64, 48), (20, 10, 39, 29)  # the last: what may change


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    async with storing(tmp_path_factory.mktemp('masks')) as store:
        yield store


def spotted(mode: str, ground: object, spot: object) -> Image.Image:
    image = Image.new(mode, WHOLE, ground)  # type: ignore[arg-type]
    ImageDraw.Draw(image).rectangle(SPOT, fill=spot)  # type: ignore[arg-type]
    return image


def photo_with_a_hole() -> Image.Image:
    image = Image.radial_gradient('L').resize(WHOLE).convert('RGBA')
    image.putalpha(spotted('L', 255, 0))
    return image


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, 'PNG')
    return file.getvalue()


WANTED = spotted('L', 0, 255)
MASKS: dict[str, Callable[[], Image.Image]] = {
    'grey': lambda: WANTED,
    'one bit': lambda: WANTED.convert('1'),
    '16 bits': lambda: spotted('I;16', 0, 65_535),
    'palette': lambda: WANTED.convert('P'),
    'RGB': lambda: WANTED.convert('RGB'),
    'RGBA whose alpha is the same everywhere': lambda: WANTED.convert('RGBA'),
    'white strokes on nothing': lambda: spotted('RGBA', (0, 0, 0, 0), 'white'),
    'what may change and what stays, each right by alpha and by grey': lambda: spotted(
        'RGBA', (0, 0, 0, 255), (255, 255, 255, 0)
    ),
    'a hole in black': lambda: spotted('RGBA', 'black', (0, 0, 0, 0)),
    'a hole in a photo': photo_with_a_hole,
    'grey with a hole': lambda: spotted('LA', (0, 255), (0, 0)),
}


@pytest.mark.parametrize('made', MASKS.values(), ids=list(MASKS))
async def test_a_mask_is_read_however_it_was_made(
    made: Callable[[], Image.Image], store: Store
) -> None:
    mask = await normalised(store, received_in(store, png(made())))

    with Image.open(mask.path) as image:
        mask.discard()
        assert (image.format, image.mode, image.size) == ('PNG', 'L', WHOLE)
        assert image.tobytes() == WANTED.tobytes()


async def test_what_may_change_in_part_stays_grey() -> None:
    drawn = spotted('RGBA', (255, 255, 255, 0), (255, 255, 255, 100))

    assert grey_of(drawn).getextrema() == (0, 100)
    assert grey_of(spotted('RGB', 'black', (100, 100, 100))).getextrema() == (0, 100)


async def test_a_mask_is_kept_once_by_its_bytes_for_this_user_alone(store: Store) -> None:
    for mode in ('L', 'RGB'):
        mask = await normalised(store, received_in(store, png(WANTED.convert(mode))))
        keep(store, mask)

    [kept] = [path for path in (store.data / 'masks').rglob('*') if path.is_file()]
    assert kept == store.mask(hashlib.sha256(kept.read_bytes()).hexdigest())
    assert kept_size(store, mask.digest) == mask.size == Size(*WHOLE)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in list(kept.parents)[:2]} == {0o700}
    assert list(store.arriving.iterdir()) == []


@pytest.mark.parametrize('content', [b'', b'no picture', b'\x89PNG\r\n\x1a\n cut', b'\xff\xd8\xff'])
async def test_what_is_no_mask_leaves_nothing(content: bytes, store: Store) -> None:
    with pytest.raises(ProviderError):
        await normalised(store, received_in(store, content))

    assert list(store.arriving.iterdir()) == []
    assert kept_size(store, '0' * 64) is None


async def test_no_link_is_followed_to_a_mask(store: Store, tmp_path: Path) -> None:
    store = replace(store, data=tmp_path / 'data')
    (tmp_path / 'elsewhere').mkdir()
    store.data.mkdir()
    (store.data / 'masks').symlink_to(tmp_path / 'elsewhere')
    (tmp_path / 'mask').write_bytes(png(WANTED))
    mask = NewMask(tmp_path / 'mask', '0' * 64, Size(*WHOLE))

    with pytest.raises(StorageFailed):
        keep(store, mask)

    assert list((tmp_path / 'elsewhere').iterdir()) == []
    with pytest.raises(StorageFailed):
        store.prepare()

"""The decoder child: unusual pictures that are good, and bad ones that must not hurt."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import struct
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from app.errors import ErrorKind, Failure, ProviderError
from app.models import StoredImage
from app.storage.store import Store
from tests.support.fakes import arriving_in, differs, picture, received_in, storing
from tests.support.labelled_pictures import label_of

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals'),
]

NOW = 1_795_000_000.0


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    async with storing(tmp_path_factory.mktemp('images')) as store:
        yield store


async def keep(store: Store, content: bytes, prompt: str = 'a cat') -> StoredImage:
    return await store.keep(received_in(store, content), label_of(prompt, NOW))


async def failure_of(store: Store, content: bytes) -> Failure:
    with pytest.raises(ProviderError) as caught:
        await keep(store, content)
    return caught.value.failure


def saved(image: Image.Image, form: str = 'PNG', **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack('>I', len(content)) + checked + struct.pack('>I', zlib.crc32(checked))


def png_of(width: int, height: int, depth: int = 8, kind: int = 2, rows: bytes = b'') -> bytes:
    header = struct.pack('>IIBBBBB', width, height, depth, kind, 0, 0, 0)
    body = chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + body


def animated(frames: int, form: str = 'GIF') -> bytes:
    images = [Image.new('L', (4, 4), number % 256) for number in range(frames)]
    return saved(images[0], form, save_all=True, append_images=images[1:])


def grey_16() -> bytes:
    return png_of(2, 2, 16, 0, (b'\x00' + b'\x80\x00' * 2) * 2)


def see_through_palette(clear: int = 0) -> bytes:
    image = Image.new('P', (40, 40), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    return saved(image, transparency=clear)


def cmyk() -> bytes:
    return saved(Image.new('CMYK', (9, 9), (0, 255, 255, 0)), 'JPEG')


def half_clear() -> bytes:
    return saved(Image.new('RGBA', (9, 9), (50, 60, 70, 128)))


def turned() -> bytes:
    image = Image.new('RGB', (30, 10), (9, 9, 200))
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(image, 'JPEG', exif=exif)


ODD_BUT_GOOD: dict[str, tuple[Callable[[], bytes], tuple[int, int], tuple[int, int, int]]] = {
    '16 bits of grey': (grey_16, (2, 2), (128, 128, 128)),
    'one bit': (lambda: saved(Image.new('1', (9, 9), 1)), (9, 9), (255, 255, 255)),
    'palette': (see_through_palette, (40, 40), (10, 200, 30)),
    'CMYK': (cmyk, (9, 9), (254, 0, 0)),
    'turned by EXIF': (turned, (10, 30), (9, 9, 200)),
    'see-through': (half_clear, (9, 9), (50, 60, 70)),
    'grey and alpha': (lambda: saved(Image.new('LA', (9, 9), (77, 255))), (9, 9), (77, 77, 77)),
    '200 frames': (lambda: animated(200), (4, 4), (0, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize('name', ODD_BUT_GOOD)
async def test_an_unusual_picture_is_kept_with_its_size_and_colour(name: str, store: Store) -> None:
    make, size, colour = ODD_BUT_GOOD[name]

    kept = await keep(store, make())

    assert (kept.width, kept.height) == size
    assert differs(kept.mean_colour, colour) <= 6, kept.mean_colour


@pytest.mark.parametrize(
    'content',
    [
        saved(Image.new('RGBA', (20, 20), (50, 60, 70, 0))),
        saved(Image.new('LA', (20, 20), (50, 0))),
        see_through_palette(clear=1),
    ],
    ids=['colours', 'grey', 'palette'],
)
async def test_a_thumbnail_stays_see_through(content: bytes, store: Store) -> None:
    kept = await keep(store, content)

    with Image.open(store.thumb(kept.digest, 480)) as thumb:
        assert thumb.mode == 'RGBA'


BAD: dict[str, Callable[[], bytes]] = {
    'a header alone': lambda: picture()[:30],
    'cut in its middle': lambda: picture(400, 400, (1, 2, 3))[:-60],
    'cut JPEG': lambda: picture(400, 400, (1, 2, 3), 'JPEG')[:-300],
    'cut WebP': lambda: picture(400, 400, (1, 2, 3), 'WEBP')[:-20],
    'wrong label': lambda: b'\xff\xd8\xff' + picture(),
    'a bomb': lambda: png_of(60_000, 60_000),
    'a deep bomb': lambda: png_of(60_000, 60_000, rows=b'\0' * 20_000_000),
    'just past 40 megapixels': lambda: png_of(8_000, 5_001),
    'no width': lambda: png_of(0, 5),
    '201 frames': lambda: animated(201),
    '201 frames of PNG': lambda: animated(201, 'PNG'),
    'noise behind a header': lambda: b'GIF89a' + bytes(range(256)) * 9,
}


@pytest.mark.parametrize('name', BAD)
async def test_a_picture_that_can_not_be_decoded_is_a_bad_image(name: str, store: Store) -> None:
    failure = await failure_of(store, BAD[name]())

    assert failure.kind is ErrorKind.BAD_IMAGE
    assert str(store.data) not in failure.reason
    assert arriving_in(store.data) == []


async def test_after_a_bad_picture_the_next_is_kept(store: Store) -> None:
    await failure_of(store, BAD['a deep bomb']())

    kept = await keep(store, picture(5, 5, (7, 7, 7)))

    assert kept.width == 5


def children(of: int | None = None) -> list[int]:
    """List the decoder's processes that this one started, or that one of them did."""
    found = []
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            parent = (folder / 'stat').read_text().rpartition(')')[2].split()[1]
            if (
                int(parent) == (of or os.getpid())
                and b'decoder_child.py' in (folder / 'cmdline').read_bytes()
            ):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='reads /proc')
async def test_a_child_that_is_killed_at_work_costs_no_picture(store: Store) -> None:
    await keep(store, picture())
    (child,) = children()
    os.kill(child, signal.SIGSTOP)
    at_work = asyncio.create_task(keep(store, picture(6, 6)))
    await asyncio.wait([at_work], timeout=0.2)

    os.kill(child, signal.SIGKILL)
    kept = await at_work

    assert kept.width == 6
    assert children() != [child]
    assert arriving_in(store.data) == []


async def test_pictures_at_the_same_time_do_not_mix(store: Store) -> None:
    contents = [picture(number, 5, (number, 0, 0)) for number in range(1, 9)]

    kept = await asyncio.gather(*(keep(store, content) for content in contents))

    assert [one.width for one in kept] == list(range(1, 9))

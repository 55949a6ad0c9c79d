"""Keeping a picture: what is taken, what is refused, and where it goes."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from app.errors import ErrorKind, Failure, ProviderError, StorageFailed
from app.models import MOST_IMAGE_BYTES, StoredImage
from app.storage.arriving import WHOLE, held_in, hold
from app.storage.decoding.decoder import Decoder
from app.storage.metadata.read import read_settings
from app.storage.store import THUMB_WIDTHS, Store
from tests.support.fakes import arriving_in, differs, picture, received_in, sha256, storing
from tests.support.labelled_pictures import label_of

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals'),
]

NOW = 1_795_000_000.0
FORMATS = {'PNG': 'png', 'JPEG': 'jpg', 'WEBP': 'webp', 'GIF': 'gif', 'AVIF': 'avif'}


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


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as opened:
        return opened.convert('RGBA').tobytes()


@pytest.mark.parametrize('form', FORMATS)
async def test_a_picture_is_kept_with_its_label_and_its_pixels(form: str, store: Store) -> None:
    content = picture(1_200, 800, (200, 30, 40), form)

    kept = await keep(store, content, 'a red wall')
    original = store.original(kept.file)

    assert (kept.width, kept.height) == (1_200, 800)
    assert kept.size_bytes == original.stat().st_size
    assert kept.digest == sha256(original.read_bytes())
    assert pixels(original.read_bytes()) == pixels(content)
    assert read_settings(str(original), form)['prompt'] == 'a red wall'
    assert kept.file.endswith(f'.{FORMATS[form]}')
    assert kept.mime == f'image/{form.lower()}'
    assert differs(kept.mean_colour, (200, 30, 40)) <= 6, kept.mean_colour
    assert arriving_in(store.data) == []


@pytest.mark.parametrize(
    ('width', 'small', 'large'), [(1_200, 480, 960), (700, 480, 700), (3, 3, 3)]
)
async def test_a_thumbnail_is_never_larger_than_its_picture(
    width: int, small: int, large: int, store: Store
) -> None:
    kept = await keep(store, picture(width, width // 3, (1, 2, width % 256)))

    seen = []
    for asked in (480, 960):
        with Image.open(store.thumb(kept.digest, asked)) as thumb:
            seen.append((thumb.format, thumb.width))
    assert seen == [('WEBP', small), ('WEBP', large)]


@pytest.mark.parametrize(('width', 'height'), [(1, 20_000), (20_000, 1), (1, 1)])
async def test_a_very_long_picture_is_kept(width: int, height: int, store: Store) -> None:
    kept = await keep(store, picture(width, height))

    assert (kept.width, kept.height) == (width, height)
    assert store.thumb(kept.digest, 480).stat().st_size > 0


@pytest.mark.parametrize(
    ('content', 'what'),
    [
        (b'<!DOCTYPE html><p>x', 'html'),
        (b'\n <svg xmlns="x"/>', 'svg'),
        (b'<?xml version="1.0"?><svg/>', 'svg'),
        (b'<?xml version="1.0"?><a/>', 'xml'),
        (b'{"error": 1}', 'json'),
        (b'%PDF-1.7', 'pdf'),
        (b'PK\x03\x04xxxx', 'zip'),
        (b'\0\0\0\x18ftypmp42\0\0', 'video'),
        (b'\x1a\x45\xdf\xa3webm', 'video'),
        (b'ID3\x04xx', 'audio'),
        (b'RIFF\0\0\0\0WAVEfmt ', 'audio'),
        (b'hello', 'unknown'),
        (b'', 'empty'),
    ],
)
async def test_what_is_no_picture_is_named_for_what_it_is(
    content: bytes, what: str, store: Store
) -> None:
    failure = await failure_of(store, content)

    assert (failure.kind, failure.reason) == (ErrorKind.NOT_AN_IMAGE, what)
    assert arriving_in(store.data) == []


@pytest.mark.parametrize(
    ('prompt', 'part'),
    [
        ('A red fox, at night!', 'a-red-fox-at-night'),
        ('Рыжая лиса ночью', 'рыжая-лиса-ночью'),
        ('狐 の 夜', '狐-の-夜'),
        ('x' * 10_000, 'x' * 60),
        ('я' * 10_000, 'я' * 30),
        ('../../etc/passwd', 'etc-passwd'),
        ('/etc/passwd', 'etc-passwd'),
        ('..\\..\\a:b*?"<>|', 'a-b'),
        ('a\x00b\nc\x1b[31m', 'a-b-c-31m'),
        ('con.png', 'con-png'),
        ('\ud800 broken', 'broken'),
        ('~$HOME `id`', 'home-id'),
        ('🐈', ''),
        ('   ', ''),
        ('', ''),
    ],
    ids=range(15),
)
async def test_a_file_is_named_so_that_a_person_can_read_it(
    prompt: str, part: str, store: Store
) -> None:
    kept = await keep(store, picture(), prompt)

    path = store.original(kept.file).resolve()
    assert path.is_relative_to(store.images.resolve())
    assert len(path.relative_to(store.images.resolve()).parts) == 4
    assert len(path.name.encode()) <= 100
    assert f'-{part}-' in path.name if part else path.name.count('-') == 1
    assert path.name.isprintable()


async def test_the_same_picture_twice_is_two_files(store: Store) -> None:
    first, again = await keep(store, picture()), await keep(store, picture())

    store.forget(again)

    assert first.file != again.file
    assert store.original(first.file).exists()


async def test_a_forgotten_picture_leaves_nothing_behind(store: Store) -> None:
    before = sorted(path for path in store.data.rglob('*') if path.is_file())
    kept = await keep(store, picture(64, 65, form='GIF'))

    store.forget(kept)

    assert sorted(path for path in store.data.rglob('*') if path.is_file()) == before


async def test_a_kept_twin_gets_the_thumbnails_back_that_a_forgotten_one_took(store: Store) -> None:
    content = picture(64, 66, form='GIF')
    first, again = await keep(store, content), await keep(store, content)
    store.forget(again)

    await store.ensure_thumbs(first.digest, first.file)

    assert first.digest == again.digest
    assert all(store.thumb(first.digest, width).exists() for width in THUMB_WIDTHS)


async def test_a_folder_that_can_not_be_written_is_a_failed_storage_and_costs_no_picture(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        store.images.rmdir()
        store.images.write_text('in the way')
        received = received_in(store, picture())
        with pytest.raises(StorageFailed) as caught:
            await store.keep(received, label_of('a cat', NOW))
        waiting = arriving_in(tmp_path)

        store.images.unlink()
        kept = await store.keep(received, label_of('a cat', NOW))

    assert str(tmp_path) not in str(caught.value)
    assert waiting == [received.path.name]
    assert store.original(kept.file).exists()
    assert arriving_in(tmp_path) == []


async def test_a_picture_may_have_64_mib_and_not_a_byte_more(store: Store) -> None:
    temp_file = store.new_temp_file()
    temp_file.write(bytes(MOST_IMAGE_BYTES))

    with pytest.raises(ProviderError) as caught:
        temp_file.write(b'x')
    temp_file.discard()

    assert caught.value.failure.kind is ErrorKind.TOO_LARGE
    assert arriving_in(store.data) == []


@pytest.mark.parametrize('name', ['images', 'thumbs'])
async def test_a_link_in_place_of_a_folder_is_refused_at_the_start(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / 'elsewhere').mkdir()
    data = tmp_path / 'data'
    data.mkdir()
    (data / name).symlink_to(tmp_path / 'elsewhere')

    with pytest.raises(StorageFailed, match=f'{name} is a link'):
        Store(data, Decoder({})).prepare()


async def test_a_start_sweeps_our_own_temporary_files_and_nothing_else(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        for name in ('.probe', 'fox.png', '12-0-notours.part'):
            (store.arriving / name).write_text('somebody else')
        (store.arriving / '@eaDir').mkdir()
        whole = hold(store.arriving, received_in(store, picture()), 17, 0)
        store.new_temp_file(17).received()
        store.new_temp_file().received()

        store.prepare()

    assert sorted(path.name for path in store.arriving.iterdir()) == sorted(
        ['.probe', '12-0-notours.part', '@eaDir', 'fox.png', whole.path.name]
    )
    assert whole.path.name.startswith('17-0-')


async def test_a_small_picture_leaves_no_file(store: Store) -> None:
    small = await store.small(received_in(store, picture(1_200, 800)))

    with Image.open(io.BytesIO(small)) as opened:
        assert (opened.format, opened.width) == ('WEBP', 480)
    assert arriving_in(store.data) == []


async def test_thumbnails_made_again_are_for_this_user_alone(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        kept = await keep(store, picture())
        thumbs = store.thumb(kept.digest, THUMB_WIDTHS[0]).parent
        shutil.rmtree(thumbs)

        await store.ensure_thumbs(kept.digest, kept.file)

    assert thumbs.stat().st_mode & 0o777 == 0o700


async def test_a_picture_is_kept_where_all_thumbnails_were_thrown_away(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        (tmp_path / 'thumbs').rmdir()

        kept = await keep(store, picture())

        assert store.thumb(kept.digest, THUMB_WIDTHS[0]).exists()


async def test_every_folder_is_for_this_user_alone(tmp_path: Path) -> None:
    async with storing(tmp_path / 'data') as store:
        modes = {path.stat().st_mode & 0o777 for path in (store.data, *store.data.iterdir())}

    assert modes == {0o700}


async def test_the_settings_of_a_picture_are_in_it_and_of_what_is_none_nowhere(
    store: Store, tmp_path: Path
) -> None:
    kept = await keep(store, picture(), 'a heron')
    other = tmp_path / 'other'
    other.write_text('prompt: a heron')

    found, none = [await store.settings_in(path) for path in (store.original(kept.file), other)]

    assert (found['prompt'], none) == ('a heron', {})


async def test_what_waits_and_can_not_be_read_keeps_no_other_from_its_place(tmp_path: Path) -> None:
    (tmp_path / f'1-0-{"a" * 32}{WHOLE}').mkdir()
    (tmp_path / f'2-0-{"b" * 32}{WHOLE}').write_bytes(picture())

    assert list(held_in(tmp_path)) == [(2, 0)]

"""An attempt that starts from pictures: its files, and what is told where one is not there."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image

from app.errors import ErrorKind, Reason
from app.messages import describe
from app.models import Generation, GenerationResult, Status
from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.storage.arriving import sweep
from app.storage.decoding.decoder import Decoder
from app.storage.edit_input import EditInput
from app.storage.store import Store
from tests.support.fakes import FakeProvider, arriving_in, picture
from tests.support.worker_setup import Shop, shop_with
from tests.test_decoder import saved

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals'),
]

SIZE = (8, 6)  # of the pictures that are drawn


def store_in(folder: Path, decoder: Decoder) -> Store:
    """Open a store whose decoder others have too."""
    store = Store(folder, decoder)
    store.prepare()
    return store


@dataclass
class EditingProvider(FakeProvider):
    """Keeps what it was given to start from, as it was while it was asked."""

    edits: list[EditInput | None] = field(default_factory=list)
    files: list[dict[str, bytes]] = field(default_factory=list)

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        self.edits.append(run.edit)
        self.files.append({path.name: path.read_bytes() for path in paths_of(run.edit)})
        return await super().generate(request, run)


def paths_of(edit: EditInput | None) -> list[Path]:
    if edit is None:
        return []
    masks = [edit.mask.grey.path, edit.mask.dual.path] if edit.mask else []
    return [*(one.path for one in edit.sources), *masks]


def left_half(width: int, height: int) -> Image.Image:
    """Draw a mask by which the left half may change."""
    mask = Image.new('L', (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return mask


def half_blue() -> bytes:
    """Draw a picture whose left half alone is another than `picture` draws it."""
    with Image.open(io.BytesIO(picture(*SIZE))) as drawn:
        drawn.paste((20, 30, 240), (0, 0, SIZE[0] // 2, SIZE[1]))
        return saved(drawn)


def keep_mask(shop: Shop, mask: Image.Image) -> str:
    content = saved(mask)
    digest = hashlib.sha256(content).hexdigest()
    shop.store.mask(digest).parent.mkdir(parents=True, exist_ok=True)
    shop.store.mask(digest).write_bytes(content)
    return digest


async def source_in(shop: Shop, provider: FakeProvider) -> int:
    """Draw a picture from words, to start from."""
    provider.go.set()
    await shop.worker.start()
    done = await shop.until(await shop.request())
    return done.images[0].id


async def edited(
    shop: Shop,
    *sources: int,
    mask: str | None = None,
    paste_back: int | None = None,
    n: int | None = None,
) -> Generation:
    request = GenerationRequest(
        prompt='a hat', sources=sources, mask=mask, paste_back=paste_back, n=n
    )
    return (await shop.worker.submit(request)).generation


async def test_a_server_is_given_its_files_for_as_long_as_it_is_asked(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = EditingProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        source = await source_in(shop, provider)
        digest = keep_mask(shop, left_half(*SIZE))

        done = await shop.until(await edited(shop, source, source, mask=digest))

    [alone, edit] = provider.edits
    assert (done.status, alone) == (Status.DONE, None)
    assert edit
    assert edit.mask
    assert [(one.mime, one.width, one.height) for one in edit.sources] == [('image/png', *SIZE)] * 2
    assert [len(content) > 0 for content in provider.files[1].values()] == [True] * 4
    assert all(name.startswith(f'{done.id}-') for name in provider.files[1])
    assert arriving_in(tmp_path) == []


async def test_what_an_attempt_made_goes_with_it_and_a_crash_leaves_nothing_that_stays(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = EditingProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        source = await source_in(shop, provider)
        provider.go.clear()
        generation = await edited(shop, source, mask=keep_mask(shop, left_half(*SIZE)))
        while len(provider.edits) < 2:
            await provider.begun.acquire()
        made = arriving_in(tmp_path)
        (tmp_path / 'crashed').mkdir()
        for name in made:
            (tmp_path / 'crashed' / name).touch()

        await shop.worker.cancel(generation.id)
        await shop.rest()
        sweep(tmp_path / 'crashed')

    assert len(made) == 3
    assert arriving_in(tmp_path) == []
    assert list((tmp_path / 'crashed').iterdir()) == []


async def test_the_mask_is_turned_round_for_a_server_that_takes_it_so(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = EditingProvider()
    provider.settings = replace(provider.settings, mask_inverted=True)
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        source = await source_in(shop, provider)

        await shop.until(await edited(shop, source, mask=keep_mask(shop, left_half(*SIZE))))

    edit = provider.edits[1]
    assert edit
    assert edit.mask
    grey = provider.files[1][edit.mask.grey.path.name]
    (tmp_path / 'grey.png').write_bytes(grey)
    with Image.open(tmp_path / 'grey.png') as found:
        assert [found.getpixel((0, 0)), found.getpixel((SIZE[0] - 1, 0))] == [0, 255]


def without_file(shop: Shop, _: str) -> None:
    for path in shop.originals():
        path.unlink()


def with_damage(shop: Shop, _: str) -> None:
    for path in shop.originals():
        path.write_bytes(path.read_bytes()[:-9])


def without_mask(shop: Shop, digest: str) -> None:
    shop.store.mask(digest).unlink()


def with_another_mask(shop: Shop, digest: str) -> None:
    shop.store.mask(digest).write_bytes(picture(3, 3))


MISSING: dict[str, tuple[Callable[[Shop, str], None], Reason, str]] = {
    'no file': (without_file, Reason.SOURCE_IS_NOT_WHOLE, 'The file of picture 1'),
    'a cut file': (with_damage, Reason.SOURCE_IS_NOT_WHOLE, 'The file of picture 1'),
    'no mask': (without_mask, Reason.MASK_IS_NOT_WHOLE, 'The mask of this edit'),
    'a mask of another size': (with_another_mask, Reason.MASK_IS_NOT_WHOLE, 'The mask of'),
}


@pytest.mark.parametrize('name', MISSING)
async def test_nothing_is_asked_where_a_file_to_start_from_is_not_whole(
    name: str, tmp_path: Path, decoder: Decoder
) -> None:
    break_it, reason, sentence = MISSING[name]
    provider = EditingProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        source = await source_in(shop, provider)
        digest = keep_mask(shop, left_half(*SIZE))
        break_it(shop, digest)

        failed = await shop.until(await edited(shop, source, mask=digest))

    assert failed.error
    assert (failed.error.kind, failed.error.reason) == (ErrorKind.STORAGE, reason)
    assert describe(failed.error, str).message.startswith(sentence)
    assert len(provider.edits) == 1
    assert arriving_in(tmp_path) == []


async def test_nothing_is_asked_where_a_picture_to_start_from_was_deleted(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = EditingProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        source = await source_in(shop, provider)

        failed = await shop.until(await edited(shop, source, 77))

    assert failed.error
    assert failed.error.kind is ErrorKind.INVALID_REQUEST
    assert '77' in describe(failed.error, str).message
    assert len(provider.edits) == 1

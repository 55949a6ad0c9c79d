"""The original laid back over answers: beside them, after them, and never at their cost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.editing.service import Editing
from app.errors import ErrorKind, Failure
from app.generation.changes import Changes
from app.generation.keeper import PictureKeeper
from app.generation.outcome_writer import growing_pauses
from app.models import Generation, GenerationResult, Outcome, Status
from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.recovery.pictures import PictureRecovery
from app.storage.decoding.decoder import Decoder
from app.storage.metadata.read import read_settings
from tests.support.fakes import FakeProvider, arriving_in, picture, received_in
from tests.support.worker_setup import Shop, shop_with
from tests.test_sent_files import SIZE, edited, half_blue, keep_mask, left_half, source_in, store_in

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals'),
]

IN_2026, IN_2028 = 1_795_000_000.0, 1_850_000_000.0
RED, BLUE, GREEN = (200, 30, 40), (20, 30, 240), (20, 230, 40)


async def masked_in(
    shop: Shop, provider: FakeProvider, paste_back: int | None = None
) -> Generation:
    """Submit an edit of a red picture whose left half may change; blue ones come."""
    source = await source_in(shop, provider)
    provider.pictures = [picture(*SIZE, BLUE)]
    mask = keep_mask(shop, left_half(*SIZE))
    return await edited(shop, source, mask=mask, paste_back=paste_back)


def first_row(shop: Shop, file: str) -> list[object]:
    with Image.open(shop.store.original(file)) as found:
        return [found.getpixel((x, 0)) for x in range(SIZE[0])]


async def test_an_answer_and_what_it_is_laid_into_are_both_kept(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = FakeProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        done = await shop.until(await masked_in(shop, provider, paste_back=1))

        answer, laid_back = done.images
        told = read_settings(str(shop.store.original(laid_back.file)), 'PNG')
        pixels = first_row(shop, laid_back.file)

    assert (answer.changed_outside_mask, answer.laid_back_from) == (1, None)
    assert (laid_back.changed_outside_mask, laid_back.laid_back_from) == (0, answer.id)
    assert [answer.position, laid_back.position] == [0, 1]
    assert pixels[:4] + pixels[5:] == [BLUE] * 4 + [RED] * 3
    assert told['laid_back_from'] == f'{answer.id}:{answer.digest}'
    assert told['changed_outside_mask'] == 0
    assert (told['position'], told['image_id']) == (1, laid_back.id)
    assert (done.request.count, done.item_errors, arriving_in(tmp_path)) == (1, (), [])


async def test_without_the_wish_an_answer_is_measured_and_stays_alone(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = FakeProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        done = await shop.until(await masked_in(shop, provider))

    assert [one.changed_outside_mask for one in done.images] == [1]


async def test_an_answer_that_kept_it_all_has_no_other_beside_it(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = FakeProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        source = await source_in(shop, provider)
        provider.pictures = [half_blue(), picture(*SIZE, BLUE)]
        mask = keep_mask(shop, left_half(*SIZE))
        done = await shop.until(await edited(shop, source, mask=mask, paste_back=1, n=2))

    kept, changed = done.images[:2]
    assert [one.laid_back_from for one in done.images] == [None, None, changed.id]
    assert kept.changed_outside_mask == 0
    assert (done.item_errors, arriving_in(tmp_path)) == ((), [])


async def test_those_laid_back_come_behind_all_answers(tmp_path: Path, decoder: Decoder) -> None:
    provider = FakeProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        source = await source_in(shop, provider)
        provider.pictures = [picture(*SIZE, BLUE), b'no picture', picture(*SIZE, GREEN)]
        mask = keep_mask(shop, left_half(*SIZE))
        done = await shop.until(await edited(shop, source, mask=mask, paste_back=1, n=3))

        lefts = [first_row(shop, one.file)[0] for one in done.images]

    first, second = done.images[:2]
    assert lefts == [BLUE, GREEN, BLUE, GREEN]
    assert [one.laid_back_from for one in done.images] == [None, None, first.id, second.id]
    assert [one.kind for one in done.item_errors] == [ErrorKind.NOT_AN_IMAGE]


class DestroysSource(FakeProvider):
    """Answers once the picture that it started from is gone from the disk."""

    folder: Path

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        if request.sources:
            for path in (self.folder / 'images').rglob('*.png'):
                path.unlink()
        return await super().generate(request, run)


async def test_an_answer_stays_where_the_original_is_gone(tmp_path: Path, decoder: Decoder) -> None:
    provider = DestroysSource()
    provider.folder = tmp_path
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        done = await shop.until(await masked_in(shop, provider, paste_back=1))

    assert done.status is Status.DONE
    assert [one.changed_outside_mask for one in done.images] == [None]
    assert done.item_errors == (Failure(kind=ErrorKind.NOT_LAID_BACK),)
    assert arriving_in(tmp_path) == []


async def drawn_beside(
    shop: Shop, claimed: Generation, moments: Sequence[float], content: bytes
) -> asyncio.Task[tuple[object, object]]:
    """Begin to keep an answer, each picture at a moment of its own."""
    times = iter(moments)
    editing = Editing(shop.library, shop.store, shop.store.decoder)
    keeper = PictureKeeper(
        *(shop.library, shop.store, shop.monitor, editing.protection),
        clock=lambda: next(times),
        sleep=shop.rests,
    )
    result = GenerationResult(received=(received_in(shop.store, content),))
    outcome = Outcome(status=Status.DONE, provider='fake', model='flux')
    return asyncio.create_task(keeper.keep(claimed, result, outcome, growing_pauses()))


async def claimed_in(shop: Shop) -> Generation:
    """Claim an edit of a red picture that nobody else will draw."""
    await shop.worker.start()
    source = (await shop.until(await shop.request())).images[0].id
    await shop.worker.stop()
    mask = keep_mask(shop, left_half(*SIZE))
    queued = await edited(shop, source, mask=mask, paste_back=1)
    claimed = await shop.library.generations.claim('fake', IN_2026, queued.id)
    assert claimed
    return claimed


@pytest.mark.parametrize('is_mended', [True, False])
async def test_what_the_disk_refuses_is_laid_back_later_or_not_and_costs_no_answer(
    tmp_path: Path, decoder: Decoder, *, is_mended: bool
) -> None:
    provider = FakeProvider()
    provider.go.set()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        claimed = await claimed_in(shop)
        blocking = shop.store.images / '2028'
        blocking.write_text('in the way')
        moments = (IN_2026, *([IN_2028] * 4))
        keeping = await drawn_beside(shop, claimed, moments, picture(*SIZE, BLUE))
        await shop.rests.begun.acquire()
        if is_mended:
            blocking.unlink()
        for _ in range(3):
            shop.rests.over.release()
        kept, failures = await keeping

    assert isinstance(kept, tuple)
    assert [one.file[:4] for one in kept] == ['2026', '2028'][: 1 + is_mended]
    assert failures == (() if is_mended else (Failure(kind=ErrorKind.NOT_LAID_BACK),))
    assert arriving_in(tmp_path) == []


async def test_an_end_while_the_original_is_laid_back_leaves_the_answer_in_its_place(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = FakeProvider()
    provider.go.set()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        claimed = await claimed_in(shop)
        (shop.store.images / '2028').write_text('in the way')
        moments = (IN_2026, IN_2028)
        keeping = await drawn_beside(shop, claimed, moments, picture(*SIZE, BLUE))
        await shop.rests.begun.acquire()

        keeping.cancel()
        await asyncio.wait([keeping])
        kept = [path.name for path in shop.originals() if 'a-hat' in path.name]

    assert keeping.cancelled()
    assert len(kept) == 1
    assert arriving_in(tmp_path) == []


async def test_a_kill_before_the_rows_brings_back_both_and_asks_for_no_more(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = FakeProvider()
    provider.go.set()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        claimed = await claimed_in(shop)
        await (await drawn_beside(shop, claimed, [IN_2026] * 2, picture(*SIZE, BLUE)))

        recovery = PictureRecovery(shop.library, shop.store, Changes())
        await recovery.begin()
        await recovery.close()
        found = await shop.library.generations.one(claimed.id)

    answer, laid_back = found.images
    assert (found.status, found.request.count) == (Status.DONE, 1)
    assert (answer.changed_outside_mask, laid_back.laid_back_from) == (1, answer.id)


async def test_a_server_that_ignores_masks_is_remembered_until_it_keeps_one(
    tmp_path: Path, decoder: Decoder
) -> None:
    provider = FakeProvider()
    async with shop_with(store_in(tmp_path, decoder), provider) as shop:
        first = await shop.until(await masked_in(shop, provider))
        ignores = shop.providers.ignores_masks('fake', None)
        provider.pictures = [picture(*SIZE)]
        request = replace(first.request, prompt='another hat')
        await shop.until((await shop.worker.submit(request)).generation)

        forgot = not shop.providers.ignores_masks('fake', 'flux')

    assert (ignores, forgot) == (True, True)

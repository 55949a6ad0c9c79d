"""One attempt: what came is kept, however long the disk refuses it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from app.editing.service import Editing
from app.errors import ErrorKind, Failure, Reason
from app.generation.changes import Changes
from app.generation.keeper import PictureKeeper
from app.generation.outcome_writer import growing_pauses
from app.generation.previews import Previews
from app.generation.runner import GenerationRunner
from app.models import GenerationResult
from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.providers.transport.caller import CallRecorder
from tests.support.fakes import FakeProvider, arriving_in, picture
from tests.support.rows import running
from tests.support.worker_setup import shop_in

IN_2026, IN_2028 = 1_795_000_000.0, 1_850_000_000.0


async def test_a_picture_that_the_disk_refuses_waits_and_those_before_it_stay(
    tmp_path: Path,
) -> None:
    provider = FakeProvider(pictures=[picture(1, 1), picture(2, 2), picture(3, 3)])
    provider.go.set()
    async with shop_in(tmp_path, provider) as shop:
        (shop.store.images / '2028').write_text('in the way')
        moments = iter((IN_2026, IN_2028, IN_2028))
        editing = Editing(shop.library, shop.store, shop.store.decoder)
        keeper = PictureKeeper(
            *(shop.library, shop.store, shop.monitor, editing.protection),
            clock=lambda: next(moments),
            sleep=shop.rests,
        )
        changes = Changes()
        previews = Previews(shop.store, changes)
        runner = GenerationRunner(
            shop.library, shop.providers, shop.store, changes, previews, keeper, editing.sent_files
        )
        claimed = await running(shop.library, 'fake')
        drawing = asyncio.create_task(runner.draw(claimed, growing_pauses()))
        await shop.rests.begun.acquire()
        waiting = arriving_in(tmp_path)

        (shop.store.images / '2028').unlink()
        shop.rests.over.release()
        outcome = await drawing

    assert [name.rpartition('.')[2] for name in waiting] == ['whole', 'whole']
    assert [name.startswith(f'{claimed.id}-') for name in waiting] == [True, True]
    assert [(one.width, one.file[:4]) for one in outcome.kept] == [
        (1, '2026'), (2, '2028'), (3, '2028')
    ]  # fmt: skip
    assert arriving_in(tmp_path) == []


async def test_a_picture_whose_file_is_removed_while_it_waits_is_told_and_not_waited_for(
    tmp_path: Path,
) -> None:
    provider = FakeProvider()
    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        generation = await shop.request()
        await provider.begun.acquire()
        shutil.rmtree(shop.store.images)
        shop.store.images.write_text('in the way')
        provider.go.set()
        await shop.rests.begun.acquire()

        shutil.rmtree(shop.store.arriving)
        shop.store.images.unlink()
        shop.rests.over.release()
        failed = await shop.until(generation)

    assert failed.error == Failure(kind=ErrorKind.STORAGE, reason=Reason.FILE_WAS_REMOVED)


class ProviderThatTells(FakeProvider):
    """Says that half is drawn before it waits to be let go."""

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        run.progressed(0.5)
        return await super().generate(request, run)


async def test_how_far_a_drawing_is_is_written_down(tmp_path: Path) -> None:
    provider = ProviderThatTells()
    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        generation = await shop.request()
        await provider.begun.acquire()
        await shop.rest()

        row = await shop.library.generations.one(generation.id)

    assert row.progress == 0.5


class ProviderThatCalls(FakeProvider):
    """Notes the call that is closed with the generation."""

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        try:
            return await super().generate(request, run)
        finally:
            run.tried(CallRecorder('POST', 'http://fake.test/v1', reason='cancelled').call())


async def test_a_cancelled_generation_keeps_its_call(tmp_path: Path) -> None:
    provider = ProviderThatCalls()
    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        generation = await shop.request()
        await provider.begun.acquire()

        await shop.worker.cancel(generation.id)
        await shop.rest()
        calls = await shop.library.generations.calls_of(generation.id)

    assert [call.reason for call in calls] == ['cancelled']

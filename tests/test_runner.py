"""One attempt: what is kept of what came, and nothing where the disk refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import StorageFailed
from app.generation.changes import Changes
from app.generation.previews import Previews
from app.generation.runner import GenerationRunner
from app.models import GenerationRequest, GenerationResult
from app.providers.core.base import Run
from tests.support.fakes import FakeProvider, arriving_in, picture
from tests.support.rows import running
from tests.support.worker_setup import shop_in

IN_2026, IN_2028 = 1_795_000_000.0, 1_850_000_000.0


async def test_a_disk_that_refuses_the_second_picture_keeps_not_even_the_first(
    tmp_path: Path,
) -> None:
    provider = FakeProvider(pictures=[picture(1, 1), picture(2, 2), picture(3, 3)])
    provider.go.set()
    async with shop_in(tmp_path, provider) as shop:
        (shop.store.images / '2028').write_text('in the way')
        changes, moments = Changes(), iter((IN_2026, IN_2028))
        runner = GenerationRunner(
            *(shop.library, shop.providers, shop.store, changes, Previews(shop.store, changes)),
            clock=lambda: next(moments),
        )
        claimed = await running(shop.library, 'fake')

        with pytest.raises(StorageFailed):
            await runner.draw(claimed)

    assert [path.name for path in shop.originals()] == ['2028']
    assert arriving_in(tmp_path) == []


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

"""The queue over a restart, and when many acts come at once."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from app.database import Library
from app.errors import ErrorKind, Failure, ProviderError
from app.generation.changes import Changes
from app.generation.queue_acts import QueueActs
from app.models import Status
from tests.support.fakes import FakeProvider
from tests.support.worker_setup import shop_in

UNREACHABLE = Failure(kind=ErrorKind.UNREACHABLE)


async def test_a_pause_outlasts_a_restart(tmp_path: Path) -> None:
    library = await Library.open(tmp_path / 'easel.db')
    await library.backlog.pause(None)
    await library.close()

    library = await Library.open(tmp_path / 'easel.db')
    after = await library.backlog.counts(None)
    await library.backlog.resume(None)
    resumed = await library.backlog.counts(None)
    await library.close()

    assert (after.paused, resumed.paused) == (True, False)


async def test_what_was_held_back_begins_as_soon_as_the_pause_ends(tmp_path: Path) -> None:
    provider = FakeProvider()
    provider.go.set()
    async with shop_in(tmp_path, provider, EASEL_API_URL='http://fake.test/v1') as shop:
        acts = QueueActs(shop.library, shop.providers, Changes(), shop.worker.look_again)
        await acts.pause(None)
        await shop.worker.start()
        waiting = await shop.request()
        for _ in range(4):
            await shop.rest()

        held = provider.asks.copy()
        await acts.resume(None)
        done = await shop.until(waiting)

    assert (held, done.status) == ([], Status.DONE)


@pytest.mark.parametrize('seed', range(2))
async def test_whatever_is_pressed_meanwhile_each_ends_as_exactly_one_thing(
    seed: int, tmp_path: Path
) -> None:
    provider, chance, changes = FakeProvider(), random.Random(seed), Changes()
    provider.go.set()
    async with shop_in(tmp_path, provider, EASEL_API_URL='http://fake.test/v1') as shop:
        acts = QueueActs(shop.library, shop.providers, changes, shop.worker.look_again)
        presses = (
            *(lambda: acts.cancel_all(None), lambda: acts.retry_all(None, '')),
            *(lambda: acts.pause(None), lambda: acts.resume(None), shop.request),
        )
        asked = [await shop.request() for _ in range(12)]
        await shop.worker.start()

        for _ in range(30):
            provider.fault = chance.choice([None, ProviderError(UNREACHABLE)])
            pressed = (chance.choice(presses)() for _ in range(2))
            await asyncio.gather(*pressed, shop.worker.cancel(chance.choice(asked).id))
        await acts.resume(None)
        every = await shop.library.generations.page(None, 200)
        ended = [await shop.until(one) for one in every]
        after = await shop.library.backlog.counts(None)

    pictured = [bool(one.images) for one in ended]
    assert pictured == [one.status is Status.DONE for one in ended]
    assert after.waiting == 0
    assert shop.worker.scheduler.hanging() == {}

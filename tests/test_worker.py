"""The worker: what is drawn, when, how often, and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.database import Library
from app.errors import Conflict, InvalidRequest
from app.generation.outcome_writer import growing_pauses
from app.models import GenerationResult, Status
from app.models.request import GenerationRequest, Size
from app.providers.core.base import Run
from tests.support.fakes import ANSWERING, REFUSING, FakeProvider, provider_settings
from tests.support.rows import running
from tests.support.worker_setup import DEADLINE_S, Shop, shop_in


@dataclass
class SlowToClose(FakeProvider):
    """A provider that takes its time with a call that is given up."""

    closing: asyncio.Event = field(default_factory=asyncio.Event)
    may_close: asyncio.Event = field(default_factory=asyncio.Event)

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        try:
            return await super().generate(request, run)
        except asyncio.CancelledError:
            self.closing.set()
            await self.may_close.wait()
            raise


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def shop(tmp_path: Path, provider: FakeProvider) -> AsyncIterator[Shop]:
    async with shop_in(tmp_path, provider, EASEL_API_URL='http://fake.test/v1') as shop:
        await shop.worker.start()
        yield shop


async def test_an_ask_is_drawn_and_its_picture_kept(shop: Shop, provider: FakeProvider) -> None:
    provider.go.set()

    done = await shop.until(await shop.request())

    assert (done.status, done.provider, done.model) == (Status.DONE, 'fake', 'flux')
    assert [shop.store.original(image.file) for image in done.images] == shop.originals()
    assert provider.asks == [GenerationRequest(prompt='a cat')]
    assert done.started_at
    assert done.finished_at


async def test_what_waits_is_drawn_after_a_restart(tmp_path: Path, provider: FakeProvider) -> None:
    async with shop_in(tmp_path, provider) as before:
        waiting = await before.request()
    provider.go.set()

    async with shop_in(tmp_path, provider) as after:
        await after.worker.start()
        done = await after.until(waiting)

    assert (done.status, done.attempt) == (Status.DONE, 1)


async def test_what_was_running_at_a_crash_is_interrupted_and_never_sent_again(
    tmp_path: Path, provider: FakeProvider
) -> None:
    before = await Library.open(tmp_path / 'easel.db')
    generation = await running(before, provider='fake')
    await before.close()
    provider.go.set()

    async with shop_in(tmp_path, provider) as after:
        await after.worker.start()
        await after.until(await after.request('another'))
        found = await after.library.generations.one(generation.id)

    assert found.status is Status.INTERRUPTED
    assert [request.prompt for request in provider.asks] == ['another']


async def test_stopping_interrupts_what_runs_and_keeps_what_waits(tmp_path: Path) -> None:
    provider = FakeProvider(provider_settings(at_once=1))
    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        running, waiting = await shop.request(), await shop.request()
        await provider.begun.acquire()

        await shop.worker.stop()

        assert (await shop.library.generations.one(running.id)).status is Status.INTERRUPTED
        assert (await shop.library.generations.one(waiting.id)).status is Status.QUEUED
        assert provider.closed == 1


async def test_cancelling_closes_the_call_and_keeps_no_file(
    shop: Shop, provider: FakeProvider
) -> None:
    generation = await shop.request()
    await provider.begun.acquire()

    cancelled = await shop.worker.cancel(generation.id)
    follower = await shop.request()
    await provider.begun.acquire()
    provider.go.set()
    await shop.until(follower)

    assert cancelled.status is Status.CANCELLED
    assert (await shop.until(generation)).images == ()
    assert provider.closed == 1
    assert len(shop.originals()) == 1


async def test_cancelling_what_waits_means_that_it_is_never_asked(
    tmp_path: Path, provider: FakeProvider
) -> None:
    async with shop_in(tmp_path, provider) as shop:
        first, second = await shop.request('first'), await shop.request('second')
        await shop.worker.cancel(first.id)
        provider.go.set()

        await shop.worker.start()
        await shop.until(second)

    assert [request.prompt for request in provider.asks] == ['second']


async def test_a_cancelled_generation_can_be_tried_again(
    shop: Shop, provider: FakeProvider
) -> None:
    generation = await shop.request()
    await provider.begun.acquire()
    await shop.worker.cancel(generation.id)
    provider.go.set()

    await shop.worker.retry(generation.id)
    done = await shop.until(generation, Status.DONE)

    assert (done.attempt, len(done.images)) == (2, 1)


async def test_one_that_is_tried_again_while_its_call_still_closes_is_drawn_and_the_queue_goes_on(
    tmp_path: Path,
) -> None:
    provider = SlowToClose(provider_settings(at_once=2))
    async with shop_in(tmp_path, provider, EASEL_API_URL='http://fake.test/v1') as shop:
        await shop.worker.start()
        generation = await shop.request()
        await provider.begun.acquire()
        await shop.worker.cancel(generation.id)
        await provider.closing.wait()

        await shop.worker.retry(generation.id)
        await provider.begun.acquire()
        provider.may_close.set()
        others = [await shop.request() for _ in range(3)]
        await shop.rest()
        provider.go.set()
        done = await shop.until(generation, Status.DONE)

        assert (done.attempt, len(done.images)) == (2, 1)
        assert {(await shop.until(one)).status for one in others} == {Status.DONE}
        assert provider.most_under_way == provider.settings.at_once


async def test_what_is_done_can_not_be_tried_again(shop: Shop, provider: FakeProvider) -> None:
    provider.go.set()
    done = await shop.until(await shop.request())

    with pytest.raises(Conflict):
        await shop.worker.retry(done.id)

    assert len(provider.asks) == 1


@pytest.mark.parametrize('at_once', [1, 3])
async def test_no_more_run_at_the_same_time_than_the_provider_allows(
    at_once: int, tmp_path: Path
) -> None:
    provider = FakeProvider(provider_settings(at_once=at_once))
    async with shop_in(tmp_path, provider) as shop:
        asked = [await shop.request() for _ in range(5)]
        await shop.worker.start()
        for _ in range(at_once):
            await provider.begun.acquire()
        asked += [await shop.request() for _ in range(20)]
        provider.go.set()
        statuses = [(await shop.until(generation)).status for generation in asked]

    assert statuses == [Status.DONE] * 25
    assert provider.most_under_way == at_once


async def test_the_same_submission_is_drawn_once(shop: Shop, provider: FakeProvider) -> None:
    provider.go.set()

    first = await shop.worker.submit(GenerationRequest(prompt='a'), 'mark')
    again = await shop.worker.submit(GenerationRequest(prompt='a'), 'mark')
    await shop.until(first.generation)

    assert first.generation.id == again.generation.id
    assert len(provider.asks) == 1


async def test_an_unknown_provider_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidRequest):
        await shop.worker.submit(GenerationRequest(prompt='a', provider='nobody'))


@pytest.mark.parametrize(
    ('environment', 'refused', 'drew'),
    [
        ({}, True, 'demo'),
        ({}, False, 'fake'),
        ({'EASEL_API_URL': 'http://fake.test/v1'}, True, 'fake'),
        ({'OPENAI_BASE_URL': 'http://fake.test/v1'}, True, 'fake'),
    ],
    ids=['not set, refuses', 'not set, answers', 'set, refuses', 'set otherwise, refuses'],
)
async def test_the_demo_stands_in_only_for_an_address_that_nobody_set_and_that_refuses(
    environment: dict[str, str], refused: bool, drew: str, tmp_path: Path
) -> None:
    provider = FakeProvider(status=REFUSING if refused else ANSWERING)
    provider.go.set()
    async with shop_in(tmp_path, provider, **environment) as shop:
        await shop.worker.start()
        done = await shop.until(await shop.request())

    assert (done.status, done.provider) == (Status.DONE, drew)
    assert len(provider.asks) == (1 if drew == 'fake' else 0)


@pytest.mark.parametrize(('asked', 'drew'), [('recolour', 'recolour'), ('flux', 'sketch')])
async def test_the_demo_that_stands_in_names_the_model_of_its_own_that_drew(
    asked: str, drew: str, tmp_path: Path
) -> None:
    request = GenerationRequest(prompt='hills', model=asked, size=Size(16, 16))
    async with shop_in(tmp_path, FakeProvider(status=REFUSING)) as shop:
        done = await shop.worker.draw_now(request)

    assert [image.model for image in done.images] == [drew]


async def test_an_ask_can_be_drawn_without_the_queue(
    tmp_path: Path, provider: FakeProvider
) -> None:
    provider.go.set()
    async with shop_in(tmp_path, provider) as shop:
        done = await shop.worker.draw_now(GenerationRequest(prompt='now'))

    assert (done.status, len(done.images)) == (Status.DONE, 1)


async def test_a_provider_that_may_draw_more_is_given_more_at_once(tmp_path: Path) -> None:
    provider = FakeProvider(provider_settings(at_once=1))
    async with shop_in(tmp_path, provider) as shop, asyncio.timeout(DEADLINE_S):
        await shop.worker.start()
        for _ in range(2):
            await shop.request()
        await provider.begun.acquire()
        await shop.rest()
        shop.providers.environment.settings = provider_settings(at_once=2)

        shop.worker.look_again()
        await provider.begun.acquire()

    assert provider.most_under_way == 2


async def test_without_the_queue_the_demo_stands_in_as_well(tmp_path: Path) -> None:
    provider = FakeProvider(status=REFUSING)
    async with shop_in(tmp_path, provider) as shop:
        done = await shop.worker.draw_now(GenerationRequest(prompt='now'))

    assert (done.status, done.provider) == (Status.DONE, 'demo')


async def test_how_long_a_picture_took_does_not_depend_on_the_clock_of_the_day(
    shop: Shop, provider: FakeProvider
) -> None:
    provider.go.set()
    claimed = await running(shop.library, 'fake')  # in 1970, by the clock of then

    await shop.worker.run_generation(claimed, growing_pauses())

    [image] = (await shop.library.generations.one(claimed.id)).images
    assert image.took_s is not None
    assert 0 < image.took_s < 600

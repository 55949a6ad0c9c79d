"""Generations and pictures in the real database: transitions, pages, search and counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.database import Library
from app.database.gallery.filters import Filter
from app.errors import Conflict, ErrorKind, Failure, NotFound, StorageFailed
from app.models import Generation, Outcome, Status
from app.models.request import GenerationRequest
from tests.support.rows import FULL, drawn, failed, kept, running, submitted


async def test_an_ask_comes_back_as_it_was_sent(library: Library) -> None:
    sent = await library.generations.submit(FULL, provider='g4f', submission=None, now=5.0)

    read = await library.generations.one(sent.generation.id)
    assert read == sent.generation
    assert read.request == FULL
    assert (read.status, read.attempt, read.created_at) == (Status.QUEUED, 1, 5.0)


@pytest.mark.parametrize('seed', [0, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
async def test_every_seed_of_64_bits_comes_back(seed: int, library: Library) -> None:
    claimed = await running(library)
    sent = await library.generations.submit(
        replace(FULL, seed=seed), provider='g4f', submission='m', now=5.0
    )

    await library.generations.finish(claimed, drawn(kept(seed=seed)), 6.0)

    again = await library.generations.submit(
        replace(FULL, seed=seed), provider='g4f', submission='m', now=6.0
    )
    assert (await library.generations.one(claimed.id)).images[0].seed == seed
    assert (again.new, again.generation, again.generation.request.seed) == (
        *(False, sent.generation),
        seed,
    )


async def test_the_same_submission_gives_the_same_generation(library: Library) -> None:
    first = await library.generations.submit(FULL, provider='g4f', submission='m', now=1.0)

    again = await library.generations.submit(FULL, provider='g4f', submission='m', now=2.0)

    assert (first.new, again.new) == (True, False)
    assert again.generation == first.generation


async def test_a_submission_with_another_ask_is_a_conflict(library: Library) -> None:
    await library.generations.submit(FULL, provider='g4f', submission='m', now=1.0)

    with pytest.raises(Conflict):
        await library.generations.submit(
            GenerationRequest(prompt='another'), provider='g4f', submission='m', now=2.0
        )

    assert len(await library.generations.page(None, 9)) == 1


async def test_without_a_mark_every_ask_is_new(library: Library) -> None:
    first, second = await submitted(library), await submitted(library)

    assert first.id != second.id


async def test_what_waits_is_claimed_once_and_by_whom_it_was_claimed_is_kept(
    library: Library,
) -> None:
    waiting = await submitted(library)

    claims = [await library.generations.claim('other', 7.0, waiting.id) for _ in range(2)]

    assert claims[0]
    assert (claims[0].id, claims[0].provider, claims[0].started_at) == (waiting.id, 'other', 7.0)
    assert claims[0].status is Status.RUNNING
    assert claims[1] is None


async def test_an_outcome_is_read_back_whole(library: Library) -> None:
    claimed = await running(library)
    lost = Failure(kind=ErrorKind.BAD_IMAGE, reason='damaged', retry_after_s=1.5)
    outcome = Outcome(
        status=Status.DONE,
        provider='demo',
        model='sketch',
        kept=(kept('a'), kept('b')),
        item_errors=(lost,),
        dropped=('size', 'seed'),
    )

    written = await library.generations.finish(claimed, outcome, 9.0)

    read = await library.generations.one(claimed.id)
    assert written
    assert (read.status, read.provider, read.model) == (Status.DONE, 'demo', 'sketch')
    assert (read.item_errors, read.dropped) == ((lost,), ('size', 'seed'))
    assert (read.finished_at, read.error) == (9.0, None)
    assert [(image.digest, image.position) for image in read.images] == [('a', 0), ('b', 1)]


@pytest.mark.parametrize(
    'failure',
    [
        Failure(kind=ErrorKind.MODERATION),
        Failure(kind=ErrorKind.RATE_LIMITED, words='позже', http_status=429, retry_after_s=0.0),
        Failure(kind=ErrorKind.PENDING, job_id='7', url='http://a.test', param='n', where='a.test'),
    ],
)
async def test_a_failure_is_read_back_whole(failure: Failure, library: Library) -> None:
    claimed = await running(library)

    await library.generations.finish(claimed, failed(failure), 9.0)

    read = await library.generations.one(claimed.id)
    assert (read.status, read.error) == (Status.FAILED, failure)


async def test_a_cancelled_generation_can_not_be_finished(library: Library) -> None:
    claimed = await running(library)
    await library.generations.cancel(claimed.id, 8.0)

    written = await library.generations.finish(claimed, drawn(kept('a')), 9.0)

    read = await library.generations.one(claimed.id)
    assert not written
    assert (read.status, read.images, read.finished_at) == (Status.CANCELLED, (), 8.0)


async def test_a_stale_attempt_can_not_finish_the_next(library: Library) -> None:
    stale = await running(library)
    await library.generations.cancel(stale.id, 8.0)
    await library.generations.retry(stale.id, 'g4f')
    fresh = await library.generations.claim('g4f', 9.0, stale.id)

    written = await library.generations.finish(stale, drawn(kept('a')), 9.5)

    assert fresh
    assert (fresh.id, fresh.attempt) == (stale.id, 2)
    assert not written
    assert (await library.generations.one(stale.id)).status is Status.RUNNING


async def test_a_generation_is_finished_only_once(library: Library) -> None:
    claimed = await running(library)
    await library.generations.finish(claimed, drawn(kept('a')), 9.0)

    written = await library.generations.finish(claimed, drawn(kept('b')), 9.5)

    assert not written
    assert len((await library.generations.one(claimed.id)).images) == 1


async def test_an_outcome_is_written_whole_or_not_at_all(library: Library) -> None:
    claimed = await running(library)
    same = kept('a')

    with pytest.raises(StorageFailed):
        await library.generations.finish(claimed, drawn(same, same), 9.0)

    read = await library.generations.one(claimed.id)
    assert (read.status, read.images) == (Status.RUNNING, ())
    assert await library.counters.total(Filter()) == 0


async def in_status(library: Library, status: Status) -> Generation:
    generation = await submitted(library)
    if status is Status.CANCELLED:
        return await library.generations.cancel(generation.id, 2.0)
    if status is not Status.QUEUED:
        claimed = await library.generations.claim('g4f', 2.0, generation.id)
        assert claimed
        if status is Status.DONE:
            await library.generations.finish(claimed, drawn(kept('a')), 3.0)
        if status is Status.FAILED:
            await library.generations.finish(claimed, failed(), 3.0)
        if status is Status.INTERRUPTED:
            await library.generations.interrupt_running(3.0)
    return await library.generations.one(generation.id)


@pytest.mark.parametrize('status', [Status.FAILED, Status.CANCELLED, Status.INTERRUPTED])
async def test_what_ended_without_pictures_can_be_tried_again(
    status: Status, library: Library
) -> None:
    before = await in_status(library, status)

    again = await library.generations.retry(before.id, 'demo')

    assert (again.id, again.attempt, again.status) == (before.id, 2, Status.QUEUED)
    assert (again.error, again.started_at, again.finished_at) == (None, None, None)
    assert again.provider == 'demo'


@pytest.mark.parametrize('status', [Status.QUEUED, Status.RUNNING, Status.DONE])
async def test_what_is_under_way_or_done_can_not_be_tried_again(
    status: Status, library: Library
) -> None:
    before = await in_status(library, status)

    with pytest.raises(Conflict):
        await library.generations.retry(before.id, 'g4f')

    assert await library.generations.one(before.id) == before


@pytest.mark.parametrize(
    'status', [Status.DONE, Status.FAILED, Status.CANCELLED, Status.INTERRUPTED]
)
async def test_cancelling_a_final_one_changes_nothing(status: Status, library: Library) -> None:
    before = await in_status(library, status)

    assert await library.generations.cancel(before.id, 99.0) == before


async def test_only_what_was_running_is_interrupted(library: Library) -> None:
    first = await running(library)
    second = await submitted(library)

    interrupted = await library.generations.interrupt_running(5.0)

    assert interrupted == (first.id,)
    assert (await library.generations.one(second.id)).status is Status.QUEUED


async def test_what_does_not_exist_is_not_found(library: Library) -> None:
    for act in (
        library.generations.one(7),
        library.generations.cancel(7, 1.0),
        library.generations.retry(7, 'g4f'),
        library.images.set_favourite(7, favourite=True),
        library.images.set_deleted(7, 1.0),
    ):
        with pytest.raises(NotFound):
            await act


async def asked(library: Library, provider: str, model: str | None) -> int:
    request = GenerationRequest(prompt='a', provider=provider, model=model)
    sent = await library.generations.submit(request, provider='g4f', submission=None, now=1.0)
    return sent.generation.id


async def test_the_oldest_that_waits_for_each_provider_and_model_is_named(library: Library) -> None:
    await running(library)
    asks = [('', 'flux'), ('far', None), ('', 'flux'), ('', None), ('far', 'flux')]
    ids = [await asked(library, *one) for one in asks]

    waiting = await library.queue.waiting()

    expected = [(ids[at], *asks[at]) for at in (0, 1, 3, 4)]
    assert [(one.id, one.provider, one.model) for one in waiting] == expected


async def test_the_place_in_the_queue_counts_the_same_provider_alone(library: Library) -> None:
    await submitted(library, provider='demo')
    first = await submitted(library)
    last = await submitted(library)

    places = [await library.queue.place_of(one.id) for one in (first, last)]

    assert [place.ahead for place in places if place] == [0, 1]

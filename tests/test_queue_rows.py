"""The queue's past and progress, and links at the moment when they end, in the real database."""

from __future__ import annotations

import pytest

from app.database import Library
from app.database.links import GuestRow, ShownRow
from app.database.queue import LONGEST_QUEUE, LONGEST_SHARE
from app.errors import QueueFull
from app.models.request import GenerationRequest
from tests.support.rows import drawn, kept, pictured, running, submitted

GUEST = GuestRow(
    name='Ann', token_hash='h', makes=True, sees_all=False, created_at=1.0, expires_at=None
)


async def test_the_expected_time_comes_from_the_newest_ones(library: Library) -> None:
    for took_s in (10.0, 20.0, 30.0):
        generation = await submitted(library)
        claimed = await library.generations.claim('g4f', 100.0, generation.id)
        assert claimed
        await library.generations.finish(claimed, drawn(kept(f'd{took_s}')), 100.0 + took_s)

    newest = await library.queue.durations('g4f', 'flux', 1, 2)

    assert newest == (30.0, 20.0)


async def test_a_clock_that_was_set_back_makes_no_time_that_is_negative(library: Library) -> None:
    before = await running(library)
    await library.generations.finish(before, drawn(kept('before')), -86_400.0)
    cancelled, interrupted = await running(library), await running(library)
    await library.generations.cancel(cancelled.id, -86_400.0)
    await library.generations.interrupt_running(-86_400.0)

    [image] = (await library.generations.one(before.id)).images

    assert image.took_s is None
    assert await library.queue.durations('g4f', 'flux', 1, 9) == ()
    for one in (cancelled, interrupted):
        found = await library.generations.one(one.id)
        assert found.started_at == found.finished_at


async def test_the_progress_of_an_older_attempt_is_not_written(library: Library) -> None:
    stale = await running(library)
    await library.generations.cancel(stale.id, 8.0)
    await library.generations.retry(stale.id, 'g4f')
    fresh = await library.generations.claim('g4f', 9.0, stale.id)
    assert fresh
    await library.queue.progressed(stale.id, fresh.attempt, 0.25)

    await library.queue.progressed(stale.id, stale.attempt, 0.75)

    assert (await library.generations.one(stale.id)).progress == 0.25


async def test_revoking_again_does_not_move_the_moment(library: Library) -> None:
    guest = await library.guests.add(GUEST)
    assert guest.id
    await library.guests.revoke(guest.id, 5.0)

    await library.guests.revoke(guest.id, 9.0)

    assert [row.revoked_at for row in await library.guests.all()] == [5.0]


@pytest.mark.parametrize(('moment', 'opens'), [(9.999, True), (10.0, False), (10.001, False)])
async def test_a_link_to_a_picture_ends_at_its_very_moment(
    moment: float, *, opens: bool, library: Library
) -> None:
    image = await pictured(library)
    await library.shown.add(
        ShownRow(
            image_id=image.id, token_hash='t', tells_prompt=False, created_at=1.0, expires_at=10.0
        )
    )

    found = await library.shown.by_hash('t', moment)

    assert (found is not None) is opens


@pytest.mark.parametrize(('moment', 'opens'), [(9.999, True), (10.0, False)])
def test_a_guests_link_ends_at_its_very_moment(moment: float, *, opens: bool) -> None:
    guest = GuestRow(
        name='Ann', token_hash='h', makes=True, sees_all=False, created_at=1.0, expires_at=10.0
    )

    assert guest.is_valid(moment) is opens


async def test_who_has_too_much_waiting_takes_no_place_of_others(library: Library) -> None:
    async def submit(quota_key: str) -> None:
        await library.generations.submit(
            GenerationRequest(prompt='a'),
            provider='g4f', submission=None, now=1.0, quota_key=quota_key,
        )  # fmt: skip

    for _ in range(LONGEST_SHARE):
        await submit('Ann')

    with pytest.raises(QueueFull):
        await submit('Ann')
    await submit('Ben')


async def test_the_queue_ends_where_it_says(library: Library) -> None:
    await submitted(library)
    await library.database.write(
        lambda db: db.execute(
            """
            with recursive numbers (n) as (select 3 union all select n + 1 from numbers where n < ?)
            insert into generations (status, prompt, asked_provider, provider, created_at)
            select 'queued', 'a', '', 'g4f', 1 from numbers
            """,
            (LONGEST_QUEUE,),
        )
    )
    await submitted(library)

    with pytest.raises(QueueFull):
        await submitted(library)

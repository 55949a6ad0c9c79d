"""Whose turn it is at a server, how long one waits for it, and which servers are given no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.database.links import GuestRow
from app.database.queue import LONGEST_SHARE
from app.errors import ErrorKind, Failure, QueueFull
from app.generation.changes import Changes
from app.generation.running import Running
from app.generation.scheduler import LEAST_PATIENCE_S, Prospect, Scheduler
from app.models import Generation, Outcome, Status
from app.models.request import GenerationRequest
from tests.support.fakes import FakeProvider, provider_settings
from tests.support.rows import drawn, failed, kept
from tests.support.worker_setup import Shop, shop_in

SET = {'EASEL_API_URL': 'http://fake.test/v1'}
SILENT = failed(Failure(kind=ErrorKind.TIMEOUT))


@dataclass
class Timers:
    """Timers that the test lets run out."""

    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    now_s: float = 100.0

    def later(self, delay_s: float, callback: Callable[[], None]) -> Timers:
        self.due.append((delay_s, callback))
        return self

    def cancel(self) -> None: ...

    def run_out(self) -> None:
        """Let every timer of this moment run out."""
        due, self.due = self.due, []
        self.now_s += max(delay_s for delay_s, _ in due)
        for _, callback in due:
            callback()


@dataclass
class Turns:
    """A scheduler without a worker: what it claims runs until the test ends it."""

    shop: Shop
    scheduler: Scheduler
    changes: Changes
    timers: Timers

    async def ask(self, guest: int | None = None, provider: str = '', quota_key: str = '') -> int:
        """Queue one; returns its id."""
        request = GenerationRequest(prompt='a', provider=provider)
        sent = await self.shop.worker.submit(request, None, quota_key, guest)
        return sent.generation.id

    async def begin(self) -> Generation | None:
        return await self.scheduler.next(2.0)

    async def begin_all(self) -> list[Generation]:
        begun = []
        while claimed := await self.begin():
            begun.append(claimed)
        return begun

    async def finish(self, claimed: Generation, outcome: Outcome) -> None:
        await self.shop.library.generations.finish(claimed, outcome, 3.0)
        self.scheduler.saw(claimed, outcome)
        self.scheduler.end(claimed)

    async def order(self) -> list[int]:
        """Draw all that waits, one at a time; returns the ids as they began."""
        begun = []
        while claimed := await self.begin():
            begun.append(claimed.id)
            await self.finish(claimed, drawn(kept(f'd{claimed.id}')))
        return begun


def server(name: str, at_once: int) -> FakeProvider:
    return FakeProvider(provider_settings(name=name, at_once=at_once))


@pytest.fixture
async def turns(tmp_path: Path) -> AsyncIterator[Turns]:
    """Two servers with two places each, and three guests."""
    async with shop_in(tmp_path, server('one', 2), server('two', 2), **SET) as shop:
        for name in 'ABC':
            await shop.library.guests.add(
                GuestRow(
                    name=name, token_hash=name, makes=True, sees_all=False,
                    created_at=1.0, expires_at=None,
                )
            )  # fmt: skip
        changes, timers = Changes(), Timers()
        running = Running(changes, lambda: timers.now_s, timers.later)
        yield Turns(shop, Scheduler(shop.library, shop.providers, running), changes, timers)


async def test_turns_go_round_and_within_one_the_oldest_comes_first(turns: Turns) -> None:
    owner = [await turns.ask(provider='one') for _ in range(4)]
    ann = [await turns.ask(1, 'one') for _ in range(2)]
    ben = [await turns.ask(2, 'one')]

    begun = await turns.order()

    first = [owner[0], ann[0], ben[0]]
    assert begun == [*first, owner[1], ann[1], owner[2], owner[3]]


async def test_who_comes_late_is_next_however_many_wait(turns: Turns) -> None:
    for _ in range(10):
        await turns.ask(provider='one')
    for _ in range(3):
        claimed = await turns.begin()
        if claimed:
            await turns.finish(claimed, drawn(kept(f'd{claimed.id}')))
    late = await turns.ask(1, 'one')

    begun = await turns.order()

    assert begun.index(late) < 2


async def test_turns_at_one_server_cost_none_at_another(turns: Turns) -> None:
    bound = [await turns.ask(1, 'one'), await turns.ask(provider='one')]
    for _ in range(3):
        await turns.ask(1, 'two')
    for _ in range(2):
        await turns.ask(provider='one')

    begun = [one.id for one in await turns.begin_all() if one.provider == 'one']

    assert begun == [bound[1], bound[0]]


async def test_without_guests_every_address_has_its_turn(turns: Turns) -> None:
    loud = [await turns.ask(provider='one', quota_key='10.0.0.7') for _ in range(3)]
    quiet = await turns.ask(provider='one', quota_key='10.0.0.8')

    assert await turns.order() == [loud[0], quiet, loud[1], loud[2]]


async def test_what_is_said_to_be_before_one_is_what_begins_before_it(turns: Turns) -> None:
    asked = [await turns.ask(guest, 'one') for guest in (None, None, 1, None, 2, 1, None, 1, 3)]
    for _ in range(2):
        claimed = await turns.begin()
        assert claimed
        asked.remove(claimed.id)
        await turns.finish(claimed, drawn(kept(f'd{claimed.id}')))
    await turns.ask(3, 'two')

    said = {one: (await turns.scheduler.prospect_of(one)).before for one in asked}
    begun = [one for one in await turns.order() if one in said]

    assert said == {one: before for before, one in enumerate(begun)}


async def test_a_pause_holds_back_what_waits_and_lets_what_runs_end(turns: Turns) -> None:
    backlog = turns.shop.library.backlog
    for _ in range(3):
        await turns.ask(provider='one')
    running = await turns.begin()
    assert running

    await backlog.pause(None)
    held = await turns.begin()
    prospect = await turns.scheduler.prospect_of(running.id + 1)
    await turns.finish(running, drawn(kept('d')))
    await backlog.resume(None)
    begun = await turns.begin_all()

    assert (held, prospect.paused) == (None, True)
    assert (await turns.shop.library.generations.one(running.id)).status is Status.DONE
    assert len(begun) == 2


async def test_a_guest_pauses_their_own_alone(turns: Turns) -> None:
    paused, other, owners = [await turns.ask(guest, 'one') for guest in (1, 2, None)]
    await turns.shop.library.backlog.pause(1)

    begun = await turns.order()

    assert begun == [owners, other]
    assert await turns.scheduler.prospect_of(paused) == Prospect(0, paused=True)


async def test_a_guest_has_one_share_at_every_address(turns: Turns) -> None:
    await turns.ask(1, quota_key='10.0.0.1')
    await turns.shop.library.database.write(
        lambda db: db.execute(
            """
            with recursive numbers (n) as (select 2 union all select n + 1 from numbers where n < ?)
            insert into generations (status, prompt, asked_provider, provider, created_at, share)
            select 'queued', 'a', '', 'one', 1, share from generations, numbers
            """,
            (LONGEST_SHARE,),
        )
    )

    with pytest.raises(QueueFull):
        await turns.ask(1, quota_key='10.0.0.9')
    await turns.ask(2, quota_key='10.0.0.1')


async def hang(turns: Turns) -> list[Generation]:
    """Have both places of the first server taken by what is never answered."""
    for _ in range(2):
        await turns.ask(provider='one')
    begun = await turns.begin_all()
    turns.timers.run_out()
    return begun


async def test_a_server_that_hangs_is_given_nothing_that_another_can_take(turns: Turns) -> None:
    hanging = await hang(turns)
    await turns.finish(hanging[0], SILENT)
    for _ in range(3):
        await turns.ask()

    begun = await turns.begin_all()

    assert turns.scheduler.hanging() == {'one': LEAST_PATIENCE_S}
    assert [one.provider for one in begun] == ['two', 'two']


async def test_what_is_bound_to_a_server_that_hangs_goes_one_at_a_time(turns: Turns) -> None:
    hanging = await hang(turns)
    for claimed in hanging:
        await turns.ask(provider='one')
        await turns.finish(claimed, SILENT)

    begun = await turns.begin_all()
    waiting = await turns.scheduler.prospect_of(begun[0].id + 1)

    assert len(begun) == 1
    assert waiting == Prospect(0, hanging=True)
    assert turns.scheduler.hanging() == {'one': LEAST_PATIENCE_S}


async def test_a_server_that_answers_again_goes_on_by_itself(turns: Turns) -> None:
    hanging = await hang(turns)
    for _ in range(2):
        await turns.ask(provider='one')

    for claimed in hanging:
        await turns.finish(claimed, drawn(kept(f'd{claimed.id}')))
    begun = await turns.begin_all()

    assert [one.provider for one in begun] == ['one', 'one']
    assert turns.scheduler.hanging() == {}


async def test_a_server_that_sends_progress_does_not_hang(turns: Turns) -> None:
    for _ in range(2):
        await turns.ask(provider='one')
    begun = await turns.begin_all()

    turns.changes.announce(begun[0].id)
    turns.timers.run_out()
    first = turns.scheduler.hanging()
    turns.timers.run_out()

    assert (first, turns.scheduler.hanging()) == ({}, {'one': 2 * LEAST_PATIENCE_S})


async def test_a_slow_server_is_waited_for_as_long_as_it_usually_takes(turns: Turns) -> None:
    for took_s in (20.0, 30.0, 400.0):
        await turns.ask(provider='one')
        claimed = await turns.begin()
        assert claimed
        outcome = drawn(kept(f'd{took_s}'), provider='one')
        await turns.shop.library.generations.finish(claimed, outcome, 2.0 + took_s)
        turns.scheduler.end(claimed)
    turns.timers.due.clear()

    await turns.ask(provider='one')
    await turns.begin_all()

    assert [delay_s for delay_s, _ in turns.timers.due] == [150.0]

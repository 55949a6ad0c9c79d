"""Acts on all that waits or failed: whose they touch, what they leave, what the page shows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.database.queue import LONGEST_SHARE, share_of
from app.errors import ErrorKind, Failure
from app.generation.running import Running
from app.generation.scheduler import Scheduler
from app.models import Generation, Status
from app.models.request import GenerationRequest
from app.web.views.notices import notices_of
from tests.support.guests import JSON, Party, party
from tests.support.rows import drawn, failed, kept
from tests.test_turns import Timers

pytestmark = pytest.mark.asyncio(loop_scope='module')

FRAGMENT = (b'x-fragment', b'true')
PASSING = (*('storage', 'unreachable', 'not_ready', 'rate_limited', 'timeout', 'gateway_timeout'),)


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Party]:
    async with party(tmp_path_factory.mktemp('acts') / 'data') as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope='module')
async def guests(opened: Party) -> AsyncIterator[Party]:
    """Give the party, and leave it with nothing that waits, failed or is paused."""
    yield opened
    backlog = opened.services.library.backlog
    await backlog.resume(None)
    await backlog.cancel_all(None, 9.0)
    await backlog.dismiss_all(None, 9.0)


async def ask(guests: Party, who: str = 'owner', provider: str = '') -> int:
    """Queue one of the owner's, or of a guest's."""
    request = GenerationRequest(prompt=f'asked by {who}', provider=provider)
    sent = await guests.services.library.generations.submit(
        request, provider='g4f', submission=None, now=1.0, guest=guests.ids.get(who)
    )
    return sent.generation.id


async def fill(guests: Party, count: int, who: str) -> None:
    """Queue many of a guest at once."""
    await guests.services.library.database.write(
        lambda db: db.execute(
            """
            with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?)
            insert into generations
              (status, prompt, asked_provider, provider, created_at, guest, share)
            select 'queued', 'a', '', 'g4f', 1, ?, ? from numbers
            """,
            (count, guests.ids[who], share_of(guests.ids[who])),
        )
    )


async def begin(guests: Party, number: int) -> Generation:
    claimed = await guests.services.library.generations.claim('g4f', 2.0, number)
    assert claimed
    return claimed


async def fail(
    guests: Party, kind: str = 'unreachable', who: str = 'owner', provider: str = ''
) -> int:
    number = await ask(guests, who, provider)
    outcome = failed(Failure(kind=ErrorKind(kind)))
    library = guests.services.library
    await library.generations.finish(await begin(guests, number), outcome, 3.0)
    return number


async def statuses(guests: Party, *numbers: int) -> list[str]:
    rows = [await guests.services.library.generations.one(number) for number in numbers]
    return [row.status.value for row in rows]


async def act(guests: Party, name: str, who: str = 'owner') -> dict[str, object]:
    """Do one as a program; returns the numbers that it answers."""
    answer = await guests.request(who, 'POST', f'/generations/{name}', JSON)
    assert answer.status == 200, answer.body
    numbers: dict[str, object] = json.loads(answer.body)
    return numbers


async def test_the_owner_ends_all_that_wait_and_nothing_that_runs(guests: Party) -> None:
    waiting = [await ask(guests, who) for who in ('owner', 'maker')]
    running = await begin(guests, await ask(guests))

    numbers = await act(guests, 'cancellation')
    written = await guests.services.library.generations.finish(running, drawn(kept('d')), 3.0)

    assert numbers == {'waiting': 0, 'failed': 0, 'retryable': 0, 'paused': False}
    assert await statuses(guests, *waiting, running.id) == ['cancelled', 'cancelled', 'done']
    assert written


async def test_a_guest_ends_their_own_alone(guests: Party) -> None:
    waiting = [await ask(guests, who) for who in ('owner', 'maker', 'both')]

    await act(guests, 'cancellation', 'maker')

    assert await statuses(guests, *waiting) == ['queued', 'cancelled', 'queued']


async def test_what_failed_for_want_of_room_or_of_a_server_is_tried_again(guests: Party) -> None:
    passing = [await fail(guests, kind) for kind in PASSING]
    lasting = [await fail(guests, kind) for kind in ('moderation', 'auth', 'bad_image', 'internal')]

    numbers = await act(guests, 'retry')

    again = [await guests.services.library.generations.one(number) for number in passing]
    assert {(one.status, one.attempt, one.error) for one in again} == {(Status.QUEUED, 2, None)}
    assert set(await statuses(guests, *lasting)) == {'failed'}
    assert numbers == {'waiting': 6, 'failed': 4, 'retryable': 0, 'paused': False}


async def test_what_asks_for_a_server_that_is_gone_stays_failed(guests: Party) -> None:
    gone, other = await fail(guests, provider='gone'), await fail(guests)

    await act(guests, 'retry')

    assert await statuses(guests, gone, other) == ['failed', 'queued']


async def test_a_guest_tries_their_own_again_as_far_as_there_is_room(guests: Party) -> None:
    own = [await fail(guests, who='maker') for _ in range(3)]
    owners = await fail(guests)
    await fill(guests, LONGEST_SHARE - 2, 'maker')

    numbers = await act(guests, 'retry', 'maker')
    full = await guests.request('maker', 'POST', '/generations/retry', JSON)

    assert await statuses(guests, *own, owners) == ['queued', 'queued', 'failed', 'failed']
    assert (numbers['waiting'], full.status) == (LONGEST_SHARE, 429)


async def test_an_old_attempt_cannot_end_one_that_is_tried_again(guests: Party) -> None:
    number, library = await ask(guests), guests.services.library
    stale = await begin(guests, number)
    await library.generations.finish(stale, failed(Failure(kind=ErrorKind.STORAGE)), 3.0)
    await act(guests, 'retry')

    written = await library.generations.finish(stale, drawn(kept('d')), 4.0)

    assert not written
    assert await statuses(guests, number) == ['queued']


async def test_a_guest_is_told_of_the_owners_pause_and_cannot_end_it(guests: Party) -> None:
    for _ in range(2):
        await ask(guests, 'maker')
    await act(guests, 'pause')

    numbers = await act(guests, 'resumption', 'maker')
    page = await guests.request('maker', 'GET', '/')

    assert numbers['paused'] is True
    assert b'The owner paused the queue.' in page.body
    assert b'resumption' not in page.body


async def test_what_is_dismissed_leaves_the_create_page_and_not_the_history(guests: Party) -> None:
    number = await fail(guests)
    mark = f'id="generation-{number}"'.encode()

    answer = await guests.request('owner', 'POST', f'/generations/{number}/dismissal')
    pages = [await guests.request('owner', 'GET', path) for path in ('/', '/generations')]
    counts = await guests.services.library.backlog.counts(None)
    await guests.services.library.generations.retry(number, 'g4f')
    again = await guests.request('owner', 'GET', '/')

    assert (answer.status, answer.headers['location']) == (303, '/')
    assert [mark in page.body for page in pages] == [False, True]
    assert (counts.failed, counts.retryable) == (0, 0)
    assert mark in again.body


async def test_what_is_under_way_cannot_be_dismissed(guests: Party) -> None:
    number = await ask(guests)

    waiting = await guests.request('owner', 'POST', f'/generations/{number}/dismissal')
    done = await guests.request('owner', 'POST', f'/generations/{guests.made["owner"]}/dismissal')

    assert (waiting.status, done.status) == (409, 409)


async def test_a_guest_dismisses_all_of_their_own_that_failed(guests: Party) -> None:
    own = [await fail(guests, kind, 'maker') for kind in ('moderation', 'storage')]
    await fail(guests)

    numbers = await act(guests, 'dismissal', 'maker')

    rows = [await guests.services.library.generations.one(number) for number in own]
    assert all(row.status is Status.FAILED and row.dismissed_at for row in rows)
    assert numbers['failed'] == 0
    assert (await guests.services.library.backlog.counts(None)).failed == 1


async def test_somebody_elses_cannot_be_dismissed(guests: Party) -> None:
    number = await fail(guests)

    answer = await guests.request('maker', 'POST', f'/generations/{number}/dismissal')

    assert answer.status == 404


@pytest.mark.parametrize(
    ('waiting', 'failures', 'acts'),
    [(1, 1, ()), (2, 0, ('pause', 'cancellation')), (0, 2, ('retry', 'dismissal'))],
)
async def test_the_bar_offers_what_is_for_many(
    waiting: int, failures: int, acts: tuple[str, ...], guests: Party
) -> None:
    for _ in range(waiting):
        await ask(guests)
    for _ in range(failures):
        await fail(guests)

    bar = await guests.request('owner', 'GET', '/generations', FRAGMENT)

    offered = [name for name in ('pause', 'resumption', 'cancellation', 'retry', 'dismissal')
               if f'/generations/{name}"'.encode() in bar.body]  # fmt: skip
    assert bar.body.startswith(b'<queue-bar')
    assert offered == list(acts)


async def test_a_browser_without_scripts_is_led_back_to_the_page(guests: Party) -> None:
    for _ in range(2):
        await ask(guests)

    led = await guests.request('owner', 'POST', '/generations/pause')
    page = await guests.request('owner', 'GET', '/')
    bar = await guests.request('owner', 'POST', '/generations/resumption', FRAGMENT)

    assert (led.status, led.headers['location']) == (303, '/')
    assert b'action="/generations/resumption"' in page.body
    assert b'Paused' in page.body
    assert (bar.status, b'/generations/pause' in bar.body) == (200, True)


async def test_a_server_that_hangs_is_told_to_the_owner_alone(guests: Party) -> None:
    services, timers = guests.services, Timers()
    running = Running(services.changes, lambda: 100.0, timers.later)
    services.worker.scheduler = Scheduler(services.library, services.providers, running)
    places = services.providers.environment.settings.at_once
    for _ in range(places):
        await ask(guests, provider='g4f')
    claimed = [await services.worker.scheduler.next(2.0) for _ in range(places)]

    timers.run_out()
    owner, guest = [await guests.request(who, 'GET', '/gallery') for who in ('owner', 'maker')]
    for one in claimed:
        assert one
        services.worker.scheduler.end(one)

    sentence = b'g4f hasn&#39;t answered for'
    assert (sentence in owner.body, sentence in guest.body) == (True, False)
    assert notices_of(services) == ()

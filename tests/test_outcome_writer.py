"""What was drawn is written down, however long the storage refuses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.database import Library
from app.errors import ErrorKind, Failure, ProviderError, StorageFailed, Unkeepable
from app.generation.outcome_writer import LONGEST_PAUSE_S, OutcomeWriter, growing_pauses
from app.generation.worker import MOST_TRIES_NOW
from app.models import Generation, Outcome, Status
from app.models.request import GenerationRequest
from tests.support.fakes import FakeProvider, provider_settings, received_in, storing
from tests.support.labelled_pictures import label_of, saved
from tests.support.rows import locked
from tests.support.worker_setup import Shop, shop_in

# Its words are indexed when it is done, which takes pages that a full database has not.
LONG = ' '.join(f'word{number}' for number in range(3_000))
ALL_PAGES = 1_000_000
URL = {'EASEL_API_URL': 'http://fake.test/v1'}
REFUSED = ProviderError(Failure(kind=ErrorKind.MODERATION, words='not that'))


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(provider_settings(at_once=1))


@pytest.fixture
async def shop(tmp_path: Path, provider: FakeProvider) -> AsyncIterator[Shop]:
    async with shop_in(tmp_path, provider, **URL) as shop:
        await shop.worker.start()
        yield shop


async def allow_pages(library: Library, most: int) -> None:
    """Let the database have so many pages, but not fewer than it has: the rest of the disk."""
    await library.database.write(lambda db: db.pragma('max_page_count', most))


async def drawn_onto_a_full_disk(shop: Shop, provider: FakeProvider) -> Generation:
    """Have a picture come for whose row there is no room, up to the first pause."""
    generation = await shop.request(LONG)
    await provider.begun.acquire()
    await allow_pages(shop.library, 1)
    provider.go.set()
    await shop.rests.begun.acquire()
    return generation


@asynccontextmanager
async def answered_while_locked(
    shop: Shop, provider: FakeProvider, folder: Path
) -> AsyncIterator[Generation]:
    """Have an answer come while another program holds the lock, for as long as the block lasts."""
    generation = await shop.request()
    await provider.begun.acquire()
    with locked(folder):
        provider.go.set()
        yield generation


async def test_a_picture_is_written_about_when_the_disk_has_room_again(
    shop: Shop, provider: FakeProvider
) -> None:
    generation = await drawn_onto_a_full_disk(shop, provider)
    for _ in range(2):
        shop.rests.over.release()
        await shop.rests.begun.acquire()
    meanwhile = await shop.library.generations.one(generation.id)
    originals = shop.originals()

    await allow_pages(shop.library, ALL_PAGES)
    shop.rests.over.release()
    done = await shop.until(generation)

    assert meanwhile.status is Status.RUNNING
    assert done.status is Status.DONE
    assert [shop.store.original(image.file) for image in done.images] == originals
    assert shop.rests.pauses == [0.5, 1.0, 2.0]
    assert len(provider.asks) == 1


@pytest.mark.parametrize(
    ('fault', 'status', 'pictures'), [(REFUSED, Status.FAILED, 0), (None, Status.DONE, 1)]
)
async def test_an_answer_is_written_down_when_the_lock_is_given_back(
    fault: ProviderError | None,
    status: Status,
    pictures: int,
    shop: Shop,
    provider: FakeProvider,
    tmp_path: Path,
) -> None:
    await shop.library.database.write(lambda db: db.set_busy_timeout(0))
    provider.fault = fault
    async with answered_while_locked(shop, provider, tmp_path) as generation:
        await shop.rests.begun.acquire()

    shop.rests.over.release()
    found = await shop.until(generation)

    assert (found.status, found.error) == (status, fault.failure if fault else None)
    assert len(found.images) == len(shop.originals()) == pictures


async def test_what_waits_to_be_written_down_can_be_cancelled(
    shop: Shop, provider: FakeProvider
) -> None:
    generation = await drawn_onto_a_full_disk(shop, provider)

    cancelled = await shop.worker.cancel(generation.id)
    following = await shop.until(await shop.request('short'))

    assert cancelled.status is Status.CANCELLED
    assert following.status is Status.DONE
    assert shop.originals() == [shop.store.original(following.images[0].file)]


async def test_a_stop_does_not_wait_for_room_and_leaves_the_picture(
    shop: Shop, provider: FakeProvider
) -> None:
    generation = await drawn_onto_a_full_disk(shop, provider)

    await shop.worker.stop()

    row = await shop.library.generations.one(generation.id)
    assert row.status is Status.INTERRUPTED
    assert len(shop.originals()) == 1


async def test_a_stop_does_not_wait_for_a_lock_and_the_next_start_interrupts(
    provider: FakeProvider, tmp_path: Path
) -> None:
    async with shop_in(tmp_path, provider, **URL) as shop:
        await shop.worker.start()
        provider.fault = REFUSED
        async with answered_while_locked(shop, provider, tmp_path) as generation:
            async with asyncio.timeout(4):
                await shop.worker.stop()
            left = await shop.library.generations.one(generation.id)

        await shop.worker.start()
        row = await shop.library.generations.one(generation.id)

    assert (left.status, row.status) == (Status.RUNNING, Status.INTERRUPTED)


async def test_a_command_gives_up_after_some_tries_and_leaves_the_picture(
    provider: FakeProvider, tmp_path: Path
) -> None:
    async with shop_in(tmp_path, provider, **URL) as shop:
        drawing = asyncio.create_task(shop.worker.draw_now(GenerationRequest(prompt=LONG)))
        await provider.begun.acquire()
        await allow_pages(shop.library, 1)
        for _ in range(MOST_TRIES_NOW):
            shop.rests.over.release()
        provider.go.set()

        with pytest.raises(StorageFailed, match='full'):
            await drawing

        assert len(shop.rests.pauses) == MOST_TRIES_NOW - 1
        assert len(shop.originals()) == 1


async def test_what_the_database_refuses_for_itself_is_not_tried_again(shop: Shop) -> None:
    with pytest.raises(Unkeepable):
        await shop.library.database.write(
            lambda db: db.execute("insert into reserved values ('a', 'no number')")
        )


def test_pauses_grow_to_a_longest_one() -> None:
    pauses = growing_pauses()

    first = [next(pauses) for _ in range(6)]

    assert first == [0.5, 1.0, *4 * [LONGEST_PAUSE_S]]


async def test_an_outcome_that_is_being_written_when_it_is_cancelled_is_written(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        library = await Library.open(tmp_path / 'easel.db')
        kept = await store.keep(received_in(store, saved('PNG', 'L')), label_of('a heron', 1.0))
        outcome = Outcome(status=Status.DONE, provider='fake', model='flux', kept=(kept,))
        sent = await library.generations.submit(
            GenerationRequest(prompt='a heron'), provider='fake', submission=None, now=1.0
        )
        claimed = await library.generations.claim('fake', 2.0, sent.generation.id)
        assert claimed
        free = threading.Event()
        busy = asyncio.create_task(library.database.write(lambda _: free.wait(20)))
        finishing = OutcomeWriter(library, store).finish(claimed, outcome, 3.0, ())
        writing = asyncio.create_task(finishing)
        await asyncio.sleep(0)

        writing.cancel()
        free.set()
        await asyncio.gather(busy, writing, return_exceptions=True)

        row = await library.generations.one(claimed.id)
        await library.close()
    assert row.status is Status.DONE
    assert store.original(row.images[0].file).is_file()

"""The worker when something breaks: it says what, keeps what is good, and goes on."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.errors import ErrorKind, Failure, ProviderError
from app.models import Generation, Status
from app.models.request import GenerationRequest
from tests.support.fakes import FakeProvider, Reply, arriving_in, asking, picture, upstream
from tests.support.worker_setup import Shop, shop_in


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def shop(tmp_path: Path, provider: FakeProvider) -> AsyncIterator[Shop]:
    async with shop_in(tmp_path, provider, EASEL_API_URL='http://fake.test/v1') as shop:
        await shop.worker.start()
        yield shop


async def test_one_bad_picture_of_two_is_reported_and_the_other_kept(tmp_path: Path) -> None:
    provider = FakeProvider(pictures=[picture(), picture()[:30]])
    provider.go.set()
    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        done = await shop.until(await shop.request())

        assert (done.status, len(done.images)) == (Status.DONE, 1)
        assert [failure.kind for failure in done.item_errors] == [ErrorKind.BAD_IMAGE]
        assert arriving_in(tmp_path) == []


async def test_bad_pictures_alone_are_a_failure(tmp_path: Path) -> None:
    provider = FakeProvider(pictures=[b'<html>', picture()[:30]])
    provider.go.set()
    async with shop_in(tmp_path, provider) as shop:
        await shop.worker.start()
        done = await shop.until(await shop.request())

        assert (done.status, done.images) == (Status.FAILED, ())
        assert done.error
        assert done.error.kind is ErrorKind.NOT_AN_IMAGE
        assert shop.originals() == []


REFUSED = Failure(kind=ErrorKind.MODERATION, words='not that', where='fake.test', http_status=400)


@pytest.mark.parametrize(
    ('fault', 'failure'),
    [
        (ProviderError(REFUSED), REFUSED),
        (RuntimeError('a secret detail'), Failure(kind=ErrorKind.INTERNAL, reason='RuntimeError')),
        (KeyError('x'), Failure(kind=ErrorKind.INTERNAL, reason='KeyError')),
    ],
)
async def test_a_fault_is_written_down_and_the_next_is_drawn(
    fault: Exception, failure: Failure, shop: Shop, provider: FakeProvider
) -> None:
    provider.fault = fault
    provider.go.set()
    broken = await shop.until(await shop.request())
    provider.fault = None

    following = await shop.until(await shop.request())

    assert (broken.status, broken.error) == (Status.FAILED, failure)
    assert following.status is Status.DONE


async def test_what_ends_without_an_outcome_is_interrupted_and_not_left_running(
    shop: Shop, provider: FakeProvider
) -> None:
    provider.fault = asyncio.CancelledError()
    provider.go.set()

    ended = await shop.until(await shop.request())

    assert ended.status is Status.INTERRUPTED


@pytest.mark.parametrize('folder', ['images', 'arriving'])
async def test_a_folder_that_refuses_pauses_the_queue_and_it_goes_on_by_itself(
    folder: str, shop: Shop, provider: FakeProvider
) -> None:
    (shop.store.data / folder).rmdir()
    (shop.store.data / folder).write_text('in the way')
    provider.go.set()
    waiting = await shop.request()
    await shop.pauses.begun.acquire()
    asked, problem = len(provider.asks), shop.monitor.problem

    (shop.store.data / folder).unlink()
    (shop.store.data / folder).mkdir()
    shop.pauses.over.release()

    assert (await shop.until(waiting)).status is Status.DONE
    assert (asked, problem and problem.places['what']) == (0, folder)
    assert shop.monitor.problem is None


async def test_a_database_that_goes_on_refusing_is_told_once(
    tmp_path: Path, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    async with shop_in(tmp_path, provider) as shop:
        await shop.library.database.write(lambda db: db.pragma('query_only', 1))

        found = [await shop.monitor.check() for _ in range(3)]

    assert found == [False, False, False]
    assert caplog.text.count('the queue pauses') == 1


async def drawn_by_a_server(reply: Reply, folder: Path) -> Generation:
    """Have the real provider ask a server that answers so, and read the row afterwards."""
    async with upstream({'POST /v1/images/generations': reply}) as server:
        url = f'{server.origin}/v1'
        async with asking(url) as provider, shop_in(folder, provider, EASEL_API_URL=url) as shop:
            return await shop.worker.draw_now(GenerationRequest(prompt='a cat'))


@pytest.mark.parametrize(
    'label',
    ['"seed":9223372036854775808', '"seed":-1e400', '"revised_prompt":"\\ud800"'],
    ids=['large seed', 'endless seed', 'half a sign'],
)
async def test_a_label_that_no_row_can_hold_does_not_cost_the_picture(
    label: str, tmp_path: Path
) -> None:
    content = base64.b64encode(picture()).decode()
    body = f'{{"data":[{{"b64_json":"{content}",{label}}}]}}'.encode()

    done = await drawn_by_a_server(Reply(body=body), tmp_path)

    assert (done.status, len(done.images)) == (Status.DONE, 1)


@pytest.mark.parametrize(
    ('status', 'body', 'kind'),
    [
        (400, b'{"error":{"message":"no \\ud800 cat"}}', ErrorKind.INVALID_REQUEST),
        (202, b'{"task_id":"\\ud800"}', ErrorKind.PENDING),
        (200, b'{"data":[{"url":"http://127.0.0.1/\\ud800"}]}', ErrorKind.BLOCKED_URL),
    ],
    ids=['words', 'job', 'address'],
)
async def test_words_that_no_row_can_hold_do_not_hide_the_failure(
    status: int, body: bytes, kind: ErrorKind, tmp_path: Path
) -> None:
    failed = await drawn_by_a_server(Reply(status=status, body=body), tmp_path)

    assert failed.status is Status.FAILED
    assert failed.error
    assert failed.error.kind is kind


async def test_a_generation_that_could_not_be_written_down_has_failed_and_its_picture_stays(
    shop: Shop, provider: FakeProvider
) -> None:
    await shop.library.database.write(
        lambda db: db.execute(
            "create trigger refuse before insert on images begin select raise(abort, 'no'); end"
        )
    )
    provider.go.set()

    failed = await shop.until(await shop.request())

    assert failed.error
    assert failed.error.kind is ErrorKind.STORAGE
    assert len(shop.originals()) == 1


async def test_a_queue_that_could_not_be_read_is_read_again_soon(
    shop: Shop, provider: FakeProvider
) -> None:
    provider.go.set()
    database = shop.library.database
    await database.write(
        lambda db: db.execute(
            'create trigger refuse before update on generations '
            "begin select raise(abort, 'no'); end"
        )
    )
    waiting = await shop.request()
    await shop.pauses.begun.acquire()

    await database.write(lambda db: db.execute('drop trigger refuse'))
    shop.pauses.over.release()
    done = await shop.until(waiting)

    assert done.status is Status.DONE


async def test_a_fault_of_our_own_does_not_end_the_queue(
    shop: Shop, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.go.set()
    with monkeypatch.context() as broken:
        broken.setattr(shop.worker.scheduler, 'next', None)
        waiting = await shop.request()
        await shop.pauses.begun.acquire()

    shop.pauses.over.release()
    done = await shop.until(waiting)

    assert done.status is Status.DONE

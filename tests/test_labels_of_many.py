"""Several pictures of one generation: the seed that is true of each, and who was reached."""

from __future__ import annotations

from pathlib import Path

from app.errors import ErrorKind, Failure, ProviderError
from app.models import Status
from app.models.request import GenerationRequest
from app.storage.metadata.read import read_settings
from tests.support.fakes import FakeProvider, picture
from tests.support.worker_setup import shop_in


async def test_the_asked_seed_is_written_on_the_first_picture_alone(tmp_path: Path) -> None:
    provider = FakeProvider(pictures=[picture(8, 6), picture(6, 8)])
    provider.go.set()
    async with shop_in(tmp_path, provider) as shop:
        sent = await shop.worker.submit(GenerationRequest(prompt='a cat', n=2, seed=7))
        await shop.worker.start()

        done = await shop.until(sent.generation)

        files = [str(shop.store.original(image.file)) for image in done.images]
        assert done.status is Status.DONE
        assert [read_settings(file, 'PNG').get('seed') for file in files] == [7, None]


async def test_a_server_that_is_not_reached_does_not_count_as_one_that_answered(
    tmp_path: Path,
) -> None:
    provider = FakeProvider(fault=ProviderError(Failure(kind=ErrorKind.UNREACHABLE)))
    provider.go.set()
    async with shop_in(tmp_path, provider, EASEL_API_URL='http://fake.test/v1') as shop:
        await shop.worker.start()

        await shop.until(await shop.request())

        assert [one.status.answered for one in shop.providers.enabled()] == [False]

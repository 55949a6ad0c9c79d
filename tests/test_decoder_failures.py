"""A decoder that fails costs no picture: what came waits for it, or is set aside."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from app.errors import ErrorKind, Failure, ProviderError
from app.messages import describe
from app.models import Status
from app.storage.decoding import decoder as client
from app.storage.decoding.decoder import Decoded, Decoder
from app.storage.health import DECODER_FAILS
from app.storage.metadata.label import Label
from app.storage.metadata.read import read_settings
from tests.support.fakes import FakeProvider, arriving_in, picture, received_in, storing
from tests.support.labelled_pictures import label_of
from tests.support.worker_setup import shop_with
from tests.test_decoder_answers import NO_ANSWER, NOW, STOPS, doing, rescued_in

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals')


def not_starting(folder: Path) -> Decoder:
    """Give a decoder whose environment is longer than the system lets one be."""
    folder.mkdir()
    return Decoder({'LONG': 'x' * 4_000_000})


SEGFAULT = 'os.kill(os.getpid(), signal.SIGSEGV)'
REFUSES = 'import PIL.Image; PIL.Image.open = lambda *_, **__: [][0]'
FAILING: dict[str, Callable[[Path], Decoder]] = {
    'it says junk': lambda folder: doing(folder, NO_ANSWER['a line of junk'], always=True),
    'it ends': lambda folder: doing(folder, NO_ANSWER['the end'], always=True),
    'it has a fault': lambda folder: doing(folder, NO_ANSWER['a fault'], always=True),
    'it is killed': lambda folder: doing(folder, NO_ANSWER['a kill'], always=True),
    'it is slow': lambda folder: doing(folder, STOPS, always=True, timeout_s=0.5),
    'it can not start': not_starting,
    'it has no memory': lambda folder: doing(folder, SEGFAULT, always=True),
    'it takes nothing': lambda folder: doing(folder, REFUSES, always=True),
}


@pytest.mark.parametrize('name', FAILING)
async def test_a_picture_stays_where_the_decoder_fails_at_any(name: str, tmp_path: Path) -> None:
    async with storing(tmp_path / 'data', FAILING[name](tmp_path / 'habit')) as store:
        received = received_in(store, picture())
        with pytest.raises(client.DecoderFailed):
            await store.keep(received, label_of('a fox', NOW))

    assert received.path.read_bytes() == picture()
    assert arriving_in(tmp_path / 'data') == [received.path.name]


class FailsAtOne(Decoder):
    """Fails at every picture but those of one pixel, as the one is that it is tried with."""

    fault: ProviderError = client.DecoderFailed('the decoder crashed')

    async def decode(
        self, path: Path, mime: str, thumbs: Mapping[int, Path], label: Label | None = None
    ) -> Decoded:
        decoded = await super().decode(path, mime, thumbs, label)
        if decoded.width > 1:
            raise self.fault
        return decoded


class RefusesOne(FailsAtOne):
    """Finds every picture damaged but those of one pixel."""

    fault: ProviderError = ProviderError(Failure(kind=ErrorKind.BAD_IMAGE, reason=client.LIMITS))


async def test_a_picture_that_takes_the_decoder_alone_to_its_limits_is_refused(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path / 'data', RefusesOne({})) as store:
        with pytest.raises(ProviderError) as caught:
            await store.keep(received_in(store, picture()), label_of('a', NOW))

    assert caught.value.failure == Failure(kind=ErrorKind.BAD_IMAGE, reason=client.LIMITS)
    assert rescued_in(tmp_path / 'data') == []
    assert arriving_in(tmp_path / 'data') == []


@pytest.mark.parametrize('form', ['PNG', 'GIF'])
async def test_a_picture_is_set_aside_as_it_came_where_the_decoder_fails_at_it_alone(
    form: str, tmp_path: Path
) -> None:
    content = picture(form=form)
    async with storing(tmp_path / 'data', FailsAtOne({})) as store:
        with pytest.raises(ProviderError) as caught:
            await store.keep(received_in(store, content), label_of('a fox', NOW))
        file = store.data / caught.value.failure.file

    assert caught.value.failure.kind is ErrorKind.SET_ASIDE
    assert file.read_bytes() == content
    assert read_settings(str(file), form)['prompt'] == 'a fox'
    assert arriving_in(tmp_path / 'data') == []


async def test_a_generation_tells_where_each_picture_is_that_was_set_aside(tmp_path: Path) -> None:
    provider = FakeProvider(pictures=[picture(2, 1), picture(2, 2), b'<html>'])
    provider.go.set()
    async with (
        storing(tmp_path / 'data', FailsAtOne({})) as store,
        shop_with(store, provider) as shop,
    ):
        await shop.worker.start()
        done = await shop.until(await shop.request())

    assert done.status is Status.FAILED
    assert done.error
    assert done.error.file in describe(done.error, str).message
    assert (tmp_path / 'data' / done.error.file).read_bytes() == picture(2, 1)
    assert len(rescued_in(tmp_path / 'data')) == 4  # each with its label


async def test_a_decoder_that_works_again_gets_what_waited_and_the_queue_goes_on(
    tmp_path: Path,
) -> None:
    provider = FakeProvider()
    provider.go.set()
    decoder = FAILING['it ends'](tmp_path / 'habit')
    async with storing(tmp_path / 'data', decoder) as store, shop_with(store, provider) as shop:
        await shop.worker.start()
        generation = await shop.request()
        await shop.rests.begun.acquire()
        problem = shop.monitor.problem

        (tmp_path / 'habit' / 'sitecustomize.py').unlink()
        shop.rests.over.release()
        done = await shop.until(generation)

    assert problem is DECODER_FAILS
    assert (done.status, len(done.images), len(provider.asks)) == (Status.DONE, 1, 1)
    assert shop.monitor.problem is None

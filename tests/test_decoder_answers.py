"""The decoder's answers: each to its own order, and no picture lost to a child that fails."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from app.errors import ProviderError, StorageFailed
from app.storage.decoding import decoder as client
from app.storage.decoding import decoder_child as child
from app.storage.decoding.decoder import Decoder
from app.storage.metadata.container import sidecar_of
from app.storage.store import Store
from tests.support.fakes import arriving_in, picture, received_in, storing
from tests.support.labelled_pictures import FORMATS, label_of, labelled, with_prompt
from tests.test_decoder import children

T = TypeVar('T')

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals')

NOW = 1_795_000_000.0
ROUNDS = 12  # of each visitor
LABEL_BYTES = (1_000, 64_000, 1_000_000)
SIGNS = ('a', 'я', '🐈')
MOST_CHARACTERS = 32_000

# What a child does before its work: Python runs a `sitecustomize` at its start.
HABIT = """
import os, resource, signal
from pathlib import Path

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
mark = Path(__file__).with_name('started')
if {always} or not mark.exists():
    mark.touch()
    {does}
"""


def says(said: bytes) -> str:
    return f'os.write(1, {said!r})'


def framed(number: int, body: bytes) -> bytes:
    return struct.pack('>QI', number, len(body)) + body


SMALL = b'{"width": 1, "height": 1, "mean_colour": "#000000"}'
UNLABELLED = SMALL.replace(b'}', b', "unlabelled": "none"}')
NO_ANSWER = {
    'no labelled copy': says(framed(1, SMALL)),
    'a copy that is not there': says(
        framed(
            1,
            SMALL.replace(
                b'}',
                b', "written": {"digest": "%s", "size_bytes": 1, "sidecar": false}}' % (b'0' * 64),
            ),
        )
    ),
    'a line of junk': says(b'Warning: something\n'),
    'much junk without an end': says(b'x' * 60_000),
    'a line as it was once': says(SMALL + b'\n'),
    'the answer to another order': says(framed(99, SMALL)),
    'more than an answer may have': says(struct.pack('>QI', 1, 5_000_001)),
    'an empty frame': says(framed(1, b'')),
    'half of the JSON': says(framed(1, SMALL[:20])),
    'JSON without an end': says(framed(1, b'[' * 60_000)),
    'no object': says(framed(1, b'[]')),
    'no size': says(framed(1, SMALL.replace(b'1', b'"1"'))),
    'no colour': says(framed(1, SMALL.replace(b'#', b'?'))),
    'the end': 'os._exit(0)',
    'a fault': 'os._exit(1)',
    'a kill': 'os.kill(os.getpid(), signal.SIGKILL)',
    'a module that is not there': (
        'from PIL import Image; Image.open = lambda *_, **how: __import__("no_such_module")'
    ),
}
STOPS = 'os.kill(os.getpid(), signal.SIGSTOP)'


def doing(folder: Path, does: str, *, always: bool, timeout_s: float = 20) -> Decoder:
    """Give a decoder whose first child, or each of them, does something odd at its start."""
    folder.mkdir()
    (folder / 'sitecustomize.py').write_text(HABIT.format(always=always, does=does))
    return Decoder({'PYTHONPATH': str(folder)}, timeout_s)


def rescued_in(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / 'rescued').rglob('*') if path.is_file())


def labels_of(visitor: str, folder: Path) -> dict[Path, str]:
    """Write a picture with each label: the files, and the prompt in each."""
    prompts = {}
    for number, size_bytes in enumerate(LABEL_BYTES):
        for sign, suffix in zip(SIGNS, ('.png', '.jpg', '.webp'), strict=True):
            source = folder / f'{visitor}-{number}{suffix}'
            source.write_bytes(picture(form=FORMATS[suffix]))
            prompt = f'{visitor} {size_bytes} {sign * (size_bytes // len(sign.encode()))}'
            written = labelled(source, with_prompt(prompt))
            if written.sidecar:
                written.sidecar.rename(sidecar_of(source))
            prompts[written.path.rename(source)] = prompt
    return prompts


async def wrong_for(store: Store, prompts: dict[Path, str], width: int) -> list[str]:
    """Read a label and keep a picture, again and again; tell what was not as it should be."""
    wrong = []
    files = list(prompts)
    for number in range(ROUNDS):
        file = files[number % len(files)]
        found = await store.settings_in(file)
        kept = await store.keep(received_in(store, picture(width, number + 1)), label_of('a', NOW))
        if found.get('prompt') != prompts[file][:MOST_CHARACTERS]:
            wrong.append(f'{file.name}: {str(found)[:80]}')
        if (kept.width, kept.height) != (width, number + 1):
            wrong.append(f'{width}x{number + 1}: {kept.width}x{kept.height}')
    return wrong


async def test_two_visitors_at_once_get_their_own_labels_and_pictures(tmp_path: Path) -> None:
    async with storing(tmp_path / 'data') as store:
        anna, boris = labels_of('anna', tmp_path), labels_of('boris', tmp_path)
        await store.settings_in(next(iter(anna)))
        before = children()

        wrong = [*await asyncio.gather(wrong_for(store, anna, 3), wrong_for(store, boris, 5))]

        assert wrong == [[], []]
        assert children() == before


@pytest.mark.parametrize('name', NO_ANSWER)
async def test_what_is_no_answer_ends_the_child_and_a_fresh_one_is_asked(
    name: str, tmp_path: Path
) -> None:
    decoder = doing(tmp_path / 'habit', NO_ANSWER[name], always=False)
    async with storing(tmp_path / 'data', decoder) as store:
        kept = await store.keep(received_in(store, picture(7, 5)), label_of('a', NOW))
        again = await store.keep(received_in(store, picture(9, 5)), label_of('a', NOW))

        assert [(one.width, one.height) for one in (kept, again)] == [(7, 5), (9, 5)]
        assert len(children()) <= 1
        assert arriving_in(store.data) == []


async def test_a_picture_whose_thumbnails_were_only_promised_is_kept(tmp_path: Path) -> None:
    decoder = doing(tmp_path / 'habit', says(framed(1, UNLABELLED)), always=False)
    async with storing(tmp_path / 'data', decoder) as store:
        kept = await store.keep(received_in(store, picture(1, 1)), label_of('a', NOW))

        await store.ensure_thumbs(kept.digest, kept.file)

        assert store.original(kept.file).exists()
        assert store.thumb(kept.digest, 480).exists()


async def test_a_disk_that_takes_no_thumbnail_is_not_the_pictures_fault(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        received = received_in(store, picture())
        with pytest.raises(StorageFailed, match='No such file or directory'):
            await store.decoder.decode(received.path, 'image/png', {480: tmp_path / 'no' / 'a'})


def test_settings_over_the_limit_of_an_answer_are_refused_in_the_child() -> None:
    longest = {'settings': {f'text {number}': '🐈' * MOST_CHARACTERS for number in range(12)}}

    whole = child.frame(7, dict(longest))
    refused = child.frame(8, {'settings': {'text': 'a' * 5_000_000}})

    assert (client.HEAD.format, client.MOST_ANSWER_BYTES) == ('>QI', child.MOST_ANSWER_BYTES)
    assert json.loads(whole[client.HEAD.size :]) == longest
    assert client.HEAD.unpack_from(refused) == (8, len(refused) - client.HEAD.size)
    assert json.loads(refused[client.HEAD.size :]) == {'refused': 'too much text'}


async def test_who_no_longer_waits_for_a_picture_ends_the_child_that_is_at_it(
    tmp_path: Path,
) -> None:
    decoder = doing(tmp_path / 'habit', STOPS, always=True)
    async with storing(tmp_path / 'data', decoder) as store:
        keeping = asyncio.create_task(store.keep(received_in(store, picture()), label_of('a', NOW)))
        await asyncio.wait([keeping], timeout=0.2)

        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping

        assert children() == []


async def test_the_process_that_is_at_a_picture_ends_with_the_child_that_started_it(
    tmp_path: Path,
) -> None:
    does = 'from PIL import Image; Image.open = lambda *_, **how: __import__("time").sleep(60)'
    async with storing(tmp_path / 'data', doing(tmp_path / 'habit', does, always=True)) as store:
        keeping = asyncio.create_task(store.keep(received_in(store, picture()), label_of('a', NOW)))
        begun = await asyncio.to_thread(wait_for, workers)

        keeping.cancel()
        await asyncio.wait([keeping])

        assert begun
        assert await asyncio.to_thread(wait_for, lambda: not any(map(is_running, begun)))


def workers() -> list[int]:
    return [worker for child in children() for worker in children(child)]


def is_running(process: int) -> bool:
    return Path(f'/proc/{process}').exists()


def wait_for(found: Callable[[], T]) -> T:
    """Look again and again, for 10 s, until something is there."""
    deadline = time.monotonic() + 10
    while not (last := found()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return last


async def test_a_picture_is_given_to_two_children_and_no_more(tmp_path: Path) -> None:
    starts = tmp_path / 'starts'
    does = f"open({str(starts)!r}, 'a').write('.'); os._exit(1)"
    async with storing(tmp_path / 'data', doing(tmp_path / 'habit', does, always=True)) as store:
        with pytest.raises(ProviderError):
            await store.keep(received_in(store, picture()), label_of('a', NOW))

    assert starts.read_text() == '....'  # two at it, two at the one that is known to be good

"""Bombs and broken pictures through the real child: each is over soon, and only for itself.

`python -m bench.hostile` does the same with a thousand files and all bombs, and measures.
"""

from __future__ import annotations

import re
import resource
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from app.errors import ErrorKind, ProviderError
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.decoder_child import CPU_S, MEMORY_BYTES
from app.storage.store import Store
from tests.support.fakes import arriving_in, picture, received_in, storing
from tests.support.hostile_pictures import QUICK, jpeg_scans, mutations
from tests.support.labelled_pictures import label_of
from tests.test_decoder import children

pytestmark = [
    pytest.mark.asyncio(loop_scope='module'),
    pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits'),
]

SAMPLE = 60
PATIENCE_S = 120.0  # for the seconds of the processor that a picture may take on a busy machine
HARMLESS = ('comments', 'EXIF', 'profile of 20 MB', 'chunks', 'announces', 'two pictures')

# The limit of one picture's time is a second here, and not five: Python runs this in the child.
HURRIED_S = 1
HURRIES = f"""
import resource
set_limit = resource.setrlimit
hurried = {{(resource.RLIMIT_CPU, ({CPU_S}, {CPU_S + 1})): ({HURRIED_S}, {HURRIED_S + 1})}}
resource.setrlimit = lambda name, most: set_limit(name, hurried.get((name, most), most))
"""


@pytest_asyncio.fixture(loop_scope='module', scope='module')
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    decoder = Decoder({}, answer_timeout_s=PATIENCE_S)
    async with storing(tmp_path_factory.mktemp('bombs'), decoder) as store:
        yield store


def decoders() -> list[int]:
    """Give the decoder's children of this process, which may have others."""
    return [pid for pid in children() if b'decoder' in Path(f'/proc/{pid}/cmdline').read_bytes()]


def processor_s() -> float:
    """Give the seconds of the processor that children took which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def outcome(store: Store, content: bytes) -> ErrorKind | None:
    """Keep a picture; gives why not, or None."""
    try:
        await store.keep(received_in(store, content), label_of('a', 1.0))
    except ProviderError as error:
        return error.failure.kind
    return None


@dataclass(frozen=True, slots=True)
class Network:
    name: str
    routes: list[str]


def network_of(process: str) -> Network:
    folder = Path('/proc') / process
    routes = (folder / 'net/route').read_text().splitlines()[1:]
    return Network(str((folder / 'ns/net').readlink()), routes)


def peak_bytes(process: int) -> int:
    status = Path(f'/proc/{process}/status').read_text()
    found = re.search(r'VmHWM:\s+(\d+) kB', status)
    return int(found[1]) * 1024 if found else 0


@pytest.mark.parametrize('name', QUICK)
async def test_cve_2022_45198_a_bomb_is_refused_and_harms_nobody(name: str, store: Store) -> None:
    bad = await outcome(store, QUICK[name]())
    good = await outcome(store, picture(5, 5))

    is_harmless = any(word in name for word in HARMLESS)
    assert bad in ((None, ErrorKind.BAD_IMAGE) if is_harmless else (ErrorKind.BAD_IMAGE,))
    assert good is None
    assert arriving_in(store.data) == []
    assert all(peak_bytes(child) <= MEMORY_BYTES for child in decoders())


async def test_r37_a_picture_that_takes_all_the_time_is_asked_for_once(
    tmp_path: Path, store: Store
) -> None:
    await store.decoder.close()  # what it took so far is no part of this
    (tmp_path / 'sitecustomize.py').write_text(HURRIES)
    decoder = Decoder({'PYTHONPATH': str(tmp_path)}, answer_timeout_s=PATIENCE_S)
    async with storing(tmp_path / 'data', decoder) as hurried:
        await outcome(hurried, picture(5, 5))
        before, used_s = decoders(), processor_s()

        bad = await outcome(hurried, jpeg_scans(2_000, 2_000))

        assert bad is ErrorKind.BAD_IMAGE
        assert not {*before} & {*decoders()}
        assert processor_s() - used_s < 2 * HURRIED_S
        assert await outcome(hurried, picture(5, 5)) is None


async def test_cve_2023_4863_broken_pictures_are_kept_whole_or_refused(store: Store) -> None:
    outcomes = [await outcome(store, one.content) for one in mutations(SAMPLE)]

    assert set(outcomes) <= {None, ErrorKind.BAD_IMAGE, ErrorKind.NOT_AN_IMAGE}
    assert outcomes.count(ErrorKind.BAD_IMAGE) > SAMPLE / 5
    assert await outcome(store, picture(6, 6)) is None
    assert arriving_in(store.data) == []


async def test_row_46_the_child_has_no_network_where_the_system_lets_it(store: Store) -> None:
    await outcome(store, picture(5, 5))
    (child,) = decoders()

    ours, theirs = network_of('self'), network_of(str(child))

    if theirs.name == ours.name:
        pytest.skip('this system lets nobody leave the network')
    assert theirs.routes == []


@pytest.mark.parametrize('name', QUICK)
async def test_row_45_reading_what_a_bomb_says_of_itself_ends_as_well(
    name: str, store: Store
) -> None:
    received = received_in(store, QUICK[name]())

    settings = await store.settings_in(received.path)
    received.path.unlink()

    assert 'prompt' not in settings

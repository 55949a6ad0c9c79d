"""Pictures that are only read: in a child of their own, little of it, one at a time a visitor."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.access.visitors import Visitor
from app.database.links import GuestRow
from app.errors import QueueFull, StorageFailed
from app.storage.decoding import decoder_child as child
from app.storage.decoding.decoder import Decoder
from app.storage.reader import SettingsReader
from tests.support.fakes import picture, received_in, storing
from tests.support.labelled_pictures import label_of
from tests.test_decoder_answers import STOPS, doing

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits and signals')

# Shows the limits of the process that reads, as if another tool had written them.
TELLS_ITS_LIMITS = """
import resource
from PIL import Image

def tell(path, **_):
    cpu_s, memory_bytes = (resource.getrlimit(name)[0] for name in (
        resource.RLIMIT_CPU, resource.RLIMIT_DATA
    ))
    picture = Image.new('RGB', (1, 1))
    picture.info['parameters'] = f'a\\nSteps: {cpu_s}, Sampler: Euler, Seed: {memory_bytes}'
    return picture

Image.open = tell
"""


async def test_a_reading_that_hangs_holds_no_picture_that_is_drawn(tmp_path: Path) -> None:
    reader = SettingsReader(doing(tmp_path / 'habit', STOPS, always=True))
    async with storing(tmp_path / 'data') as store:
        readings = [
            asyncio.create_task(reader.read(received_in(store, picture()), f'visitor {number}'))
            for number in range(12)
        ]
        await asyncio.sleep(0)

        kept = await store.keep(received_in(store, picture(7, 5)), label_of('a', 1.0))

        assert kept.width == 7
        assert not any(reading.done() for reading in readings)
        for reading in readings:
            reading.cancel()
        await asyncio.wait(readings)


async def test_a_second_reading_of_a_visitor_waits_shortly_and_is_refused(tmp_path: Path) -> None:
    reader = SettingsReader(doing(tmp_path / 'habit', STOPS, always=True), turn_timeout_s=0)
    async with storing(tmp_path / 'data') as store:
        received = received_in(store, picture())
        first = asyncio.create_task(reader.read(received, 'a visitor'))
        await asyncio.sleep(0)
        other = asyncio.create_task(reader.read(received, 'another'))

        with pytest.raises(QueueFull, match='still being read'):
            await reader.read(received, 'a visitor')

        assert not other.done()
        for reading in (first, other):
            reading.cancel()
        await asyncio.wait([first, other])


async def test_after_a_reading_the_same_visitor_has_the_next(tmp_path: Path) -> None:
    reader = SettingsReader(Decoder({}), turn_timeout_s=0)
    async with storing(tmp_path) as store:
        received = received_in(store, picture())

        found = [await reader.read(received, 'a visitor') for _ in range(2)]

        await reader.close()
    assert found == [{}, {}]


async def test_a_disk_that_holds_no_picture_for_a_moment_is_told(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        store.arriving.rmdir()
        store.arriving.touch()

        with pytest.raises(StorageFailed):
            await SettingsReader(store.decoder).read(received_in(store, picture()), 'a visitor')


async def test_a_reading_has_less_memory_and_time_than_a_picture_that_is_kept(
    tmp_path: Path,
) -> None:
    (tmp_path / 'sitecustomize.py').write_text(TELLS_ITS_LIMITS)
    reader = SettingsReader(Decoder({'PYTHONPATH': str(tmp_path)}))
    async with storing(tmp_path / 'data') as store:
        found = await reader.read(received_in(store, picture()), 'a visitor')
        await reader.close()

    assert (found['steps'], found['seed']) == (child.READ_CPU_S, child.READ_MEMORY_BYTES)
    assert child.READ_CPU_S < child.CPU_S
    assert child.READ_MEMORY_BYTES < child.MEMORY_BYTES


def test_a_guest_has_one_turn_from_any_address_and_others_one_for_each() -> None:
    guest = GuestRow(
        id=3, name='a', token_hash='x', makes=True, sees_all=True, created_at=1.0, expires_at=None
    )
    visitors = [Visitor(ip, 'http', quota_key=ip) for ip in ('10.0.0.1', '10.0.0.2')]

    keys = [one.reader_key for one in visitors]
    guests = [replace(one, guest=guest).reader_key for one in visitors]

    assert len({*keys, *guests}) == 3

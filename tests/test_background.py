"""Work beside pages: it rests, it ends, and it leaves nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from app.maintenance.background import Background, Pace, Stopped


class Waited(threading.Event):
    """Never set, and counts the seconds that somebody would have waited for it."""

    waited_s = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_s += timeout or 0.0
        return False


def test_it_rests_as_long_as_it_works() -> None:
    event = Waited()
    pace = Pace(event)
    pace.rest()

    began = time.thread_time()
    while time.thread_time() - began < 0.02:
        pass
    pace.rest()

    assert 0.02 <= event.waited_s < 0.5


async def test_each_end_stops_it() -> None:
    background, unwanted = Background(), threading.Event()
    mine, other = background.pace(unwanted), background.pace()

    unwanted.set()
    with pytest.raises(Stopped):
        await background.run(mine.rest)
    await background.run(other.rest)
    background.end()

    with pytest.raises(Stopped):
        await background.run(other.rest)


async def test_a_stream_that_is_left_is_closed_in_its_thread() -> None:
    background = Background()
    threads = list[str]()

    def blocks() -> Generator[bytes, None, None]:
        try:
            yield b'one'
            yield b'two'
        finally:
            threads.append(threading.current_thread().name)

    stream = background.stream(blocks())
    first = await anext(stream)
    await stream.aclose()
    await background.close()

    assert first == b'one'
    assert [name.rpartition('_')[0] for name in threads] == ['background']

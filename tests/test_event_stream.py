"""The stream of events: what it says, how it ends, what it costs when nobody is there."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.servers import Easel, running_easel, start_easel


@pytest.fixture
def client(easel: Easel) -> Iterator[httpx.Client]:
    with easel.client() as client:
        yield client


def events(lines: Iterator[str]) -> Iterator[str]:
    """Join the data of each `generation` event."""
    data: list[str] = []
    for line in lines:
        if line.startswith('data: '):
            data.append(line.removeprefix('data: '))
        elif not line and data:
            yield '\n'.join(data)
            data = []


def test_a_stream_says_each_change_as_the_fragment(easel: Easel, client: httpx.Client) -> None:
    with client.stream('GET', '/events') as stream:
        told = events(stream.iter_lines())
        generation_id = easel.submit(prompt='told live', size='32x32')

        states: list[str] = []
        while 'data-status="done"' not in (states[-1] if states else ''):
            states.append(next(told))

    assert stream.headers['content-type'].startswith('text/event-stream')
    assert all(f'id="generation-{generation_id}"' in state for state in states)
    assert 'told live' in states[-1]
    assert '/thumbs/' in states[-1]


def test_what_is_still_shown_is_told_again_at_once(easel: Easel, client: httpx.Client) -> None:
    done = easel.draw(prompt='missed', size='32x32')

    with client.stream('GET', f'/events?showing={done["id"]},x,-1,99999999') as stream:
        first = next(events(stream.iter_lines()))

    assert f'id="generation-{done["id"]}"' in first
    assert 'data-status="done"' in first


def test_what_came_and_went_while_no_stream_was_open_is_told(
    easel: Easel, client: httpx.Client
) -> None:
    known = easel.draw(prompt='known', size='32x32')
    missed = [easel.draw(prompt=f'missed {n}', size='32x32')['id'] for n in (1, 2)]

    with client.stream('GET', f'/events?showing=&after={known["id"]}') as stream:
        told = events(stream.iter_lines())
        first, second = next(told), next(told)

    assert f'id="generation-{missed[0]}"' in first
    assert f'id="generation-{missed[1]}"' in second


def test_what_is_known_now_is_told_once_to_who_asks_for_no_more(
    easel: Easel, client: httpx.Client
) -> None:
    done = easel.draw(prompt='asked for', size='32x32')

    answer = client.get(f'/events?notices&showing={done["id"]}&once')

    assert re.findall('^event: (.*)$', answer.text, re.MULTILINE) == ['notices', 'generation']
    assert 'data-status="done"' in answer.text


def test_a_stream_speaks_the_visitors_language(easel: Easel, client: httpx.Client) -> None:
    done = easel.draw(prompt='по-русски', model='fail-429')

    with client.stream(
        'GET', f'/events?showing={done["id"]}', headers={'Accept-Language': 'ru'}
    ) as stream:
        first = next(events(stream.iter_lines()))

    assert 'Повторить' in first


def test_open_streams_do_not_hold_up_a_stop(upstream: str, tmp_path: Path) -> None:
    easel = start_easel(tmp_path / 'data', {'EASEL_API_URL': upstream})
    ends: list[bool] = []

    def listen() -> None:
        with easel.client() as client, client.stream('GET', '/events') as stream:
            ready.release()
            ends.append(not [line for line in stream.iter_lines() if line.startswith('data')])

    ready = threading.Semaphore(0)
    threads = [threading.Thread(target=listen) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in threads:
        ready.acquire()

    status = easel.stop()
    for thread in threads:
        thread.join(10)

    assert status == 0
    assert ends == [True] * 5


def test_the_expected_time_comes_from_the_past(upstream: str, tmp_path: Path) -> None:
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}) as easel:
        for _ in range(3):
            easel.draw(prompt='before', model='slow-1', size='32x32')
        running = easel.submit(prompt='now', model='slow-1', size='32x32')
        easel.wait(running, 'running')

        with easel.client() as client:
            tile = client.get(f'/generations/{running}', headers={'X-Fragment': 'true'}).text

    assert 'of about' in tile
    assert '<progress' in tile
    assert 'max="' in tile


def test_a_waiting_tile_says_how_many_are_before_it(upstream: str, tmp_path: Path) -> None:
    with running_easel(tmp_path / 'data', {'EASEL_API_URL': upstream}) as easel:
        many = [easel.submit(prompt='slow', model='slow-30', size='32x32') for _ in range(6)]
        easel.wait(many[3], 'running')

        with easel.client() as client:
            tile = client.get(f'/generations/{many[5]}', headers={'X-Fragment': 'true'}).text

    assert '1 ahead' in tile

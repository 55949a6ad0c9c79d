"""Connections that ask slowly, never, too often, or do not read: each ends, and alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.visitors import Proxies
from app.server.protocol import ConnectionLimiter, Timeouts
from app.web.security.guard import CROWDED
from tests.support.deadline_server import HASTY, LONG_S, Strangers, calling, serving

GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
POST = 'POST / HTTP/1.1\r\nHost: localhost\r\n'
BLOCK = b'x' * 65_536
MOST = 1_000
NOBODY_HURRIES = Timeouts()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body and whether the line is one too many."""
    length, more = 0, True
    while more:
        message = await receive()
        if message['type'] == 'http.disconnect':
            return
        length += len(message['body'])
        more = message['more_body']
    await answer(send, f'{length} {scope["state"][CROWDED]}.')


async def answer(send: Send, text: str) -> None:
    headers = [(b'content-length', str(len(text)).encode())]
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    await send({'type': 'http.response.body', 'body': text.encode()})


async def careless(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a look at the body."""
    await answer(send, 'whatever')


@pytest.fixture
def hasty() -> Iterator[int]:
    with serving(echo, ConnectionLimiter(Proxies(()), MOST, timeouts=HASTY)) as port:
        yield port


def test_d7_a_silent_connection_is_closed(hasty: int) -> None:
    with calling(hasty) as line:
        answer = line.read_to_end()

    assert answer == b''


@pytest.mark.parametrize('begun', ['G', 'GET / HT', 'GET / HTTP/1.1\r\nHost: loc', GET[:-2]])
def test_d7_half_a_head_is_told_and_closed(hasty: int, begun: str) -> None:
    with calling(hasty) as line:
        line.send(begun)
        answer = line.read_to_end()

    assert answer.startswith(b'HTTP/1.1 408 ')
    assert b'x-content-type-options: nosniff' in answer


def test_d7_a_head_that_trickles_gains_no_time(hasty: int) -> None:
    with calling(hasty) as line:
        line.send('GET / HTTP/1.1\r\nHost: localhost\r\nX: ')
        answer = line.trickle('y')

    assert answer.startswith(b'HTTP/1.1 408 ')


def test_d7_a_second_head_on_the_same_line_has_no_more_time(hasty: int) -> None:
    with calling(hasty) as line:
        line.send(GET)
        first = line.read_until(b'0 False.')
        second = line.trickle('G')

    assert first.startswith(b'HTTP/1.1 200 ')
    assert second.startswith(b'HTTP/1.1 4')


@pytest.mark.parametrize('framing', ['Content-Length: 1000000', 'Transfer-Encoding: chunked'])
def test_d7_a_body_that_trickles_is_cut(hasty: int, framing: str) -> None:
    with calling(hasty) as line:
        line.send(f'{POST}{framing}\r\n\r\n')
        answer = line.trickle('1')

    assert answer == b''


def test_d7_the_rest_of_a_body_that_nobody_wants_may_not_trickle_for_ever() -> None:
    with (
        serving(careless, ConnectionLimiter(Proxies(()), MOST, timeouts=HASTY)) as port,
        calling(port) as line,
    ):
        line.send(f'{POST}Content-Length: 1000000\r\n\r\n')
        first = line.read_until(b'whatever')
        rest = line.trickle('x')

    assert first.startswith(b'HTTP/1.1 200 ')
    assert rest == b''


def test_a_large_body_has_the_time_that_its_size_takes() -> None:
    slow_start = Timeouts(body_s=0.05, body_bytes_a_s=1_000)
    with (
        serving(echo, ConnectionLimiter(Proxies(()), MOST, timeouts=slow_start)) as port,
        calling(port) as line,
    ):
        line.send(f'{POST}Content-Length: 5000000\r\n\r\n')
        for _ in range(50):
            line.send('x' * 100_000)
        answer = line.read_until(b' False.')

    assert answer.endswith(b'5000000 False.')


def test_a_head_without_end_is_refused() -> None:
    with (
        serving(echo, ConnectionLimiter(Proxies(()), MOST, timeouts=NOBODY_HURRIES)) as port,
        calling(port) as line,
    ):
        line.send('GET / HTTP/1.1\r\nX: ' + 'y' * 300_000)
        answer = line.read_to_end()

    assert answer.startswith(b'HTTP/1.1 400 ')


def test_r24_a_stream_outlives_every_deadline() -> None:
    go_on = threading.Event()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': b'first', 'more_body': True})
        await asyncio.to_thread(go_on.wait, LONG_S)
        await send({'type': 'http.response.body', 'body': b'second'})

    with (
        serving(stream, ConnectionLimiter(Strangers(()), MOST, timeouts=HASTY)) as port,
        calling(port) as streaming,
    ):
        streaming.send(GET)
        streaming.read_until(b'first')
        with calling(port) as silent:
            silent.read_to_end()

        go_on.set()
        later = streaming.read_until(b'second')

    assert b'second' in later


def endless(ended: threading.Event) -> ASGIApp:
    """Send blocks until the other end is gone."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        gone = asyncio.ensure_future(receive())
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        while not gone.done():
            await send({'type': 'http.response.body', 'body': BLOCK, 'more_body': True})
            await asyncio.sleep(0)
        ended.set()

    return app


def test_r49_who_does_not_read_is_let_go() -> None:
    ended = threading.Event()
    limiter = ConnectionLimiter(Strangers(()), MOST, timeouts=HASTY)
    with serving(endless(ended), limiter) as port, calling(port) as line:
        line.send(GET)

        assert ended.wait(LONG_S)


def test_a_visitors_connections_are_counted_and_the_one_too_many_is_marked() -> None:
    limiter = ConnectionLimiter(Strangers(()), MOST, a_visitor=2, timeouts=NOBODY_HURRIES)
    with serving(echo, limiter) as port, ExitStack() as lines:
        found = []
        for _ in range(4):
            line = lines.enter_context(calling(port))
            line.send(GET)
            found.append(b'0 True.' in line.read_until(b'e.'))
        refused = lines.enter_context(calling(port)).read_to_end()

    assert found == [False, False, True, True]
    assert refused == b''


def test_a_connection_too_many_has_less_time_for_its_head() -> None:
    timeouts = replace(NOBODY_HURRIES, crowded_s=0.05, head_s=3_600)
    limiter = ConnectionLimiter(Strangers(()), MOST, a_visitor=1, timeouts=timeouts)
    with serving(echo, limiter) as port, calling(port) as first, calling(port) as second:
        first.send(GET)
        first.read_until(b'0 False.')

        answer = second.read_to_end()

    assert answer == b''


def test_a_connection_that_ends_makes_room() -> None:
    limiter = ConnectionLimiter(Strangers(()), MOST, a_visitor=2, timeouts=NOBODY_HURRIES)
    with serving(echo, limiter) as port:
        for _ in range(10):
            with calling(port) as line:
                line.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
                answer = line.read_to_end()

            assert answer.endswith(b'0 False.')


@pytest.mark.parametrize('make', [Proxies, Strangers])
def test_beyond_what_the_server_carries_nobody_gets_in(
    make: Callable[[tuple[()]], Proxies],
) -> None:
    limiter = ConnectionLimiter(make(()), 3, timeouts=NOBODY_HURRIES)
    with serving(echo, limiter) as port, ExitStack() as lines:
        for _ in range(3):
            line = lines.enter_context(calling(port))
            line.send(GET)
            line.read_until(b'0 False.')

        refused = lines.enter_context(calling(port)).read_to_end()

    assert refused == b''

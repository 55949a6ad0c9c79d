"""A client that asks as fast as it is answered: an epoll and raw sockets cost it little."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from collections.abc import Sequence
from itertools import cycle

CONNECTIONS = 32
RECEIVED_BYTES = 256 * 1024


def hammer(port: int, requests: Sequence[bytes], seconds: float) -> float:
    """Ask over all connections, each again as soon as it has its answer; answers a second.

    The first answer over each address is read by its headers; then its length is known.
    """
    lengths = {asking: length_of(port, asking) for asking in requests}
    connections, left, turns = {}, {}, cycle(requests)
    buffer, answered = memoryview(bytearray(RECEIVED_BYTES)), 0
    with contextlib.ExitStack() as closing, contextlib.closing(select.epoll()) as polled:
        for _ in range(CONNECTIONS):
            connection = closing.enter_context(socket.create_connection(('127.0.0.1', port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            polled.register(connection.fileno(), select.EPOLLIN)
            connections[connection.fileno()] = connection
            asking = next(turns)
            connection.send(asking)
            left[connection.fileno()] = lengths[asking]
        began = time.perf_counter()
        ending = began + seconds
        while time.perf_counter() < ending:
            for number, _ in polled.poll():
                connection = connections[number]
                came = connection.recv_into(buffer)
                assert came, 'the server closed a connection'
                left[number] -= came
                if left[number] <= 0:
                    assert not left[number], 'an answer was longer than the first of its address'
                    answered += 1
                    asking = next(turns)
                    left[number] = lengths[asking]
                    connection.send(asking)
        return answered / (time.perf_counter() - began)


def length_of(port: int, asking: bytes) -> int:
    """Ask once; return the bytes of the whole answer."""
    with (
        socket.create_connection(('127.0.0.1', port)) as connection,
        connection.makefile('rb') as file,
    ):
        connection.sendall(asking)
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            head += file.readline()
        status = head.split()[1]
        assert status in (b'200', b'304'), head
        body = re.search(rb'(?i)\r\ncontent-length: (\d+)', head)
        return len(head) + (int(body[1]) if body and status == b'200' else 0)

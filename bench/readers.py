"""Many open `/events` streams in one process: an epoll and raw sockets, so that reading is cheap.

A broadcast is a picture that goes into the trash or comes out again.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ACTS = ('/images/1/deletion', '/images/1/restoration')
OPEN_S = 10.0
REST_S = 0.05
GIVE_UP_S = 10.0
MOST_BYTES = 65_536
FIRST = b'retry: '
EVENT = b'event: generation\n'
SO_TIMESTAMPNS = 35  # asks Linux for the time at which bytes came into a socket
TIMESPEC = struct.Struct('@qq')


@dataclass(slots=True)
class Heard:
    """When an act was posted and answered, and when each reader had its event, in ns since 1970.

    Attributes:
        read_ns: When this process had read the first bytes of a reader's event.
        came_ns: When they were in the reader's socket, so without what reading costs.
        missing: How many readers were told nothing.
    """

    posted_ns: int
    answered_ns: int = 0
    read_ns: list[int] = field(default_factory=list)
    came_ns: list[int] = field(default_factory=list)
    missing: int = 0

    @property
    def announced_ns(self) -> int:
        """The moment from which a broadcast counts: the answer, or an event that overtook it."""
        return min([self.answered_ns, *self.came_ns])


@dataclass(slots=True)
class Told:
    """The broadcasts of one round, and what each cost the server's loop.

    Attributes:
        worked_s: How long the loop's thread ran for one broadcast.
        queued_s: How long it was ready to run, but other programs had the processor.
    """

    heard: list[Heard] = field(default_factory=list)
    worked_s: list[float] = field(default_factory=list)
    queued_s: list[float] = field(default_factory=list)

    def read_ms(self, share: float) -> float:
        """Give the time within which this share of all readers had read its event."""
        return _quantile(
            [(at - each.announced_ns) / 1e6 for each in self.heard for at in each.read_ns], share
        )

    def own_ms(self, share: float) -> float:
        """Give the server's own part: until the event was in the socket, without `queued_s`."""
        return _quantile(
            [
                max(0.0, (at - each.announced_ns) / 1e6 - queued_s * 1000)
                for each, queued_s in zip(self.heard, self.queued_s, strict=True)
                for at in each.came_ns
            ],
            share,
        )

    @property
    def last_ms(self) -> float:
        """The median of the broadcasts' last readers."""
        return median(
            (max(each.read_ns, default=0) - each.announced_ns) / 1e6 for each in self.heard
        )

    @property
    def answered_ms(self) -> float:
        """The median from an act's post to its answer."""
        return median((each.announced_ns - each.posted_ns) / 1e6 for each in self.heard)

    @property
    def missing(self) -> int:
        """How many events did not arrive."""
        return sum(each.missing for each in self.heard)


class Readers:
    """Opens streams, has them broadcast to, closes them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._epoll = select.epoll()
        self._streams: dict[int, socket.socket] = {}

    def open(self, count: int) -> None:
        """Open that many more streams; each has said its first line afterwards."""
        for _ in range(count):
            stream = self._connect()
            stream.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            stream.sendall(f'GET /events HTTP/1.1\r\nHost: localhost:{self._port}\r\n\r\n'.encode())
            said = b''
            while FIRST not in said:
                block = stream.recv(MOST_BYTES)
                assert block, said
                said += block
            assert said.startswith(b'HTTP/1.1 200'), said
            self._streams[stream.fileno()] = stream
            self._epoll.register(stream, select.EPOLLIN)

    def close(self) -> None:
        """Close all streams, every other one as a browser that was killed."""
        for number, stream in enumerate(self._streams.values()):
            if number % 2:
                linger = struct.pack('ii', 1, 0)
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._epoll.unregister(stream)
            stream.close()
        self._streams.clear()

    def broadcast(self, path: str) -> Heard:
        """Post one act that changes a generation once, and wait until every reader was told."""
        with self._connect() as acting:
            self._epoll.register(acting, select.EPOLLIN)
            waiting = set(self._streams)
            heard = Heard(posted_ns=time.time_ns())
            acting.sendall(_post(path, self._port))
            deadline_ns = heard.posted_ns + int(GIVE_UP_S * 1e9)
            while (waiting or not heard.answered_ns) and time.time_ns() < deadline_ns:
                for file, _ in self._epoll.poll(1.0):
                    if file == acting.fileno():
                        said = acting.recv(MOST_BYTES)
                        heard.answered_ns = time.time_ns()
                        self._epoll.unregister(acting)
                        assert said.startswith(b'HTTP/1.1 303'), said
                    else:
                        self._read(file, waiting, heard)
        heard.missing = len(waiting)
        assert heard.answered_ns, path
        return heard

    def _read(self, file: int, waiting: set[int], heard: Heard) -> None:
        block, more, _, _ = self._streams[file].recvmsg(MOST_BYTES, 64)
        now_ns = time.time_ns()
        if not block:  # the server ended it: it stays in `waiting`
            self._epoll.unregister(file)
            self._streams.pop(file).close()
        elif EVENT in block and file in waiting:
            waiting.discard(file)
            heard.read_ns.append(now_ns)
            heard.came_ns.append(_came_ns(more) or now_ns)

    def _connect(self) -> socket.socket:
        return socket.create_connection(('127.0.0.1', self._port), timeout=OPEN_S)

    def drain(self) -> None:
        """Throw away what came after an event's first bytes, so that the next act finds none."""
        for file, _ in self._epoll.poll(0):
            with contextlib.suppress(BlockingIOError):
                self._streams[file].recv(MOST_BYTES, socket.MSG_DONTWAIT)


def told_by(pid: int, readers: Readers, broadcasts: int) -> Told:
    """Put the picture into the trash and take it out again: each act is one broadcast."""
    told = Told()
    for number in range(broadcasts):
        time.sleep(REST_S)
        readers.drain()
        worked_s, queued_s = loop_s(pid)
        told.heard.append(readers.broadcast(ACTS[number % len(ACTS)]))
        time.sleep(REST_S)  # so that the last writes are counted
        worked_after_s, queued_after_s = loop_s(pid)
        told.worked_s.append(worked_after_s - worked_s)
        told.queued_s.append(queued_after_s - queued_s)
    return told


def loop_s(pid: int) -> tuple[float, float]:
    """Read for how long a process's main thread ran, and for how long it had to wait for that."""
    worked, queued, _ = Path(f'/proc/{pid}/schedstat').read_bytes().split()
    return int(worked) / 1e9, int(queued) / 1e9


def _post(path: str, port: int) -> bytes:
    return (
        f'POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\n'
        'Content-Length: 0\r\nConnection: close\r\n\r\n'
    ).encode()


def _came_ns(more: list[tuple[int, int, bytes]]) -> int:
    for level, kind, content in more:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, rest_ns = TIMESPEC.unpack(content)
            return int(seconds * 1_000_000_000 + rest_ns)
    return 0


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values) or [math.inf]
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

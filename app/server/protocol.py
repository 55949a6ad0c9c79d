"""uvicorn's protocol over `httptools`, with deadlines and a limit of connections a visitor.

uvicorn has no deadline for receiving a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.access.visitors import MOST_CONNECTIONS_A_VISITOR, Proxies, QuotaCounter
from app.log import logger
from app.web.security.framing import MOST_HEAD_BYTES
from app.web.security.guard import CROWDED
from app.web.security.headers import HEADERS, Answer, AnswerNow

log = logger(__name__)

SPARE_FILES = 200  # for pictures, the database and calls to providers
TOO_SLOW = b'HTTP/1.1 408 Request Timeout\r\n'
MALFORMED = b'HTTP/1.1 400 Bad Request\r\n'

AT_HAND = b'/thumbs/'

# What a connection is busy with.
Stage = Enum('Stage', ('HEAD', 'BODY', 'RESPONSE', 'LEFTOVER', 'IDLE', 'CLOSING'))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each part of a request may take."""

    head_s: float = 10.0  # from the connection, or the first byte of a later request
    body_s: float = 10.0  # and beyond that by its size, at `body_bytes_a_s`
    body_bytes_a_s: float = 8_000.0
    crowded_s: float = 2.0  # for the head on a connection that is one too many
    leftover_s: float = 10.0  # for the rest of a request that has its response, and the next head
    stopping_s: float = 1.5  # for what is not over when the server ends, before it is cancelled
    stalled_s: float = 300.0  # without progress of a response that the other end does not read


@dataclass(slots=True)
class ConnectionLimiter:
    """Counts connections, all and by quota key; those with an empty key have no limit."""

    proxies: Proxies
    most: int
    a_visitor: int = MOST_CONNECTIONS_A_VISITOR
    timeouts: Timeouts = field(default_factory=Timeouts)
    _all: int = field(default=0, init=False)
    _quotas: QuotaCounter = field(init=False)

    def __post_init__(self) -> None:
        self._quotas = QuotaCounter(self.a_visitor)

    def is_full(self, quota_key: str) -> bool:
        """Check whether there are too many connections even to refuse one more."""
        return self._all >= self.most or self._quotas.held(quota_key) >= 2 * self.a_visitor

    def add(self, quota_key: str) -> bool:
        """Count a connection; return False if it is one too many for this visitor."""
        self._all += 1
        return not quota_key or self._quotas.take(quota_key)

    def remove(self, quota_key: str) -> None:
        self._all -= 1
        if quota_key:
            self._quotas.give_back(quota_key)


class Answered:
    """Stands in the place of uvicorn's cycle for a request that was answered at once."""

    response_started = response_complete = True
    more_body = False
    message_event = asyncio.Event()


ANSWERED = Answered()


class WrongTarget(Exception):
    """The first line of a request names another server; the parser answers 400 for it."""


class DeadlineProtocol(HttpToolsProtocol):
    """Limits how long a request may take to arrive, and takes back two leniencies of httptools."""

    def __init__(
        self, *, limiter: ConnectionLimiter, answer_now: AnswerNow = lambda _: None, **given: object
    ) -> None:
        super().__init__(**given)  # type: ignore[arg-type]
        self._answer_now = answer_now
        self._answer: Answer | None = None
        self._limiter = limiter
        self._quota_key = ''
        self._head_is_whole = False
        self._is_counted = False
        self._is_crowded = False
        self._stage = Stage.IDLE
        self._since = 0.0
        self._received_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = self.client[0] if self.client else ''
        self._quota_key = self._limiter.proxies.quota_key_of(peer)
        if self._limiter.is_full(self._quota_key):
            transport.abort()
            return
        self._is_counted = True
        self._is_crowded = not self._limiter.add(self._quota_key)
        self.app_state = {**self.app_state, CROWDED: self._is_crowded}
        self._begin(Stage.HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._stall):
            if timer:
                timer.cancel()
        self._stage = Stage.CLOSING
        if self._is_counted:
            self._is_counted = False
            self._limiter.remove(self._quota_key)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, and see how far the request has come with them."""
        if self._stage is Stage.CLOSING:
            return
        if self._stage is Stage.IDLE:
            self._begin(Stage.HEAD)
        self._received_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing() or self._stage is Stage.IDLE:
            return
        stage = self._stage_by_parser()
        if self._stage is Stage.LEFTOVER and stage is Stage.HEAD:
            return
        if stage is not self._stage:
            self._begin(stage)
        elif stage in (Stage.HEAD, Stage.RESPONSE) and self._received_bytes > MOST_HEAD_BYTES:
            self._refuse(MALFORMED, 'The headers of this request are too long.')

    def on_message_begin(self) -> None:
        self._head_is_whole = False
        if self._stage is Stage.IDLE:  # behind one that was answered at once
            self._begin(Stage.HEAD)
            self._unset_keepalive_if_required()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, and no trailer: that would come after every check, and count as one."""
        if not self._head_is_whole:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass a request on; refuse a host in its first line, which the parser would drop."""
        self._head_is_whole = True
        if not self.url.startswith(b'/'):
            raise WrongTarget
        self._answer = self._answer_at_once() if AT_HAND in self.url else None
        if self._answer is None:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Send a response that waited for nothing but the end of the request."""
        if self._answer is None:
            super().on_message_complete()
            return
        first_line, head, body = self._answer
        own = [b'%b: %b\r\n' % header for header in self.server_state.default_headers]
        self.transport.write(b''.join([first_line, *own, head, body]))
        self._answer, self.cycle = None, ANSWERED  # type: ignore[assignment]
        self.on_response_complete()

    def _answer_at_once(self) -> Answer | None:
        """Ask for a response without a task of its own, if nothing has to be waited for."""
        parser, cycle = self.parser, self.cycle
        is_free = cycle is None or cycle.response_complete
        is_usual = parser.get_http_version() == '1.1' and parser.should_keep_alive()
        if not (is_free and is_usual) or parser.should_upgrade() or self.flow.write_paused:
            return None
        path = self.url.decode('ascii')
        asked = {'method': parser.get_method().decode('ascii'), 'path': path, 'raw_path': self.url}
        return self._answer_now({**self.scope, **asked})

    def on_response_complete(self) -> None:
        """Wait for the next request; what still comes of the last is thrown away, for a while."""
        unread = not getattr(self, 'pipeline', ()) and self.cycle.more_body
        super().on_response_complete()
        if self.transport.is_closing():
            self._begin(Stage.CLOSING)
        elif unread:
            self._begin(Stage.LEFTOVER)
        else:
            stage = self._stage_by_parser()
            self._begin(Stage.IDLE if stage is Stage.HEAD else stage)

    def send_400_response(self, msg: str) -> None:
        self._refuse(MALFORMED, msg)

    def shutdown(self) -> None:
        """Close, or end soon what is under way: whoever sends half a request is not waited for."""
        super().shutdown()
        self.loop.call_later(self._limiter.timeouts.stopping_s, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that has had its responses, even if the other end reads none."""
        super().timeout_keep_alive_handler()
        self._begin(Stage.CLOSING)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._quota_key:
            stalled_s = self._limiter.timeouts.stalled_s
            self._stall = self.loop.call_later(stalled_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall:
            self._stall.cancel()

    def _stage_by_parser(self) -> Stage:
        if self.cycle is None or self.cycle.response_complete:
            return Stage.HEAD
        return Stage.BODY if self.cycle.more_body else Stage.RESPONSE

    def _begin(self, stage: Stage) -> None:
        self._stage = stage
        self._since = self.loop.time()
        self._received_bytes = 0
        if self._deadline:
            self._deadline.cancel()
        due = self._deadline_of(stage)
        self._deadline = self.loop.call_later(*due) if due else None

    def _deadline_of(self, stage: Stage) -> tuple[float, Callable[[], None]] | None:
        timeouts = self._limiter.timeouts
        if stage is Stage.HEAD:
            head_s = timeouts.crowded_s if self._is_crowded else timeouts.head_s
            return head_s, self._head_is_late
        if stage is Stage.BODY:
            return timeouts.body_s, self._body_is_due
        if stage is Stage.LEFTOVER:
            return timeouts.leftover_s, self._close
        return (timeouts.stalled_s, self.transport.abort) if stage is Stage.CLOSING else None

    def _head_is_late(self) -> None:
        if self._received_bytes:
            self._refuse(TOO_SLOW, 'The request took too long to arrive.')
        else:
            self._close()

    def _body_is_due(self) -> None:
        """Give a body the time that its size takes; while the app reads none, it is not late."""
        timeouts = self._limiter.timeouts
        due = timeouts.body_s + self._received_bytes / timeouts.body_bytes_a_s
        left = self._since + due - self.loop.time()
        if self.flow.read_paused:
            left = timeouts.body_s
        if left > 0:
            self._deadline = self.loop.call_later(left, self._body_is_due)
            return
        log.info('a request body came too slowly; its connection is closed')
        self.transport.abort()

    def _refuse(self, status: bytes, sentence: str) -> None:
        """Respond without the app, and close; not into the middle of a response."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            text = sentence.encode('ascii')
            headers = HEADERS | {
                'content-type': 'text/plain; charset=utf-8',
                'content-length': str(len(text)),
                'connection': 'close',
            }
            lines = ''.join(f'{name}: {value}\r\n' for name, value in headers.items())
            self.transport.write(status + lines.encode('ascii') + b'\r\n' + text)
        self._close()

    def _close(self) -> None:
        """Close, and not wait for ever until the other end has read what is left."""
        self.transport.close()
        self._begin(Stage.CLOSING)

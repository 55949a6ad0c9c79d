"""The record of a call while it lasts, for the request inspector."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from app.models import Call

KEY_SHOWN = '$EASEL_API_KEY'


@dataclass(slots=True)
class CallRecorder:
    """What is known of a call so far; its texts are not redacted yet.

    Attributes:
        headers: Names and values as they are shown.
    """

    method: str
    url: str
    body: str = ''
    dropped: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    began_at: float = field(default_factory=time.time)
    status: int | None = None
    answer: str = ''
    reason: str = ''

    def call(self) -> Call:
        """Return the record of the call that is over, without the values of its query."""
        parts = urlsplit(self.url)
        names = [pair.partition('=')[0] for pair in parts.query.split('&') if pair]
        return Call(
            method=self.method,
            url=urlunsplit(parts._replace(query='&'.join(f'{name}=…' for name in names))),
            headers=tuple(self.headers.items()),
            body=self.body,
            status=self.status,
            answer=self.answer,
            reason=self.reason,
            dropped=self.dropped,
            began_at=self.began_at,
            took_s=max(0.0, time.time() - self.began_at),
        )


def hidden(value: str) -> str:
    """Return how a key is sent, without the key."""
    scheme, blank, _ = value.partition(' ')
    return f'{scheme} {KEY_SHOWN}' if blank else KEY_SHOWN

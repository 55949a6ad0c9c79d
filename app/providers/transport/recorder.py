"""What is noted of a call while it lasts, and how it is shown afterwards: without any secret."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from app.models import Call
from app.providers.response.messages import clean

MOST_LETTERS = 20_000
KEY_SHOWN = '$EASEL_API_KEY'


@dataclass(slots=True)
class CallRecorder:
    """What is known of a call so far."""

    method: str
    url: str
    body: str = ''
    dropped: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    began_at: float = field(default_factory=time.time)
    status: int | None = None
    answer: str = ''
    reason: str = ''

    def attempt(self, secret: Collection[str], secrets: Collection[str]) -> Call:
        """Close the note.

        Args:
            secret: Names of headers that are shown without what they hold.
            secrets: What is left out of the answer.
        """
        shown = {
            name: _hidden(value) if name in secret else value
            for name, value in self.headers.items()
        }
        return Call(
            method=self.method,
            url=_without_values(self.url),
            headers=tuple(shown.items()),
            body=self.body,
            status=self.status,
            answer=clean(self.answer, secrets)[:MOST_LETTERS],
            reason=self.reason,
            dropped=self.dropped,
            began_at=self.began_at,
            took_s=max(0.0, time.time() - self.began_at),
        )


def _without_values(url: str) -> str:
    """Keep the names of a query and leave out its values, which may be keys."""
    parts = urlsplit(url)
    names = [pair.partition('=')[0] for pair in parts.query.split('&') if pair]
    return urlunsplit(parts._replace(query='&'.join(f'{name}=…' for name in names)))


def _hidden(value: str) -> str:
    """Show how a key is sent and not the key."""
    scheme, blank, _ = value.partition(' ')
    return f'{scheme} {KEY_SHOWN}' if blank else KEY_SHOWN

"""Server-sent events while they come: previews, and where the stream may be left.

What the events come to is read from the whole text at the end, by `parser`; this only looks ahead.
"""

from __future__ import annotations

import contextlib
import re

from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import Json, at, find_items, trouble_in
from app.providers.response.parser import DONE, EVENT_END, is_partial, payloads
from app.providers.response.stream import ResponseStream

_STARTS = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:')
_EVENT_END = re.compile(EVENT_END.encode())
_ONE_OF_SEVERAL = ('partial_succeeded', 'partial_failed')  # Seedream's names; more may come
_ENDS = ('error', 'response.failed', 'image_generation.failed')


class Events:
    """Reads each event of one response as soon as it is whole.

    Attributes:
        end: Where in the skeleton the last event ended that counts; None as long as all do.
    """

    def __init__(self, stream: ResponseStream, run: Run, count: int) -> None:
        self._stream = stream
        self._run = run
        self._missing = count
        self._read_to = 0
        self.end: int | None = None

    def are_over(self) -> bool:
        """Read what came since; return whether nothing more is to be waited for."""
        skeleton = self._stream.skeleton
        if not _STARTS.match(skeleton):
            return False
        while end := _EVENT_END.search(skeleton, self._read_to):
            event = bytes(skeleton[self._read_to : end.start()]).decode('utf-8', 'replace')
            self._read_to = end.end()
            if any(payload == DONE or self._ends_with(payload) for payload in payloads(event)):
                self.end = self._read_to
                return True
        return False

    def _ends_with(self, payload: Json) -> bool:
        kind = str(at(payload, 'type'))
        if is_partial(payload):
            self._preview(payload)
            return False
        if kind not in _ENDS and not trouble_in(payload):
            self._missing -= sum(1 for item in find_items(payload) if item.text)
            if self._missing > 0:
                return False
        return not kind.endswith(_ONE_OF_SEVERAL)

    def _preview(self, payload: Json) -> None:
        position = at(payload, 'image_index')
        for item in find_items(payload):
            with contextlib.suppress(Base64Error):
                received = self._stream.take(item.text) or inline(item.text, self._run.incoming)
                self._run.previewed(position if isinstance(position, int) else 0, received)

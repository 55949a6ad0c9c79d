"""Follows a stream of server-sent events while it comes: previews, and where it may be left.

What the events come to is read from the whole text at the end, by `parsing`; this only looks ahead.
"""

from __future__ import annotations

import contextlib
import re

from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import Json, find_items, trouble_in
from app.providers.response.parser import DONE, EVENT_END, is_partial, payloads
from app.providers.response.stream import ResponseStream

_STARTS = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:')
_EVENT_END = re.compile(EVENT_END.encode())
_ONE_OF_SEVERAL = ('partial_succeeded', 'partial_failed')  # Seedream's names; more may come
_ENDS = ('error', 'response.failed', 'image_generation.failed')


class Events:
    """Looks at each event of one answer as soon as it is whole.

    Attributes:
        end: Where in the skeleton the last event ended that counts; None as long as all do.
    """

    def __init__(self, spool: ResponseStream, run: Run, count: int) -> None:
        self._spool = spool
        self._run = run
        self._missing = count
        self._looked_to = 0
        self.end: int | None = None

    def are_over(self) -> bool:
        """Look at what came since; whether nothing more is to be waited for."""
        skeleton = self._spool.skeleton
        if not _STARTS.match(skeleton):
            return False
        while end := _EVENT_END.search(skeleton, self._looked_to):
            event = bytes(skeleton[self._looked_to : end.start()]).decode('utf-8', 'replace')
            self._looked_to = end.end()
            for payload in payloads(event):
                if payload == DONE or self._ends_with(payload):
                    self.end = self._looked_to
                    return True
        return False

    def _ends_with(self, payload: Json) -> bool:
        if is_partial(payload):
            self._preview(payload)
            return False
        kind = str(payload.get('type')) if isinstance(payload, dict) else ''
        if kind in _ENDS or trouble_in(payload):
            return not kind.endswith(_ONE_OF_SEVERAL)
        self._missing -= sum(1 for item in find_items(payload) if item.text)
        return self._missing <= 0 and not kind.endswith(_ONE_OF_SEVERAL)

    def _preview(self, payload: Json) -> None:
        position = payload.get('image_index') if isinstance(payload, dict) else None
        for item in find_items(payload):
            with contextlib.suppress(Base64Error):
                received = self._spool.take(item.text) or inline(item.text, self._run.incoming)
                self._run.previewed(position if isinstance(position, int) else 0, received)

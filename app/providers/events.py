"""Follows a stream of server-sent events while it comes: previews, and where it may be left.

What the events come to is read from the whole text at the end, by `items`; this only looks ahead.
Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import contextlib
import re

from app.providers.base import Run
from app.providers.base64_reader import Base64Error, inline
from app.providers.items import DONE, Json, find_items, is_partial, payloads
from app.providers.reply import Spool

_STARTS = re.compile(rb'\s*(?:data|event|id|retry)?:')
_EVENT_END = re.compile(rb'\r\n\r\n|\n\n|\r\r')
_MORE_TO_COME = 'partial_succeeded'  # Seedream's name for a finished picture among several


class Events:
    """Looks at each event of one answer as soon as it is whole."""

    def __init__(self, spool: Spool, run: Run, count: int) -> None:
        self._spool = spool
        self._run = run
        self._missing = count
        self._looked_to = 0

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
                    return True
        return False

    def _ends_with(self, payload: Json) -> bool:
        if is_partial(payload):
            self._preview(payload)
            return False
        self._missing -= sum(1 for item in find_items(payload) if item.text)
        kind = payload.get('type') if isinstance(payload, dict) else None
        return self._missing <= 0 and not str(kind).endswith(_MORE_TO_COME)

    def _preview(self, payload: Json) -> None:
        position = payload.get('image_index') if isinstance(payload, dict) else None
        for item in find_items(payload):
            with contextlib.suppress(Base64Error):
                received = self._spool.take(item.text) or inline(item.text, self._run.incoming)
                self._run.previewed(position if isinstance(position, int) else 0, received)

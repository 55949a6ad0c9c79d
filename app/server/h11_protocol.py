"""The edge over `h11`, for where there is no wheel of `httptools`: as strict as that one.

`h11` takes lines without a carriage return, folded headers and repeated lengths. All three are seen
in the raw head only, so a connection here carries one request after another and never two at once.
"""

from __future__ import annotations

import re

from uvicorn.protocols.http.h11_impl import H11Protocol

from app.server.protocol import MALFORMED, DeadlineProtocol, Stage

HEAD_END = b'\r\n\r\n'

_BARE_OR_FOLDED = re.compile(rb'(?<!\r)\n|\r(?!\n)|\n[ \t]')
_LENGTH = re.compile(rb'\ncontent-length[ \t]*:([^\r]*)', re.IGNORECASE)


class H11DeadlineProtocol(DeadlineProtocol, H11Protocol):
    """Looks at the raw head before the parser does."""

    _head = b''

    def data_received(self, data: bytes) -> None:
        """Read a head strictly, then pass it on."""
        if self._stage in (Stage.HEAD, Stage.IDLE):
            self._head = (b'' if self._stage is Stage.IDLE else self._head) + data
            head, whole, _ = self._head.partition(HEAD_END)
            if not _is_strict(head if whole else head.rstrip(b'\r\n')):
                self._refuse(MALFORMED, 'Invalid HTTP request received.')
                return
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Refuse what was sent before its turn: its head was not looked at."""
        early, _ = self.conn.trailing_data
        if early:
            self.transport.close()
        self._head = b''
        super().on_response_complete()


def _is_strict(head: bytes) -> bool:
    lengths = _LENGTH.findall(head)
    return not _BARE_OR_FOLDED.search(head) and len(lengths) <= 1 and b',' not in b''.join(lengths)

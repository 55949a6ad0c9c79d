"""The edge over `httptools`, whose two leniencies it takes back."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.server.protocol import DeadlineProtocol


class WrongTargetError(Exception):
    """The request names another server in its first line; the parser answers 400 for it."""


class HttptoolsDeadlineProtocol(DeadlineProtocol, HttpToolsProtocol):  # type: ignore[misc]
    """Refuses a first line that names a host, and keeps trailers out of the headers."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head_is_whole = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer would come too late for every check, and count all the same."""
        if not self._head_is_whole:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand a request on, unless its first line names a host.

        Raises:
            WrongTargetError: It does; the parser would drop that name without a word.
        """
        self._head_is_whole = True
        if not self.url.startswith(b'/'):
            raise WrongTargetError
        super().on_headers_complete()

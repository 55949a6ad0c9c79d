"""Decodes base64 in any spelling, in pieces while it comes or from a short string at once."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import pybase64

from app.models import Received
from app.storage.temp_file import TempFile

_BLANKS = b' \t\r\n'
_STANDARD = bytes.maketrans(b'-_', b'+/')


class Base64Error(Exception):
    """The text is not base64, or its end is missing."""


class Base64Reader:
    """Decodes base64 that comes in pieces of any length, in any spelling."""

    def __init__(self, incoming: TempFile) -> None:
        self._incoming = incoming
        self._rest = b''

    def feed(self, text: bytes) -> None:
        """Decode a piece.

        Raises:
            Base64Error: It holds what base64 does not.
        """
        text = self._rest + text
        whole = max(0, len(text) - 4) & ~3  # the last four letters may be padding: `finish` knows
        try:
            block = pybase64.b64decode(memoryview(text)[:whole], validate=True)
        except binascii.Error:
            self._feed_odd(text)
            return
        if text[whole - 1 : whole] == b'=':
            self._feed_odd(text)
            return
        self._rest = text[whole:]
        self._incoming.write(block)

    def finish(self) -> None:
        """Decode what is left, with its padding or without.

        Raises:
            Base64Error: One letter is left over, so the end is missing.
        """
        rest = self._rest.translate(_STANDARD, _BLANKS).rstrip(b'=')
        if len(rest) % 4 == 1:
            raise Base64Error('cut')
        self._write(rest + b'=' * (-len(rest) % 4))

    def _feed_odd(self, text: bytes) -> None:
        """Decode a piece with blanks, line breaks or the letters of the URL alphabet in it."""
        plain = text.translate(_STANDARD, _BLANKS)
        whole = max(0, len(plain) - 4) & ~3
        if plain[:whole].endswith(b'='):
            raise Base64Error('padding in the middle')
        self._rest = plain[whole:]
        self._write(plain[:whole])

    def _write(self, text: bytes) -> None:
        try:
            block = pybase64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise Base64Error(str(error)) from error
        self._incoming.write(block)


def inline(text: str, incoming: Callable[[], TempFile]) -> Received:
    """Decode a short picture: base64, or a data URI with it or with percent signs.

    Raises:
        Base64Error: It is neither.
        ProviderError: `too_large`.
        StorageFailed: The disk refused.
    """
    header, comma, payload = text.partition(',')
    is_uri = bool(comma) and header.lower().startswith('data:')
    raw = unquote_to_bytes(payload) if is_uri else text.encode('utf-8', 'replace')
    file = incoming()
    try:
        if is_uri and 'base64' not in header.lower().replace(' ', '').split(';')[1:]:
            file.write(raw)
        else:
            reader = Base64Reader(file)
            reader.feed(raw)
            reader.finish()
    except BaseException:
        file.discard()
        raise
    return file.received()

"""Base64 in any spelling, in pieces while it comes, and the little of JSON's grammar around it."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import pybase64

from app.models import Received
from app.storage.temp_file import TempFile

_BLANKS = b' \t\r\n'
_STANDARD = bytes.maketrans(b'-_', b'+/')
_ESCAPE = re.compile(rb'\\(?:u([0-9a-fA-F]{4})|(.))', re.DOTALL)
_CUT_ESCAPE = re.compile(rb'\\(?:u[0-9a-fA-F]{0,3})?\Z')
_ESCAPED = {b'n': b'\n', b'r': b'\r', b't': b'\t', b'/': b'/'}
_LETTERS = re.compile(rb'(?:[A-Za-z0-9+/_=-]++|\\/|\\u00(?:2[bBfF]|3[dD]))*+')
_CUT_LETTER = re.compile(rb'\\(?:u(?:0(?:0[23]?)?)?)?')
_NOT_BASE64 = b'?'


class Base64Error(Exception):
    """The text is not base64, or its end is missing."""


class Base64Reader:
    """Decodes base64 that comes in pieces of any length, in any spelling, into a file.

    Both methods raise Base64Error: the text holds what base64 does not, or its end is missing.
    """

    def __init__(self, file: TempFile) -> None:
        self._file = file
        self._rest = b''

    def feed(self, text: bytes) -> None:
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
        self._file.write(block)

    def finish(self) -> None:
        """Decode what is left, with its padding or without."""
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
            self._file.write(pybase64.b64decode(text, validate=True))
        except binascii.Error as error:
            raise Base64Error(str(error)) from error


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


def string_end(block: bytes, at: int, *, escaped: bool) -> int:
    """Return where the quote that ends a JSON string is, or -1."""
    start = at
    while (quote := block.find(b'"', at)) >= 0:
        if not ends_escaped(block[start:quote], escaped=escaped):
            return quote
        start, escaped, at = quote + 1, False, quote + 1
    return -1


def ends_escaped(piece: bytes, *, escaped: bool) -> bool:
    """Whether an odd number of backslashes stands at the end, so that the next sign is escaped."""
    slashes = len(piece) - len(piece.rstrip(b'\\'))
    if slashes == len(piece) and escaped:
        slashes += 1
    return slashes % 2 == 1


def unescaped(piece: bytes) -> tuple[bytes, bytes]:
    """Undo the escapes that base64 can have in JSON; one that the piece's end cuts is the rest."""
    cut = _CUT_ESCAPE.search(piece)
    whole = piece[: cut.start()] if cut else piece
    return _ESCAPE.sub(_plain, whole), piece[cut.start() :] if cut else b''


def _plain(escape: re.Match[bytes]) -> bytes:
    code, letter = escape.groups()
    if code is None:
        return _ESCAPED.get(letter, _NOT_BASE64)
    number = int(code, 16)
    return bytes([number]) if number < 128 else _NOT_BASE64


def base64_letters(text: bytes) -> tuple[bytes, bytes, bool]:
    """Split a text where the base64 that it begins with ends.

    Returns:
        The letters without escapes, what follows them, and whether they are over: what follows may
        only be an escape that is cut.
    """
    run = _LETTERS.match(text)
    end = run.end() if run else 0
    rest = text[end:]
    return unescaped(text[:end])[0], rest, bool(rest) and not _CUT_LETTER.fullmatch(rest)

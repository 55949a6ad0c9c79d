"""Base64 in any spelling, in pieces while it comes, and the little of JSON's grammar around it."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import pybase64

from app.models import Received
from app.storage.files import TempFile

_BLANKS = b' \t\r\n'
_BACKSLASH = ord('\\')
_STANDARD = bytes.maketrans(b'-_', b'+/')
_CUT_ESCAPE = re.compile(rb'\\(?:u[0-9a-fA-F]{0,3})?\Z')
_LETTERS = re.compile(rb'(?:[A-Za-z0-9+/_=-]++|\\/|\\u00(?:2[bBfF]|3[dD]))*+')
_UNITS = re.compile(rb'(?:%[0-9a-fA-F]{2}|.){1,10000}', re.DOTALL)  # none of them cut
_CUT_LETTER = re.compile(rb'\\(?:u(?:0(?:0[23]?)?)?)?')


Base64Error = binascii.Error  # the text is not base64, or its end is missing


class Base64Reader:
    """Decodes base64 that comes in pieces of any length, in any spelling, into a file."""

    def __init__(self, file: TempFile) -> None:
        self.file = file
        self._rest = b''

    def feed(self, text: bytes) -> None:
        """Decode a piece; raise Base64Error where it holds what base64 does not."""
        text = self._rest + text
        try:
            self._rest = self._write(text)
        except Base64Error:  # it may be blanks, line breaks or the letters of the URL alphabet
            self._rest = self._write(text.translate(_STANDARD, _BLANKS))

    def _write(self, text: bytes) -> bytes:
        """Decode all but the last letters, which may be padding, and return those."""
        whole = max(0, len(text) - 4) & ~3
        block = pybase64.b64decode(memoryview(text)[:whole], validate=True)
        if text[whole - 1 : whole] == b'=':
            raise Base64Error('padding in the middle')
        self.file.write(block)
        return text[whole:]

    def finish(self) -> Received:
        """Decode what is left, with its padding or without; raise Base64Error where it is cut."""
        rest = self._rest.translate(_STANDARD, _BLANKS).rstrip(b'=')
        self.file.write(pybase64.b64decode(rest + b'=' * (-len(rest) % 4), validate=True))
        return self.file.received()


def inline(text: str, incoming: Callable[[], TempFile]) -> Received:
    """Decode a picture, base64 or a data URI; raise Base64Error where it is neither."""
    header, comma, payload = text.partition(',')
    is_uri = bool(comma) and header.lower().startswith('data:')
    raw = (payload if is_uri else text).encode('utf-8', 'replace')
    pieces = (unquote_to_bytes(units[0]) for units in _UNITS.finditer(raw)) if is_uri else (raw,)
    is_plain = is_uri and 'base64' not in header.lower().replace(' ', '').split(';')[1:]
    reader = Base64Reader(incoming())
    try:
        for piece in pieces:
            if is_plain:
                reader.file.write(piece)
            else:
                reader.feed(piece)
        return reader.finish()
    except BaseException:
        reader.file.discard()
        raise


def string_end(block: bytes, at: int, *, escaped: bool) -> tuple[int, bool]:
    """Find a JSON string's closing quote, or -1, and whether the next sign is escaped."""
    while True:
        quote = block.find(b'"', at)
        end = start = quote if quote >= 0 else len(block)
        while start > at and block[start - 1] == _BACKSLASH:
            start -= 1
        is_odd = (end - start + (escaped and start == at)) % 2 == 1
        if quote < 0 or not is_odd:
            return quote, is_odd
        at, escaped = quote + 1, False


def unescaped(piece: bytes) -> tuple[bytes, bytes]:
    """Undo JSON's escapes, `?` for what is not base64; return an escape that is cut, too."""
    if b'\\' not in piece:
        return piece, b''
    cut = _CUT_ESCAPE.search(piece)
    whole = piece[: cut.start()] if cut else piece
    try:
        text = str(json.loads(f'"{whole.decode("latin-1")}"', strict=False))
    except ValueError:
        text = '?'
    return text.encode('ascii', 'replace'), piece[cut.start() :] if cut else b''


def base64_letters(text: bytes) -> tuple[bytes, bytes, bool]:
    """Split off the base64 that a text begins with; return it, the rest, and whether it ended."""
    run = _LETTERS.match(text)
    end = run.end() if run else 0
    rest = text[end:]
    return unescaped(text[:end])[0], rest, bool(rest) and not _CUT_LETTER.fullmatch(rest)

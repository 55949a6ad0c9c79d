"""Reader of any response as it streams, so that no picture ever stands whole in memory.

A response is a little text with pictures in it as very long base64 strings. `ResponseStream` copies
each of these to a file, and the rest to a small skeleton, with a mark in the place of each picture,
which `parser` and `images` read. How the bytes are cut into blocks never changes what comes out.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from enum import Enum, auto
from urllib.parse import unquote_to_bytes

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.models import Received
from app.providers.response.base64_stream import (
    Base64Error,
    Base64Reader,
    base64_letters,
    string_end,
    unescaped,
)
from app.storage.files import TempFile, remove
from app.storage.metadata.mime import is_binary, mime_of

LONG_STRING_BYTES = 4_096
MOST_SKELETON_BYTES = 4 * 1024 * 1024
MOST_PICTURES = 64  # that are written to files; the rest are counted
MOST_MARKS = 400  # in a piece: each string, line or event takes some twenty microseconds
SNIFF_BYTES = 16

_MARKS = (b'"', b'\n', b'\r')
_BASE64 = re.compile(rb'\s*(?:[A-Za-z0-9+/_=-]{48,}\s+)*[A-Za-z0-9+/_=-]*')  # lines, not words
_CUT_PERCENT = re.compile(rb'%[0-9a-fA-F]?\Z')
_DATA_URI = re.compile(rb'\s*data:[^,"]{0,200};base64,', re.IGNORECASE)
_URI_IN_TEXT = re.compile(
    rb'data:image\\?/[\w.+-]{1,40}(?:;[\w=.-]{1,60}){0,3};base64,', re.IGNORECASE
)
_LONGEST_URI_HEAD = 256


class _Place(Enum):
    """Where in the response the next byte is."""

    START = auto()
    OUTSIDE = auto()
    STRING = auto()
    LONG_TEXT = auto()
    ADDRESS = auto()
    PICTURE = auto()
    PICTURE_IN_TEXT = auto()


def pieces(block: bytes) -> Iterator[bytes]:
    """Cut a block so that no piece takes long to read, however many strings and lines it holds."""
    marks = sum(block.count(mark) for mark in _MARKS if mark in block)  # `in` is the fastest no
    size = max(1, len(block) * MOST_MARKS // max(marks, MOST_MARKS))
    for at in range(0, len(block), size):
        yield block[at : at + size]


class ResponseStream:
    """Splits a response into a small skeleton and the pictures that it held."""

    def __init__(self, incoming: Callable[[], TempFile]) -> None:
        self.skeleton = bytearray()  # without the string that is being read
        self.pictures: dict[str, Received] = {}  # by the mark that stands for each
        self.raw: Received | None = None  # the response itself, when it is no text
        self.bad: set[str] = set()  # marks of what began as base64 and was not, or had no end
        self._incoming = incoming
        self._token = f'picture-{secrets.token_hex(8)}-'
        self._marks = 0
        self._place = _Place.START
        self._held = b''  # the first bytes of the response, or the string so far
        self._escaped = False
        self._cut_escape = b''
        self._percent_encoded = False
        self._cut_percent = b''
        self._raw_file: TempFile | None = None
        self._is_surplus = False
        self._reader: Base64Reader | None = None  # None for a damaged picture, and a surplus one

    def feed(self, block: bytes) -> None:
        """Read the next bytes; raise ProviderError where a picture or the text is too large."""
        if self._place is _Place.START:
            self._held += block
            if len(self._held) < SNIFF_BYTES:
                return
            block = self._begin()
        if self._raw_file:
            self._raw_file.write(block)
            return
        at = 0
        while at < len(block):
            at = self._step(block, at)

    def finish(self, end: int | None = None) -> str:
        """Close everything; return the skeleton, to its `end`, with an open string left open."""
        if self._place is _Place.START:
            self.feed(self._begin())
        if self._raw_file:
            self.raw = self._raw_file.received()
        if self._reader:
            self._spoil(self._reader)
        if self._place in (_Place.STRING, _Place.LONG_TEXT):
            self._add((b'"' if self._place is _Place.STRING else b'') + self._held)
        return self.skeleton[:end].decode('utf-8-sig', 'replace')

    def discard(self) -> None:
        """Delete everything that came."""
        for file in (self._raw_file, self._reader and self._reader.file):
            if file:
                file.discard()
        remove(*(received.path for received in self.pictures.values()))

    def _begin(self) -> bytes:
        """Decide by the first bytes what comes, and return them."""
        start, self._held, self._place = self._held, b'', _Place.OUTSIDE
        if mime_of(start) or is_binary(start[:SNIFF_BYTES]):
            self._raw_file = self._incoming()
        return start

    def _step(self, block: bytes, at: int) -> int:
        """Read to the next quote that begins or ends a string; return where to go on."""
        if self._place is _Place.OUTSIDE:
            quote = block.find(b'"', at)
            self._add(block[at : quote if quote >= 0 else len(block)])
            if quote < 0:
                return len(block)
            self._place = _Place.STRING
            return quote + 1
        end, self._escaped = string_end(block, at, escaped=self._escaped)
        if end < 0:
            self._take(block[at:])
            return len(block)
        self._take(block[at:end])
        self._end_string()
        return end + 1

    def _take(self, piece: bytes) -> None:
        """Read a piece of the string that we are in."""
        if self._place is _Place.ADDRESS:
            self._add(piece)
        elif self._place is _Place.LONG_TEXT:
            self._take_text(piece)
        elif self._place is _Place.PICTURE_IN_TEXT:
            self._take_letters(piece)
        elif self._place is _Place.PICTURE:
            self._decode(self._unescape(piece))
        elif self._place is _Place.STRING:
            self._held += piece
            if len(self._held) >= LONG_STRING_BYTES:
                self._decide()

    def _decide(self) -> None:
        """Decide by its first 4 kB what a long string is: a picture, or just a long text."""
        held, self._held = self._held, b''
        head = unescaped(held[:LONG_STRING_BYTES])[0]
        prefix = _DATA_URI.match(head)
        start = prefix.end() if prefix else 0
        if not _BASE64.fullmatch(head, start):
            self._place = _Place.ADDRESS if prefix else _Place.LONG_TEXT
            self._add(b'"')
            self._take(held)
            return
        self._begin_picture(_Place.PICTURE, percent_encoded=prefix is not None)
        self._decode(self._unescape(held)[start:])

    def _begin_picture(self, place: _Place, *, percent_encoded: bool = False) -> None:
        self._place = place
        self._percent_encoded = percent_encoded
        self._is_surplus = len(self.pictures) >= MOST_PICTURES
        self._reader = None if self._is_surplus else Base64Reader(self._incoming())

    def _take_text(self, piece: bytes) -> None:
        """Copy a long text; a picture within it, as chats give them, goes to a file as well."""
        text = self._held + piece
        head = _URI_IN_TEXT.search(text)
        if not head:
            self._add(text[:-_LONGEST_URI_HEAD])
            self._held = text[-_LONGEST_URI_HEAD:]
            return
        self._held = b''
        self._add(text[: head.start()])
        self._begin_picture(_Place.PICTURE_IN_TEXT)
        self._take_letters(text[head.end() :])

    def _take_letters(self, piece: bytes) -> None:
        """Decode the letters of a picture within a text, to where they end."""
        letters, rest, is_over = base64_letters(self._held + piece)
        self._held = rest
        self._decode(letters)
        if is_over:
            self._end_picture()
            self._held, self._place = b'', _Place.LONG_TEXT
            self._take_text(rest)

    def _decode(self, text: bytes) -> None:
        if not self._reader:
            return
        if self._percent_encoded and (b'%' in text or self._cut_percent):
            text = self._cut_percent + text  # one sign that a block's end cut waited for the next
            cut = _CUT_PERCENT.search(text)
            self._cut_percent = text[cut.start() :] if cut else b''
            text = unquote_to_bytes(text[: cut.start()] if cut else text)
        try:
            self._reader.feed(text)
        except Base64Error:
            self._spoil(self._reader)

    def _end_string(self) -> None:
        if self._place is _Place.PICTURE:
            self._end_picture()
        elif self._place is _Place.STRING:
            self._add(b'"' + self._held + b'"')
        else:
            self._take(b'"')
            self._add(self._held)
        self._place = _Place.OUTSIDE
        self._held = self._cut_escape = self._cut_percent = b''

    def _end_picture(self) -> None:
        reader = self._reader
        if self._is_surplus:
            self._add_mark()
        if not reader:
            return
        try:
            self.pictures[self._add_mark()] = reader.finish()
            self._reader = None
        except Base64Error:
            self._spoil(reader)

    def _spoil(self, reader: Base64Reader) -> None:
        """Give the picture up and go on to the end of its string."""
        reader.file.discard()
        self._reader = None
        self.bad.add(self._add_mark())

    def _add_mark(self) -> str:
        mark = f'{self._token}{self._marks}'
        self._marks += 1
        quote = '' if self._place is _Place.PICTURE_IN_TEXT else '"'
        self._add(f'{quote}{mark}{quote}'.encode())
        return mark

    def _unescape(self, piece: bytes) -> bytes:
        """Undo JSON's escapes; one that the block's end cuts waits for the next block."""
        text, self._cut_escape = unescaped(self._cut_escape + piece)
        return text

    def _add(self, text: bytes) -> None:
        if len(self.skeleton) + len(text) > MOST_SKELETON_BYTES:
            raise ProviderError(Failure(kind=ErrorKind.TOO_LARGE, reason=Reason.OVER_4_MIB_OF_TEXT))
        self.skeleton += text

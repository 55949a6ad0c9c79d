"""Heads of responses that break HTTP's grammar, mended before the strict parser sees them.

A picture that was made and paid for is not to be lost over a blank in a header's name. The body of
such a response is read here, as leniently, and the connection is closed after it: what one reader
takes for the next response another may take for the end of this one.
"""

from __future__ import annotations

import re

MOST_HEADER_BYTES = 32 * 1024  # a tenth of a second of parsing, were it 100 kB
MOST_INTERIM = 100  # responses of 1xx to one request
MOST_CHUNK_LINE_BYTES = 1_024
MOST_TIMES_CHUNKED = 2

TLS_ALERT = b'\x15\x03'  # what a TLS server answers to plain HTTP. Source: RFC 8446, 5.1
FRAMING = (b'content-length', b'transfer-encoding', b'connection', b'keep-alive')
COMPRESSED = (b'gzip', b'x-gzip', b'deflate')
# Headers that Easel reads. Indented, each is a header of its own and no part of the one before it.
READ = (
    *(*FRAMING, b'content-type', b'content-encoding', b'location', b'operation-location'),
    *(b'retry-after', b'retry-after-ms'),
)

_BEFORE = re.compile(rb'(?:\xef\xbb\xbf)?[\r\n\t ]*')
_END = re.compile(rb'\n[ \t]{0,9}\r{0,2}\n')
_BODY = re.compile(rb'(?<![\r\n])[\r\n]++(?=[{\[])')
_LINE_END = re.compile(rb'\r++\n?|\n')
_CLEAN = re.compile(
    rb'HTTP/1\.[01] [1-9][0-9]{2}(?: [^\x00-\x08\x0a-\x1f\x7f]*)?\r\n'
    rb"(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n"
)
_CLEAN_FRAMING = re.compile(rb'(?im)^(?:content-length|transfer-encoding):[ \t]*([^\r\n]*)')
_LENGTH_TOLD = re.compile(rb'(?im)^content-length:[ \t]*([0-9]{1,18})[ \t]*\r$')
_CLEAN_SIZE = re.compile(rb'[0-9A-Fa-f]{1,15}[ \t]*(?:;[^\n]*)?(?:\r\n|\r?\Z)')
_STATUS = re.compile(
    rb'(?i)(?:HTTP|ICY)\s{0,9}/?\s{0,9}[0-9.]{0,9}[\s:]{1,9}([1-5][0-9]{2})(?![0-9])'
)
_NOT_IN_NAMES = re.compile(rb"[^-!#$%&'*+.^_`|~0-9A-Za-z]+")
_NOT_IN_VALUES = re.compile(rb'[\x00-\x20\x7f]+')
_LENGTH = re.compile(rb'[0-9]{1,18}')
_SIZE = re.compile(rb'\s*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*+|\r*+)\n')
_PLAIN = re.compile(rb'\s*(?:[\[{"<]|data:|event:|\x89PNG|\xff\xd8\xff|RIFF|GIF8|PK\x03)')
_PART_OF_A_SIZE = re.compile(rb'\s*[0-9A-Fa-f]{0,15}[ \t]*(?:;[^\n]*)?\r*')


class Unreadable(Exception):
    """A head that is none, or has no end; the text is a reason for a `Failure`."""


class Responses:
    """Passes on what a connection receives; the head of each response is looked at first."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Expect the head of a response: a request is being sent."""
        self._in_head = True
        self._held = bytearray()
        self._interim = 0
        self._body: _Body | None = None  # of a response whose head was mended
        self._left_bytes: int | None = None  # of one whose head was clean, where it told a length
        self.surplus = b''  # what came with the end of such a body, and is beyond its length

    @property
    def is_over(self) -> bool:
        return self._body is not None and self._body.is_over

    @property
    def is_guessed(self) -> bool:
        """Whether the body's length was told wrongly, so that only silence can end it."""
        return self._body is not None and self._body.is_guessed

    def feed(self, piece: bytes) -> bytes:
        """Return what of `piece`, empty at the end, goes on now; raise Unreadable."""
        if self._body:
            return self._body.feed(piece)
        if not self._in_head:
            if self._left_bytes is not None:
                self.surplus += piece[max(self._left_bytes, 0) :]
                self._left_bytes -= len(piece)
            return piece
        if not piece:
            return self._last_head()
        searched = max(0, len(self._held) - 13)
        self._held += piece
        passed = b''
        while self._in_head and (whole := self._next_head(searched)) is not None:
            passed, searched = passed + whole, 0
        return passed

    def _next_head(self, searched: int) -> bytes | None:
        """Return a head that is whole, with all behind it unless it is an interim one."""
        held = self._held
        if held.startswith(TLS_ALERT):
            raise Unreadable('the server uses https')
        start = _BEFORE.match(held)
        at = start.end() if start else 0
        if held.startswith((b'{', b'['), at):  # a body with no head at all, as in HTTP/0.9
            return self._mended(b'HTTP/1.1 200', bytes(held[at:]))
        end = _END.search(held, max(at, searched))
        if (end.end() if end else len(held)) > MOST_HEADER_BYTES:
            raise Unreadable('headers over 32 KiB')
        if not end:
            return None
        head, rest = bytes(held[: end.end()]), bytes(held[end.end() :])
        status = _STATUS.match(head, at)
        if status and status[1].startswith(b'1') and status[1] != b'101':
            self._interim += 1
            if self._interim > MOST_INTERIM:
                raise Unreadable('only interim (1xx) answers')
            self._held = bytearray(rest)
            return head if _is_clean(head, b'') else b''
        if not status or _is_clean(head, rest):
            self._in_head = False
            told = _LENGTH_TOLD.search(head)
            self._left_bytes = int(told[1]) - len(rest) if told else None
            return head + rest
        return self._mended(head[at:], rest)

    def _last_head(self) -> bytes:
        """Return what came of a head that has no end; a body may follow without a blank line."""
        self._in_head = False
        body = _BODY.search(self._held)
        if not body or not _STATUS.match(self._held):
            return bytes(self._held)
        return self._mended(bytes(self._held[: body.start()]), bytes(self._held[body.end() :]))

    def _mended(self, head: bytes, rest: bytes) -> bytes:
        self._in_head = False
        written, self._body = _mend(head)
        return written + self._body.feed(rest)


def _is_clean(head: bytes, rest: bytes) -> bool:
    """Check whether the strict parser reads a head, and reads it as it is meant."""
    if not _CLEAN.fullmatch(head):
        return False
    framing = _CLEAN_FRAMING.findall(head)
    if len(framing) > 1:
        return False
    told = framing[0].strip().lower() if framing else b''
    if _LENGTH.fullmatch(told):
        return len(rest) <= int(told)
    is_odd = _PLAIN.match(rest) or (_SIZE.match(rest) and not _CLEAN_SIZE.match(rest))
    return not framing or (told == b'chunked' and not is_odd)


def _mend(head: bytes) -> tuple[bytes, _Body]:
    """Write a head anew, its body to be read to the end of the connection; return its reader."""
    first, *lines = _LINE_END.split(head)
    fields = _fields_in(lines)
    codings = _values(fields, b'transfer-encoding')
    told = _values(fields, b'content-length')
    lengths = [int(one) for one in told if _LENGTH.fullmatch(one)]
    kept = [(name, value) for name, value in fields if name.lower() not in FRAMING]
    kept += [(b'Content-Encoding', coding) for coding in codings if coding in COMPRESSED]
    kept.append((b'Connection', b'close'))
    status = _STATUS.match(first)
    written = [b'HTTP/1.1 ' + (status[1] if status else b'200')]
    written += [name + b': ' + value for name, value in kept]
    body = _Body(min(lengths, default=None), codings.count(b'chunked'))
    body.is_guessed = bool(told) and not lengths
    return b'\r\n'.join(written) + b'\r\n\r\n', body


def _fields_in(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Read header lines; what is in a name that may not be there becomes a hyphen."""
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b':')
        name = _NOT_IN_NAMES.sub(b'-', name.strip())
        value = _NOT_IN_VALUES.sub(b' ', value).strip()
        if line[:1] in (b' ', b'\t') and fields and name.lower() not in READ:
            before = fields.pop()
            folded = _NOT_IN_VALUES.sub(b' ', line).strip()
            fields.append((before[0], before[1] + b' ' + folded))
        elif colon and name:
            fields.append((name, value))
    return fields


def _values(fields: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    listed = [value.split(b',') for name, value in fields if name.lower() == wanted]
    return [one.strip(b' "+').lower() for values in listed for one in values]


class _Body:
    """The body of a mended response: by its chunks, else by its length, else to the end."""

    def __init__(self, length: int | None, times_chunked: int) -> None:
        self.is_over = self.is_guessed = False
        self._left_bytes = length
        self._chunks = [_Chunks() for _ in range(min(times_chunked, MOST_TIMES_CHUNKED))]

    def feed(self, piece: bytes) -> bytes:
        for chunks in self._chunks:
            piece = chunks.feed(piece)
        if self._chunks and not self._chunks[0].is_plain:
            self.is_over = self._chunks[0].is_over
            return piece
        if self._left_bytes is None:
            self.is_guessed |= bool(self._chunks)
            return piece
        body, surplus = piece[: self._left_bytes], piece[self._left_bytes :]
        if surplus.strip():  # more than was told: the length counts letters, or something else
            self._left_bytes, self.is_guessed = None, True
            return piece
        self._left_bytes -= len(body)
        self.is_over = not self._left_bytes
        return body


class _Chunks:
    """A chunked body; one that only claims to be chunked is passed on as it comes."""

    def __init__(self) -> None:
        self.is_over = self.is_plain = self._has_begun = False
        self._held = b''
        self._left_bytes = 0

    def feed(self, piece: bytes) -> bytes:
        if self.is_plain:
            return piece
        text, at, passed = self._held + piece, 0, list[bytes]()
        self._held = b''
        while at < len(text) and not self.is_over:
            if self._left_bytes:
                passed.append(text[at : at + self._left_bytes])
                at += len(passed[-1])
                self._left_bytes -= len(passed[-1])
            elif size := _SIZE.match(text, at):
                self._left_bytes, at = int(size[1], 16), size.end()
                self.is_over = not self._left_bytes
            else:
                may_be_cut = _PART_OF_A_SIZE.fullmatch(text, at)
                if may_be_cut and len(text) - at <= MOST_CHUNK_LINE_BYTES:
                    self._held = text[at:]
                    break
                self.is_plain = not self._has_begun and bool(_PLAIN.match(text, at))
                if not self.is_plain:
                    raise Unreadable('the transfer ended early')
                return text[at:]
            self._has_begun = True
        return b''.join(passed)

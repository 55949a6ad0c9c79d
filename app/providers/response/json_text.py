"""The little of JSON's grammar that matters while an answer streams: string ends and escapes."""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb'\\(?:u([0-9a-fA-F]{4})|(.))', re.DOTALL)
_CUT_ESCAPE = re.compile(rb'\\(?:u[0-9a-fA-F]{0,3})?\Z')
_ESCAPED = {b'n': b'\n', b'r': b'\r', b't': b'\t', b'/': b'/'}
_LETTERS = re.compile(rb'(?:[A-Za-z0-9+/_=-]++|\\/|\\u00(?:2[bBfF]|3[dD]))*+')
_CUT_LETTER = re.compile(rb'\\(?:u(?:0(?:0[23]?)?)?)?')
_NOT_BASE64 = b'?'


def _plain(escape: re.Match[bytes]) -> bytes:
    code, letter = escape.groups()
    if code is None:
        return _ESCAPED.get(letter, _NOT_BASE64)
    number = int(code, 16)
    return bytes([number]) if number < 128 else _NOT_BASE64


def string_end(block: bytes, at: int, *, escaped: bool) -> int:
    """Find the quote that ends a JSON string, or -1."""
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
    """Undo the escapes that base64 can have in JSON.

    Returns:
        The plain text, and an escape that the piece's end cuts, to go before the next piece.
    """
    cut = _CUT_ESCAPE.search(piece)
    whole = piece[: cut.start()] if cut else piece
    return _ESCAPE.sub(_plain, whole), piece[cut.start() :] if cut else b''


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

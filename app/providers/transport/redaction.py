"""Redaction of a provider's secrets in what it answers: some repeat the key that they refuse."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from app.errors import Failure
from app.models import Call, GenerationResult
from app.providers.core.base import ProviderSettings
from app.providers.response.messages import MOST_CLEANED_LETTERS, clean, scrub

SLICE = 8  # letters of a secret in a row that are not shown
HEX_SLICE = 16  # digits: eight letters
SHORTEST = 6  # what is shorter is a word like any other
LONGEST_WORD = 20  # of a value that nothing calls secret: `openai`, `gpt-image-2`
MOST_RESPONSE_LETTERS = 20_000
INSTEAD = '…'
# What the name of a header, or of a value in an address's query, ends in where it is no secret.
HARMLESS = {
    *('accept', 'agent', 'encoding', 'language', 'model', 'provider', 'region', 'title'),
    *('type', 'version'),
}
SECRET_WORDS = {
    *('auth', 'bearer', 'cookie', 'cookies', 'credential', 'credentials', 'hook', 'jwt', 'key'),
    *('keys', 'pass', 'passphrase', 'pwd', 'session', 'sid', 'sig', 'signature', 'webhook'),
}
SECRET_STARTS = ('apikey', 'authent', 'authoris', 'authoriz', 'passw', 'secret', 'session')
SECRET_ENDS = ('auth', 'cookie', 'hook', 'jwt', 'key', 'password', 'secret', 'session', 'token')
BY_CHANCE = {'hotkey', 'monkey', 'portkey', 'turkey'}  # `x-portkey-provider: openai`

_ORIGIN = re.compile(r'(?i)[a-z][a-z0-9+.-]*://[^/?#@\s]*/?')  # as in `Referer`
_ADDRESS = re.compile(r'(?i)[a-z][a-z0-9+.-]*://\S+')
_NAME_WORD = re.compile(r'[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])')
_HIDDEN = re.compile(rb'[^\0]+')
_HEX = re.compile(f'[0-9a-fA-F]{{{HEX_SLICE},}}')
_REPEATED = re.compile(f'{INSTEAD}{{2,}}')
# What stands between the letters of a secret, and how one letter may be spelled.
_SPELLED = re.compile(
    r'[\s\u200b\u00ad]+|(?<!\\)\\++(?:u00|x)(?P<json>[0-9a-f]{2})|%(?P<url>[0-9a-f]{2})'
    r'|&\#x0*(?P<html>[0-9a-f]{2});|&\#0*(?P<decimal>[0-9]{2,3});|(?<!\\)\\++(?=[/"\'+=])',
    re.IGNORECASE,
)


class SecretRedactor:
    """Replaces every piece of a secret in each spelling.

    These are: itself, backwards, in hex and base64, with any of its letters escaped, and with
    blanks between them. All texts are redacted whole and only then cleaned and shortened: half a
    secret, which a cut or a pattern leaves behind, would not be recognised.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        given = [_read(one)[0] for one in _secrets_of(settings)]
        secrets = [one for one in given if len(one) >= SHORTEST]
        pieces = {piece for one in secrets for piece in _pieces(one)}
        self._hex = {piece for one in secrets for piece in _slices(one.encode().hex(), HEX_SLICE)}
        self._slices = {piece for piece in pieces if len(piece) == SLICE}
        self._others = pieces - self._slices
        self._longest = max(map(len, {*pieces, *self._hex}), default=0)

    def text(self, text: str, most: int = sys.maxsize) -> str:
        """Return the first `most` characters of `text`, every secret replaced by `…`."""
        shown = text[:most]
        if not self._longest:
            return shown
        read, starts, ends = _read(shown)
        hidden = bytearray(len(shown))
        for start, end in self._found_in(read):
            first, last = starts[start], ends[end - 1]
            hidden[first:last] = b'\1' * (last - first)
        if len(shown) < len(text):  # its last characters may begin a piece that the cut ends
            shown = shown[: 1 - self._longest]
        runs = [run.span() for run in _HIDDEN.finditer(hidden[: len(shown)])]
        if not runs:
            return shown
        begins = [0, *(end for _, end in runs)]
        finishes = [*(start for start, _ in runs), len(shown)]
        plain = (shown[begin:finish] for begin, finish in zip(begins, finishes, strict=True))
        return _REPEATED.sub(INSTEAD, INSTEAD.join(plain))

    def failure(self, failure: Failure) -> Failure:
        """Return a failure whose texts may be shown, its words on one line and short."""
        return replace(
            failure,
            words=scrub(self.text(failure.words, MOST_CLEANED_LETTERS)),
            reason=self.text(failure.reason),
            param=failure.param and self.text(failure.param),
            value=scrub(self.text(failure.value)),
            offers=tuple(scrub(self.text(one)) for one in failure.offers),
            job_id=failure.job_id and self.text(failure.job_id),
            url=failure.url and self.text(failure.url),
            revised_prompt=failure.revised_prompt and self.text(failure.revised_prompt),
            picture_url=self._unless_secret(failure.picture_url),
        )

    def call(self, call: Call) -> Call:
        answer = clean(self.text(call.answer, MOST_CLEANED_LETTERS))[:MOST_RESPONSE_LETTERS]
        return replace(call, answer=answer, reason=self.text(call.reason))

    def result(self, result: GenerationResult) -> GenerationResult:
        return replace(
            result,
            received=tuple(
                replace(
                    one,
                    revised_prompt=one.revised_prompt and self.text(one.revised_prompt),
                    source_url=one.source_url and self.text(one.source_url),
                )
                for one in result.received
            ),
            item_errors=tuple(self.failure(one) for one in result.item_errors),
        )

    def _unless_secret(self, url: str | None) -> str | None:
        """Return an address that must stay whole to be of use; None where a secret is in it."""
        return url if url and self.text(url) == url else None

    def _found_in(self, text: str) -> Iterator[tuple[int, int]]:
        last, slices = len(text) - SLICE + 1, self._slices
        start = end = 0
        for at in [at for at in range(last) if text[at : at + SLICE] in slices]:
            if at > end and end:
                yield start, end
            start, end = at if at > end else start, at + SLICE
        if end:
            yield start, end
        for piece in self._others:
            at = text.find(piece)
            while at >= 0:
                yield at, at + len(piece)
                at = text.find(piece, at + 1)
        for run in _HEX.finditer(text):
            for at in range(run.start(), run.end() - HEX_SLICE + 1):
                if text[at : at + HEX_SLICE].lower() in self._hex:
                    yield at, at + HEX_SLICE


def _read(text: str) -> tuple[str, list[int], list[int]]:
    """Undo escapes and leave blanks out; return where in `text` each letter begins and ends."""
    parts, starts, ends, at = list[str](), list[int](), list[int](), 0
    for found in _SPELLED.finditer(text):
        parts.append(text[at : found.start()])
        starts.extend(range(at, found.start()))
        ends.extend(range(at + 1, found.start() + 1))
        at = found.end()
        digits = found['json'] or found['url'] or found['html']
        if digits or found['decimal']:
            parts.append(chr(int(digits, 16) if digits else int(found['decimal'])))
            starts.append(found.start())
            ends.append(at)
    parts.append(text[at:])
    starts.extend(range(at, len(text)))
    ends.extend(range(at + 1, len(text) + 1))
    return ''.join(parts), starts, ends


def _secrets_of(settings: ProviderSettings) -> Iterator[str]:
    """Yield the key, headers and values of the address's query that may be secret."""
    yield settings.key or ''
    for name, value in settings.headers:
        words = _words_of(name)
        is_word = len(value) < LONGEST_WORD and not any(map(_is_secret, words))
        if not is_word and not _is_harmless(words) and not _ORIGIN.fullmatch(value):
            yield value
    for name, value in parse_qsl(urlsplit(settings.base_url).query):
        if not _is_harmless(_words_of(name)):
            yield value


def _words_of(name: str) -> list[str]:
    """Return the words of a header's name: `x`, `api` and `key` of `X-ApiKey`."""
    return [word.lower() for word in _NAME_WORD.findall(name)]


def _is_harmless(words: list[str]) -> bool:
    return bool(words) and words[-1] in HARMLESS and not any(map(_is_secret, words))


def _is_secret(word: str) -> bool:
    is_one = word in SECRET_WORDS or word.startswith(SECRET_STARTS) or word.endswith(SECRET_ENDS)
    return is_one and word not in BY_CHANCE


def _pieces(secret: str) -> Iterator[str]:
    """Cut a secret, in each spelling, into all its slices; an address is only one as a whole."""
    if _ADDRESS.fullmatch(secret):
        yield secret
        origin = _ORIGIN.match(secret)
        secret = secret[origin.end() :] if origin else ''
        if len(secret) < SHORTEST:
            return
    spellings, content = {secret, secret[::-1]}, secret.encode()
    for before, shared in ((0, 0), (1, 2), (2, 3)):  # base64 behind other bytes, whose letters go
        written = base64.b64encode(bytes(before) + content).decode().rstrip('=')
        own = written[shared : (before + len(content)) * 8 // 6]
        spellings |= {own, own.replace('+', '-').replace('/', '_')}
    for spelling in spellings:
        yield from _slices(spelling, SLICE)


def _slices(text: str, most: int) -> Iterator[str]:
    length = min(most, len(text))
    yield from (text[at : at + length] for at in range(len(text) - length + 1))

"""Redaction of a provider's secrets in what it answers: some repeat the key that they refuse."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from app.errors import Failure
from app.models import Call, GenerationResult
from app.providers.core.base import ProviderSettings
from app.providers.response.messages import MOST_CLEANED_LETTERS, clean, scrub

SLICE = 8  # letters of a secret in a row that are not shown
SHORTEST = 6  # what is shorter is a word like any other
MOST_RESPONSE_LETTERS = 20_000
INSTEAD = '…'

_ORIGIN = re.compile(r'(?i)[a-z][a-z0-9+.-]*://[^/?#@]*/?')  # as in `Referer`
_REPEATED = re.compile(f'{INSTEAD}{{2,}}')


class SecretRedactor:
    """Replaces every piece of a secret, also backwards, percent-encoded and in base64.

    All texts are redacted whole and only then cleaned and shortened: half a secret, which a cut or
    a pattern leaves behind, would not be recognised.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        given = [settings.key or '', *(value for _, value in settings.headers)]
        secrets = [one for one in given if len(one) >= SHORTEST and not _ORIGIN.fullmatch(one)]
        self._pieces = {piece for one in secrets for piece in _pieces(one)}
        self._lengths = sorted({len(piece) for piece in self._pieces}, reverse=True)

    def text(self, text: str, most: int = sys.maxsize) -> str:
        """Return the first `most` characters of `text`, every secret replaced by `…`."""
        shown = text[:most]
        if not self._pieces:
            return shown
        hidden = bytearray(len(shown))
        for length in self._lengths:
            for at in range(len(shown) - length + 1):
                if shown[at : at + length] in self._pieces:
                    hidden[at : at + length] = b'\1' * length
        if len(shown) < len(text):  # its last characters may begin a piece that the cut ends
            shown = shown[: 1 - self._lengths[0]]
        if not any(hidden):
            return shown
        letters = (INSTEAD if hide else sign for sign, hide in zip(shown, hidden, strict=False))
        return _REPEATED.sub(INSTEAD, ''.join(letters))

    def failure(self, failure: Failure) -> Failure:
        """Return a failure whose texts may be shown, its words on one line and short."""
        return replace(
            failure,
            words=scrub(self.text(failure.words, MOST_CLEANED_LETTERS)),
            reason=self.text(failure.reason),
            param=failure.param and self.text(failure.param),
            job_id=failure.job_id and self.text(failure.job_id),
            url=failure.url and self.text(failure.url),
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


def _pieces(secret: str) -> Iterator[str]:
    """Cut a secret, in each spelling, into all its slices; an address is only one as a whole."""
    if '://' in secret:
        yield secret
        return
    spellings, content = {secret, secret[::-1], quote(secret, safe='')}, secret.encode()
    for before, shared in ((0, 0), (1, 2), (2, 3)):  # base64 behind other bytes, whose letters go
        written = base64.b64encode(bytes(before) + content).decode().rstrip('=')
        own = written[shared : (before + len(content)) * 8 // 6]
        spellings |= {own, own.replace('+', '-').replace('/', '_')}
    for spelling in spellings:
        length = min(SLICE, len(spelling))
        yield from (spelling[at : at + length] for at in range(len(spelling) - length + 1))

"""Keeps a provider's secrets out of what it answers: some repeat the key that they refuse."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote

from app.errors import Failure
from app.models import Call, GenerationResult, Received
from app.providers.core.base import ProviderSettings

SLICE = 8  # letters of a secret in a row that are not shown
SHORTEST = 6  # what is shorter is a word like any other
INSTEAD = '…'


class SecretRedactor:
    """Replaces every piece of a secret, also backwards, percent-encoded and in base64."""

    def __init__(self, settings: ProviderSettings) -> None:
        given = [settings.key or '', *(value for _, value in settings.headers)]
        secrets = [one for one in given if len(one) >= SHORTEST and '://' not in one]
        self._pieces = {piece for one in secrets for piece in _pieces(one)}
        self._lengths = sorted({len(piece) for piece in self._pieces}, reverse=True)

    def text(self, text: str) -> str:
        """Give a text without them."""
        if not self._pieces:
            return text
        hidden = bytearray(len(text))
        for length in self._lengths:
            for at in range(len(text) - length + 1):
                if text[at : at + length] in self._pieces:
                    hidden[at : at + length] = b'\1' * length
        if not any(hidden):
            return text
        shown = (INSTEAD if hide else sign for sign, hide in zip(text, hidden, strict=True))
        return _once(''.join(shown))

    def failure(self, failure: Failure) -> Failure:
        """Give a failure without them."""
        return replace(
            failure,
            words=self.text(failure.words),
            reason=self.text(failure.reason),
            param=self._maybe(failure.param),
            job_id=self._maybe(failure.job_id),
            url=self._maybe(failure.url),
        )

    def attempt(self, attempt: Call) -> Call:
        """Give a call whose answer is without them."""
        return replace(attempt, answer=self.text(attempt.answer), reason=self.text(attempt.reason))

    def answer(self, answer: GenerationResult) -> GenerationResult:
        """Give an answer whose texts are without them."""
        return replace(
            answer,
            received=tuple(self._received(one) for one in answer.received),
            item_errors=tuple(self.failure(one) for one in answer.item_errors),
        )

    def _received(self, received: Received) -> Received:
        return replace(
            received,
            revised_prompt=self._maybe(received.revised_prompt),
            source_url=self._maybe(received.source_url),
        )

    def _maybe(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)


def _pieces(secret: str) -> Iterator[str]:
    """Cut a secret, in each spelling, into all its slices."""
    for spelling in {secret, secret[::-1], quote(secret, safe=''), *_in_base64(secret)}:
        length = min(SLICE, len(spelling))
        yield from (spelling[at : at + length] for at in range(len(spelling) - length + 1))


def _in_base64(secret: str) -> Iterable[str]:
    """Write it in base64 as it stands behind any number of other bytes, what those share left out.

    A user's name before it, as in `Authorization: Basic`, shifts the letters.
    """
    content = secret.encode()
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        written = base64.b64encode(bytes(before) + content).decode().rstrip('=')
        own = written[shared : (before + len(content)) * 8 // 6]
        yield own
        yield own.replace('+', '-').replace('/', '_')


def _once(text: str) -> str:
    while INSTEAD * 2 in text:
        text = text.replace(INSTEAD * 2, INSTEAD)
    return text

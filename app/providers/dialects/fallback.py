"""What to ask next after a refusal that names a field: each rung once, and only then.

Nothing else is ever asked twice: a call that timed out, or broke, may have been paid for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from app.errors import ErrorKind, Failure
from app.models import REQUEST_FIELDS, GenerationRequest
from app.providers.core.capabilities import ABSENT, Learned, with_refused

FORMAT = 'response_format'
GUIDANCE = 'guidance_scale'
STREAM = ('stream', 'partial_images')
FORMATS = (ABSENT, 'b64_json', 'url')
KEPT = ('model', 'prompt', 'messages', 'override_settings')
_OF_A_VALUE = re.compile(
    r'invalid value|must be|should be|at (least|most)|too (small|large|high|low|many)|m(in|ax)imum|'
    r'one of|between|multiple|not a valid|not valid|out of range',
    re.IGNORECASE,
)
_OF_A_NAME = re.compile(
    r'unknown|unhandled|unrecogni|unexpected|not supported|unsupported|not permitted|extra',
    re.IGNORECASE,
)
MOST_VALUE_LETTERS = 40
MOST_DROPS = 2  # some servers name one field at a time: after this many, only what must be is sent
Teach = Callable[[Learned], None]


class ParameterFallback:
    """The body of one ask, and how it changes with what is refused.

    Attributes:
        wished: What the ask comes to.
        body: What of it to send now.
        refused: Fields that were sent and that the server does not take, by their wire names.
    """

    def __init__(
        self, body: dict[str, object], learned: Learned, teach: Teach = lambda _: None
    ) -> None:
        self.wished = dict(body)
        self.body = {
            name: value
            for name, value in body.items()
            if name in KEPT or not {name, as_fact(name, value)} & {*learned.refused}
        }
        self.refused: list[str] = []
        self._facts: list[str] = []
        self._moved_formats = False
        self._learned = learned
        self._teach = teach
        if GUIDANCE in self.body and learned.guidance == 'float':
            self.body[GUIDANCE] = float(str(self.body[GUIDANCE]))
        self._set_format(self._first_format())
        self._tried = {self._format}

    @property
    def dropped(self) -> tuple[str, ...]:
        """Fields that were wished for and are not sent, or not as wished."""
        return tuple(
            name
            for name, value in self.wished.items()
            if name not in STREAM and (name not in self.body or self.body[name] != value)
        )

    def mend(self, failure: Failure) -> bool:
        """Change the body after a refusal; False when there is nothing to change.

        A refusal may come only after the picture was made, so what it teaches is told at once.
        """
        is_mended = self._mend(failure)
        if is_mended:
            self._teach(self.learned())
        return is_mended

    def learned(self) -> Learned:
        """Say what this ask has taught, once it was answered."""
        found = with_refused(self._learned, self._facts)
        if self._moved_formats:
            past = [f'{FORMAT}={one}' for one in self._tried - {self._format}]
            found = replace(with_refused(found, sorted(past)), response_format=self._format)
        guidance = self.body.get(GUIDANCE)
        if isinstance(guidance, float) and isinstance(self.wished.get(GUIDANCE), int):
            found = replace(found, guidance='float')
        return found

    def _mend(self, failure: Failure) -> bool:
        name = failure.param
        if failure.kind is not ErrorKind.UNSUPPORTED_PARAM or name is None:
            return False
        if name == FORMAT:
            return self._next_format()
        if name not in self.body or name in KEPT:
            return False
        value = self.body[name]
        if name == GUIDANCE and isinstance(value, int):
            self.body[GUIDANCE] = float(value)
            return True
        if _OF_A_VALUE.search(failure.words) and not _OF_A_NAME.search(failure.words):
            self._facts.append(as_fact(name, value))
        else:
            self._facts += STREAM if name in STREAM else (name,)
        self._drop(*(STREAM if name in STREAM else (name,)))
        return True

    @property
    def _format(self) -> str:
        return str(self.body.get(FORMAT, ABSENT))

    def _first_format(self) -> str:
        wished = str(self.wished.get(FORMAT, ABSENT))
        if f'{FORMAT}={wished}' in self._learned.refused and self._learned.response_format:
            return self._learned.response_format
        return wished

    def _set_format(self, form: str) -> None:
        self.body.pop(FORMAT, None)
        if form != ABSENT:
            self.body[FORMAT] = form

    def _next_format(self) -> bool:
        left = [form for form in FORMATS if form not in self._tried]
        if not left:
            return False
        self._set_format(left[0])
        self._tried.add(left[0])
        self._moved_formats = True
        return True

    def _drop(self, *names: str) -> None:
        self.refused += [name for name in names if name in self.body]
        self.body = {name: value for name, value in self.body.items() if name not in names}
        if len([name for name in self.refused if name not in STREAM]) > MOST_DROPS:
            spared = (*KEPT, *([FORMAT] if self._moved_formats else []))
            self.body = {name: value for name, value in self.body.items() if name in spared}


def as_fact(name: str, value: object) -> str:
    """Say that one value of a field is meant, in one word: a size that is refused is not all."""
    return f'{name}={"_".join(str(value).split())[:MOST_VALUE_LETTERS]}'


def unspoken(request: GenerationRequest, spoken: tuple[str, ...]) -> list[str]:
    """Return the names of the chosen fields that a dialect has no words for."""
    besides = [name for name in REQUEST_FIELDS if name not in ('prompt', 'provider', *spoken)]
    return [name for name in besides if getattr(request, name) not in (None, '', 1)]

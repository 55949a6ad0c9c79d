"""What to ask next after a refusal that names a field: each rung once, and only then.

Nothing else is ever asked twice: a call that timed out, or broke, may have been paid for.
"""

from __future__ import annotations

import re
from dataclasses import replace

from app.errors import ErrorKind, Failure
from app.providers.core.capabilities import ABSENT, Learned, with_refused

FORMAT = 'response_format'
GUIDANCE = 'guidance_scale'
STREAM = ('stream', 'partial_images')
FORMATS = (ABSENT, 'b64_json', 'url')
KEPT = ('model', 'prompt', 'messages', 'override_settings')
_OF_A_VALUE = re.compile(
    r'(?i)invalid value|must be|should be|at (least|most)|too (small|large|high|low|many)|'
    r'm(in|ax)imum|one of|between|multiple|not a valid|not valid|out of range'
)
_OF_A_NAME = re.compile(
    r'(?i)unknown|unhandled|unrecogni|unexpected|not supported|unsupported|not permitted|extra'
)
MOST_VALUE_LETTERS = 40
MOST_DROPS = 2  # some servers name one field at a time: after this many, only what must be is sent


class ParameterFallback:
    """The body of one ask, and how it changes with what is refused.

    Attributes:
        wished: What the ask comes to.
        body: What of it to send now.
        refused: Fields that were sent and that the server does not take, by their wire names.
    """

    def __init__(self, body: dict[str, object], learned: Learned) -> None:
        self.wished = dict(body)
        self.body = {
            name: value
            for name, value in body.items()
            if name in KEPT or not {name, as_fact(name, value)} & {*learned.refused}
        }
        self.refused: list[str] = []
        self._facts: list[str] = []
        self._tried: list[str] = []  # formats, the last of which is sent
        self._learned = learned
        if GUIDANCE in self.body and learned.guidance == 'float':
            self.body[GUIDANCE] = float(str(self.body[GUIDANCE]))
        wished = str(body.get(FORMAT, ABSENT))
        is_refused = f'{FORMAT}={wished}' in learned.refused
        self._set_format((is_refused and learned.response_format) or wished)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Fields that were wished for and are not sent, or not as wished."""
        return tuple(
            name
            for name, value in self.wished.items()
            if name not in STREAM and (name not in self.body or self.body[name] != value)
        )

    def learned(self) -> Learned:
        """Return what is known after the refusals so far, whatever becomes of the next call."""
        found = with_refused(self._learned, self._facts)
        *past, form = self._tried
        if past:
            facts = sorted(f'{FORMAT}={one}' for one in past)
            found = replace(with_refused(found, facts), response_format=form)
        guidance = self.body.get(GUIDANCE)
        if isinstance(guidance, float) and isinstance(self.wished.get(GUIDANCE), int):
            found = replace(found, guidance='float')
        return found

    def mend(self, failure: Failure) -> bool:
        """Change the body after a refusal; return False when there is nothing to change."""
        name = failure.param
        if failure.kind is not ErrorKind.UNSUPPORTED_PARAM or name is None:
            return False
        if name == FORMAT:
            left = [form for form in FORMATS if form not in self._tried]
            if left:
                self._set_format(left[0])
            return bool(left)
        if name not in self.body or name in KEPT:
            return False
        value = self.body[name]
        if name == GUIDANCE and isinstance(value, int):
            self.body[GUIDANCE] = float(value)
            return True
        names = STREAM if name in STREAM else (name,)
        if _OF_A_VALUE.search(failure.words) and not _OF_A_NAME.search(failure.words):
            self._facts.append(as_fact(name, value))
        else:
            self._facts += names
        self.refused += [name for name in names if self.body.pop(name, None) is not None]
        if len([name for name in self.refused if name not in STREAM]) > MOST_DROPS:
            spared = (*KEPT, *([FORMAT] if len(self._tried) > 1 else []))
            self.body = {name: value for name, value in self.body.items() if name in spared}
        return True

    def _set_format(self, form: str) -> None:
        self._tried.append(form)
        self.body.pop(FORMAT, None)
        if form != ABSENT:
            self.body[FORMAT] = form


def as_fact(name: str, value: object) -> str:
    """Return one word for one value of a field: a size that is refused is not all."""
    return f'{name}={"_".join(str(value).split())[:MOST_VALUE_LETTERS]}'

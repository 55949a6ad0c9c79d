"""The loop that every dialect shares: call, collect the pictures, mend what is refused.

After a refusal that names a field the next body is without it: each step once, and only then.
Nothing else is ever asked twice: a call that timed out, or broke, may have been paid for.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from app.errors import ErrorKind, Failure
from app.models import GenerationRequest, GenerationResult
from app.providers.core.base import Run
from app.providers.core.capabilities import ABSENT, Capabilities, with_refused
from app.providers.response.parser import ApiResponse
from app.providers.transport.caller import Caller
from app.providers.transport.collect import ImageCollector

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
EMPTY: Mapping[str, object] = MappingProxyType({})
MOST_VALUE_LETTERS = 40
MOST_DROPS = 2  # some servers name one field at a time: after this many, only what must be is sent


class ApiDialect(ABC):
    """One kind of API: which body it takes, and how a call is made."""

    unsupported: ClassVar[tuple[str, ...]] = ()  # fields that this API has no name for
    names: ClassVar[Mapping[str, str]] = {}  # fields by their names on the wire; empty: not ours

    # by name on the wire, what to send in the place of another value that was refused
    second_values: ClassVar[Mapping[str, object]] = {}

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        self._caller = caller
        self._collector = collector

    @abstractmethod
    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
        """Build the whole body of a request."""

    @abstractmethod
    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        """Send what `fallback` has left of the body; raises as `Caller.post` does."""

    def unused(self, request: GenerationRequest) -> list[str]:
        """Return the fields of a request that this API does not take."""
        return [name for name in self.unsupported if getattr(request, name) not in (None, '', 1)]

    async def finished(self, promise: ApiResponse, run: Run, base_url: str) -> ApiResponse | None:
        """Return the response of the job that a response promises, None where there is none."""
        return None

    async def generate(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> GenerationResult:
        """Call until pictures come or the refusal is final; raise it, with no file left behind."""
        while True:
            response = await self.post(fallback, request, run, base_url)
            result = await self._collector.collect(response, run)
            if result is None and response.is_success:
                waiting = _told(run) if response.cost else run
                finished = await self.finished(response, waiting, base_url)
                if finished:
                    finished = replace(finished, cost=finished.cost or response.cost)
                    response, result = finished, await self._collector.collect(finished, run)
            if result:
                dropped = (
                    *self.unused(request),
                    *(self.names.get(name, name) for name in fallback.dropped),
                )
                return replace(result, dropped=tuple(dict.fromkeys(filter(None, dropped))))
            refused = self._caller.refused(response, fallback.wished)
            if not fallback.mend(refused.failure):
                raise refused


def _told(run: Run) -> Run:
    """Return a run for calls that repeat a cost which an earlier one has told."""
    return replace(run, tried=lambda call: run.tried(replace(call, cost=None)))


def filled(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that hold something: nothing empty is sent, and no null."""
    return {name: value for name, value in fields.items() if value not in (None, '')}


def number(text: str | None) -> int | float | None:
    """Parse a number as it was typed: `7` is an int, `7.0` is not."""
    value: int | float | None = json.loads(text) if text else None
    return value


class ParameterFallback:
    """The body of one ask, and how it changes with what is refused."""

    def __init__(
        self,
        body: dict[str, object],
        learned: Capabilities,
        second_values: Mapping[str, object] = EMPTY,
    ) -> None:
        self.wished = dict(body)
        self.body = {  # what of it to send now
            name: value
            for name, value in body.items()
            if name in KEPT or not {name, as_fact(name, value)} & {*learned.refused}
        }
        self._second_values = second_values
        for name, value in second_values.items():
            if name in self.wished and as_fact(name, self.wished[name]) in learned.refused:
                self.body[name] = value
        self.refused: list[str] = []  # by their names on the wire
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

    def learned(self) -> Capabilities:
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
        if value != self._second_values.get(name, value):
            self._facts.append(as_fact(name, value))
            self.body[name] = self._second_values[name]
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

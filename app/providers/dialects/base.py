"""The loop that every dialect shares: call, collect the pictures, mend what is refused.

After a refusal that names a field the next body is without it: each step once, and only then.
Nothing else is ever asked twice: a call that timed out, or broke, may have been paid for.
"""

from __future__ import annotations

import json
import math
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.models import GenerationResult
from app.models.request import GenerationRequest
from app.providers.core.base import MASK_FIELDS, PICTURE_FIELDS, WIRE_NAMES, Run
from app.providers.core.capabilities import ABSENT, Capabilities, with_refused
from app.providers.response.images import MOST_ITEMS
from app.providers.response.parser import ApiResponse
from app.providers.transport.caller import Caller
from app.providers.transport.collect import ImageCollector

FORMAT = 'response_format'
GUIDANCE = 'guidance_scale'
STREAM = ('stream', 'partial_images')
FORMATS = (ABSENT, 'b64_json', 'url')
INSTEAD = '→'  # in a fact, before the value that was taken
MOST_GROWTH = 1.1  # times the pixels that were wished for: sides are rounded
QUICK_S = 2.0  # within this no picture is drawn: a fault that comes so soon did no work
_OF_A_STREAM = re.compile(
    r'(?i)stream|attribute|json|serializ|iterab|unexpected|NoneType|pars(e|ing)|decod|chunk'
)
KEPT = ('model', 'prompt', 'messages', 'override_settings', *PICTURE_FIELDS)
SPARED = (*KEPT, *MASK_FIELDS)  # are left when all else that is wished for is left out
EMPTY: Mapping[str, object] = MappingProxyType({})
MOST_VALUE_LETTERS = 40
MOST_DROPS = 2  # some servers name one field at a time: after this many, only what must be is sent


class ApiDialect(ABC):
    """One kind of API: which body it takes, and how a call is made."""

    unsupported: ClassVar[tuple[str, ...]] = ()  # fields that this API has no name for
    alike: ClassVar[int] = MOST_ITEMS  # so many pictures of one answer may be the same
    names: ClassVar[Mapping[str, str]] = WIRE_NAMES  # our fields by theirs; empty: not ours
    # by name on the wire, what to send in the place of another value that was refused
    second_values: ClassVar[Mapping[str, object]] = {}

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        self._caller = caller
        self._collector = collector

    @abstractmethod
    async def body(self, request: GenerationRequest, run: Run, base_url: str) -> dict[str, object]:
        """Build the whole body of a request, and of what it starts from (`run.edit`)."""

    def fallback(self, body: dict[str, object], learned: Capabilities) -> ParameterFallback:
        return ParameterFallback(body, learned, self.second_values)

    @abstractmethod
    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        """Send what `fallback` has left of the body; raises as `Caller.post` does."""

    def unused(self, request: GenerationRequest, run: Run) -> list[str]:
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
            began_s = time.monotonic()
            response = await self.post(fallback, request, run, base_url)
            result = await self._collector.collect(response, run, self.alike)
            if result is None and response.is_success:
                waiting = _told(run) if response.cost else run
                finished = await self.finished(response, waiting, base_url)
                if finished:
                    response = replace(finished, cost=finished.cost or response.cost)
                    result = await self._collector.collect(response, run, self.alike)
            if result:
                dropped = (
                    *self.unused(request, run),
                    *(self.names.get(name, name) for name in fallback.dropped),
                )
                return replace(result, dropped=tuple(dict.fromkeys(filter(None, dropped))))
            refused = self._caller.refused(response, fallback.wished)
            took_s = time.monotonic() - began_s
            if not (
                fallback.mend(refused.failure) or fallback.mend_stream(refused.failure, took_s)
            ):
                if fallback.blames_stream:
                    failure = replace(refused.failure, reason=Reason.PREVIEWS_WERE_ON)
                    raise ProviderError(failure, *refused.others)
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
        self.body = dict(body)  # what of it to send now
        self._second_values = second_values
        self.blames_stream = False  # whether previews made it fail after it may have worked
        self.refused: list[str] = []  # by their names on the wire
        self._wishes: set[str] = set()  # that were refused
        self._fitted: set[str] = set()  # wishes that are sent with another value
        self._facts: list[str] = []
        self._tried: list[str] = []  # formats, the last of which is sent
        self._learned = learned
        self._leave_out_known()
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
            self._facts.append(self._fact_of(name))
            self.body[name] = self._second_values[name]
            return True
        if failure.offers and failure.reason in (Reason.SIZE, Reason.COUNT):
            if (failure.http_status or 0) >= 500:  # it may have worked: the person chooses
                return False
            if self._fit(name, failure):
                return True
        self._drop(name, failure)
        return True

    def mend_stream(self, failure: Failure, took_s: float) -> bool:
        """Leave previews out after a fault that came too soon for a picture, in seconds.

        Gateways that only pass pictures on fail of a stream, with no word of it. Where that took
        its time the picture may have been paid for: then it is left out of the next ask.
        """
        if failure.kind is not ErrorKind.UPSTREAM_ERROR or failure.http_status != 500:
            return False
        if 'stream' not in self.body:  # nor did it help to leave it out
            self._facts = [fact for fact in self._facts if fact not in STREAM]
            return False
        is_quick = took_s <= QUICK_S
        self.blames_stream = not is_quick and _OF_A_STREAM.search(failure.words) is not None
        if is_quick:
            self._drop('stream', failure)
        elif self.blames_stream:
            self._facts += self._same_wish('stream')
        return is_quick

    def _leave_out_known(self) -> None:
        """Take out of the body what is known to be refused, or put in what was taken instead."""
        instead = dict(fact.split(INSTEAD, 1) for fact in self._learned.refused if INSTEAD in fact)
        for name in self.wished:
            if name in KEPT or name not in self.body:
                continue
            fact = self._fact_of(name)
            second = self._second_values.get(name)
            is_second = fact in self._learned.refused and second is not None
            if fact in instead:
                self._set(name, instead[fact])
            elif is_second and as_fact(name, second) not in self._learned.refused:
                self.body[name] = second
            elif {name, fact, as_fact(name, self.wished[name])} & {*self._learned.refused}:
                for one in self._same_wish(name):
                    del self.body[one]

    def _fit(self, name: str, failure: Failure) -> bool:
        """Send the nearest value that is taken, once; none that is larger: that may cost more."""
        wish, offer = WIRE_NAMES.get(name, name), failure.offers[0]
        if wish in self._fitted or _amount(offer) > MOST_GROWTH * _amount(failure.value):
            return False
        self._fitted.add(wish)
        self._facts.append(f'{self._fact_of(name)}{INSTEAD}{offer}')
        self._set(name, offer)
        return True

    def _set(self, name: str, offer: str) -> None:
        """Send another value for a wish, in the fields and the types that it was sent in."""
        width, _, height = offer.partition('x')
        for one in self._same_wish(name):
            side = {'width': width, 'height': height}.get(one, offer)
            self.body[one] = int(side) if isinstance(self.wished[one], int) else side

    def _drop(self, name: str, failure: Failure) -> None:
        names = self._same_wish(name)
        self._wishes.add(WIRE_NAMES.get(name, name))
        self._facts = [
            fact for fact in self._facts if not fact.startswith(f'{self._fact_of(name)}{INSTEAD}')
        ]
        self._facts += [self._fact_of(name)] if failure.value else names
        self.refused += names
        for one in names:
            del self.body[one]
        if len(self._wishes - {*STREAM}) > MOST_DROPS:
            spared = (*SPARED, *([FORMAT] if len(self._tried) > 1 else []))
            self.body = {one: value for one, value in self.body.items() if one in spared}

    def _same_wish(self, name: str) -> tuple[str, ...]:
        """Return the fields in the body that are one wish with a field, which is among them."""
        wish = WIRE_NAMES.get(name, name)
        return tuple(
            one
            for one in self.body
            if WIRE_NAMES.get(one, one) == wish or (one in STREAM and name in STREAM)
        )

    def _fact_of(self, name: str) -> str:
        """Return one word for what was wished in a field: a size that is refused is not all."""
        width, height = self.wished.get('width'), self.wished.get('height')
        if name in ('width', 'height') and width and height:
            return as_fact('size', f'{width}x{height}')
        return as_fact(name, self.wished[name])

    def _set_format(self, form: str) -> None:
        self._tried.append(form)
        self.body.pop(FORMAT, None)
        if form != ABSENT:
            self.body[FORMAT] = form


def _amount(value: str) -> int:
    """Return the pixels of a size, or a number."""
    return math.prod(map(int, value.split('x')))


def as_fact(name: str, value: object) -> str:
    """Return one word for one value of a field."""
    return f'{name}={"_".join(str(value).split())[:MOST_VALUE_LETTERS]}'

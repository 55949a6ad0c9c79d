"""Parser of a response's text: JSON, JSON lines, server-sent events, or a bare picture."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.cost import Cost
from app.providers.response.events import Events, Values, events_in
from app.providers.response.images import is_picture
from app.providers.response.json_text import Json, TooManyValues, loads
from app.providers.response.stream import ResponseStream

_STREAM = re.compile(r'(data|event|id|retry)?:')
_LINE = re.compile(r'[^\r\n]++')
_BARE = re.compile(r'(?i)https?://\S+|data:image/\S+')


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response that came whole."""

    status: int
    headers: Mapping[str, str]
    text: str  # the body, a mark in the place of each picture
    tree: Json  # the text as JSON, None where it is none
    stream: ResponseStream  # the pictures of the body
    cost: Cost | None = None  # as it says itself

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def parse(skeleton: str, events: Events | None = None) -> Json:
    """Parse JSON, or of lines or events what holds pictures; raise ValueError, or Cut of events.

    `events` are those that were read while the text came.
    """
    text = skeleton.strip()
    try:
        return loads(text)
    except ValueError as error:
        if _BARE.fullmatch(text) or is_picture(text):
            return text
        if _STREAM.match(text):
            return events.tree() if events and events.is_stream else events_in(text)
        values, is_cut = Values(), False
        for line in _LINE.finditer(text):
            value = _container_in(line[0])
            is_cut = value is None and line[0].lstrip().startswith(('{', '['))
            if value is not None:
                values.add(value)
        if not values.count and not isinstance(error, TooManyValues):
            for value in _in_a_row(text):
                values.add(value)
        drawn = values.drawn()
        if not drawn and (not values.has_final or is_cut):
            raise
        return drawn or values.final


def _container_in(line: str) -> Json:
    """Parse one of JSON lines; None for what is no object and no list, and for one that is cut."""
    try:
        value = loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def _in_a_row(text: str) -> Iterator[Json]:
    """Parse JSON behind JSON, to where there is none."""
    at_letter, read = 0, json.JSONDecoder(strict=False).raw_decode
    with contextlib.suppress(ValueError, RecursionError):
        while at_letter < len(text):
            value, at_letter = read(text, at_letter)
            if not isinstance(value, dict | list):
                return
            yield value

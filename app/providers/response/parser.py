"""Parser of a response's text: JSON, JSON lines, server-sent events, or a bare picture.

Events are also read while they come, for previews, and to see where the stream may be left.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import Json, at, find_items, is_picture, loads, trouble_in
from app.providers.response.messages import failed_in_success
from app.providers.response.stream import ResponseStream

DONE = '[DONE]'
EVENT_END = r'(?>\r\n|\r|\n){2}'
MOST_VALUES = 10_000  # of lines or events; the last ones say what it comes to
PREVIEWS = ('partial', 'preview')

_STREAM = re.compile(r'(data|event|id|retry)?:')
_LINE_END = re.compile(r'\r\n|\r|\n')
_EVENT_END = re.compile(EVENT_END.encode())
_STARTS = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:')
_ONE_OF_SEVERAL = ('partial_succeeded', 'partial_failed')  # Seedream's names; more may come
_ENDS = ('error', 'response.failed', 'image_generation.failed')
_BARE = re.compile(r'(?i)https?://\S+|data:image/\S+')


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response that came whole."""

    status: int
    headers: Mapping[str, str]
    text: str  # the body, a mark in the place of each picture
    tree: Json  # the text as JSON, None where it is none
    stream: ResponseStream  # the pictures of the body

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Cut(ValueError):
    """A stream of events ended before the picture came."""


def parse(skeleton: str) -> Json:
    """Parse JSON, or of lines or events what holds pictures; raise ValueError, or Cut of events."""
    text = skeleton.strip()
    try:
        return loads(text)
    except ValueError as error:
        if _BARE.fullmatch(text) or is_picture(text):
            return text
        is_stream = bool(_STREAM.match(text))
        values = list(deque(_events(text) if is_stream else _lines(text), MOST_VALUES))
        finals = [value for value in values if not is_partial(value)]
        drawn = _drawn(finals)
        if drawn:
            return drawn
        if not finals or _is_cut(text, is_stream=is_stream):
            if is_stream:
                raise Cut('only previews came' if values else 'no event is whole') from error
            raise
    return next((value for value in reversed(finals) if failed_in_success(value)), finals[-1])


def _drawn(finals: list[Json]) -> list[Json]:
    """Return what holds pictures, and what tells of those that were lost beside them."""
    deltas = [at(value, 'choices', 0, 'delta', 'content') for value in finals]
    pieces = [piece for piece in deltas if isinstance(piece, str)]
    if len(pieces) > 1:  # a chat that came word by word
        finals.append({'choices': [{'message': {'content': ''.join(pieces)}}]})
    drawn = [value for value in finals if find_items(value)]
    lost = [value for value in finals if trouble_in(value) and not find_items(value)]
    return [*drawn, *lost] if drawn else []


def payloads(event: str) -> Iterator[Json]:
    """Parse the data of one event; of what is no JSON, the text of an error is kept."""
    name, data = '', list[str]()
    for line in _LINE_END.split(event.removeprefix('\ufeff')):
        field, _, value = line.partition(':')
        if field == 'data':
            data.append(value.removeprefix(' '))
        elif field == 'event':
            name = value.strip()
    payload = '\n'.join(data)
    if payload.strip() == DONE:
        yield DONE
    elif payload.strip():
        try:
            yield _named(loads(payload), name)
        except ValueError:
            if name == 'error':
                yield {'error': payload.strip()}


def is_partial(value: Json) -> bool:
    """Check whether an event holds a preview and not a finished picture."""
    kind = at(value, 'type')
    return isinstance(kind, str) and (kind in PREVIEWS or kind.endswith('partial_image'))


def _named(value: Json, name: str) -> Json:
    if name == 'error' and not at(value, 'error'):
        return {'error': value}
    return {'type': name, **value} if name and isinstance(value, dict) else value


def _lines(text: str) -> Iterator[Json]:
    """Parse JSON lines, or JSON after JSON; the last may be cut, and others may be no JSON."""
    found = False
    for line in _LINE_END.split(text):
        with contextlib.suppress(ValueError):
            value = loads(line)
            if isinstance(value, dict | list):
                found = True
                yield value
    at_letter, read = 0, json.JSONDecoder(strict=False).raw_decode
    with contextlib.suppress(ValueError, RecursionError):
        while not found and at_letter < len(text):
            value, at_letter = read(text, at_letter)
            if not isinstance(value, dict | list):
                return
            yield value


def _events(text: str) -> Iterator[Json]:
    for event in re.split(EVENT_END, text):
        yield from (value for value in payloads(event) if value != DONE)


def _is_cut(text: str, *, is_stream: bool) -> bool:
    """Check whether the last event or JSON line says something that is not whole."""
    if is_stream:
        last = re.split(EVENT_END, text)[-1]
        return bool(re.search(r'^data: ?[\[{"]', last, re.MULTILINE)) and not list(payloads(last))
    last = _LINE_END.split(text)[-1].strip()
    try:
        loads(last)
    except ValueError:
        return last.startswith(('{', '['))
    return False


class Events:
    """Reads each event of one response as soon as it is whole."""

    def __init__(self, stream: ResponseStream, run: Run, count: int) -> None:
        self._stream = stream
        self._run = run
        self._missing = count
        self._read_to = 0
        self.end: int | None = None  # of the last event that counts; None as long as all do

    def are_over(self) -> bool:
        """Read what came since; return whether nothing more is to be waited for."""
        skeleton = self._stream.skeleton
        if not _STARTS.match(skeleton):
            return False
        while end := _EVENT_END.search(skeleton, self._read_to):
            event = bytes(skeleton[self._read_to : end.start()]).decode('utf-8', 'replace')
            self._read_to = end.end()
            if any(payload == DONE or self._ends_with(payload) for payload in payloads(event)):
                self.end = self._read_to
                return True
        return False

    def _ends_with(self, payload: Json) -> bool:
        kind = str(at(payload, 'type'))
        if is_partial(payload):
            self._preview(payload)
            return False
        if kind not in _ENDS and not trouble_in(payload):
            self._missing -= sum(1 for item in find_items(payload) if item.text)
            if self._missing > 0:
                return False
        return not kind.endswith(_ONE_OF_SEVERAL)

    def _preview(self, payload: Json) -> None:
        position = at(payload, 'image_index')
        for item in find_items(payload):
            with contextlib.suppress(Base64Error):
                received = self._stream.pictures.pop(item.text, None) or inline(
                    item.text, self._run.incoming
                )
                self._run.previewed(position if isinstance(position, int) else 0, received)

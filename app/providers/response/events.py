"""Server-sent events, read one by one while they come, and what several values come to.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from itertools import islice

from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import Item, at, find_items, tree_of, trouble_in
from app.providers.response.json_text import Json, loads
from app.providers.response.messages import failed_in_success
from app.providers.response.stream import ResponseStream

DONE = '[DONE]'
PREVIEWS = ('partial', 'preview')
MOST_LINES = 10_000  # of data in one event
MOST_LOST = 64
MOST_PREVIEWS = 200  # of one response; each is a file
LONGEST_NAME = 6  # of a field, with its colon

_STARTS = re.compile(rb'(?:data|event|id|retry)?:')
_BLANKS = re.compile(rb'(?:\xef\xbb\xbf)?\s*+')
_EVENT_END = re.compile(rb'(?>\r\n|\r|\n){2,}')
_FIELD = re.compile(r'(?<![^\r\n\ufeff])(data|event)(?::([^\r\n]*+))?(?![^\r\n])')
_OPEN_DATA = re.compile(r'(?<![^\r\n])data: ?[\[{"]')
_ONE_OF_SEVERAL = ('partial_succeeded', 'partial_failed')  # Seedream's names; more may come
_ENDS = ('error', 'response.failed', 'image_generation.failed')


class Cut(ValueError):
    """A stream of events ended before the picture came."""


class Values:
    """What the values of a stream, or of lines, come to; each is dropped once it was added."""

    def __init__(self) -> None:
        self.count = 0
        self.has_final = False
        self.final: Json = None  # the last failure, else the last value
        self._drawn: list[Json] = []
        self._lost: list[Json] = []
        self._words: list[str] = []
        self._usages: list[Json] = []  # of the values with pictures
        self._last_usage: Json = None
        self._has_failed = False

    def add(self, value: Json) -> None:
        self.count += 1
        if is_partial(value):
            return
        self.has_final = True
        word = at(value, 'choices', 0, 'delta', 'content')
        if isinstance(word, str):
            self._words.append(word)
        items, trouble, has_failed = drawn_in(value), trouble_in(value), failed_in_success(value)
        usage = at(value, 'usage')
        if items:
            self._drawn.append(tree_of(items))
            self._usages += [usage] if usage else []
        elif trouble and len(self._lost) < MOST_LOST:
            self._lost.append({'error': trouble})
        if has_failed or not self._has_failed:
            self.final, self._has_failed = value, has_failed
        self._last_usage = usage or self._last_usage

    def drawn(self) -> list[Json]:
        """Return what holds pictures, and what tells of those that were lost beside them."""
        if self._words:  # a chat that came word by word
            self.add({'choices': [{'message': {'content': ''.join(self._words)}}]})
        usages = self._usages or [self._last_usage]  # some count up to the last
        return (
            [*self._drawn, *self._lost, *({'usage': one} for one in usages)] if self._drawn else []
        )


class EventReader:
    """Finds whole events in a text that grows; nothing is searched twice."""

    def __init__(self) -> None:
        self.read_to = 0
        self._searched_to = 0

    def events(self, text: bytes | bytearray) -> Iterator[str]:
        while end := _EVENT_END.search(text, max(self.read_to, self._searched_to)):
            start, self.read_to = self.read_to, end.end()
            yield bytes(text[start : end.start()]).decode('utf-8', 'replace')
        self._searched_to = len(text) - 3  # an end may be cut

    def rest(self, text: bytes | bytearray) -> str:
        """Return what is behind the last whole event."""
        return bytes(text[self.read_to :]).decode('utf-8', 'replace')


class Events:
    """Reads each event of one response as soon as it is whole."""

    def __init__(self, stream: ResponseStream, run: Run, count: int) -> None:
        self.is_stream: bool | None = None  # None until enough has come
        self.end: int | None = None  # of the last event that counts; None as long as all do
        self._stream = stream
        self._run = run
        self._missing = count
        self._previews_left = MOST_PREVIEWS
        self._values = Values()
        self._reader = EventReader()
        self._start = 0  # of the text, behind blanks

    def are_over(self) -> bool:
        """Read what came since; return whether nothing more is to be waited for."""
        skeleton = self._stream.skeleton
        if self.is_stream is None:
            self._recognise(skeleton)
        if not self.is_stream:
            return False
        for event in self._reader.events(skeleton):
            for payload in payloads(event):
                if payload == DONE or self._ends_with(payload):
                    self.end = self._reader.read_to
                    return True
        return False

    def tree(self) -> Json:
        """Return what the whole stream comes to; raise Cut."""
        rest = '' if self.end else self._reader.rest(self._stream.skeleton)
        return tree_of_events(self._values, rest)

    def _recognise(self, skeleton: bytearray) -> None:
        """Decide by the first letters whether these are events."""
        blanks = _BLANKS.match(skeleton, self._start)
        self._start = blanks.end() if blanks else 0
        if len(skeleton) - self._start >= LONGEST_NAME:
            self.is_stream = bool(_STARTS.match(skeleton, self._start))

    def _ends_with(self, payload: Json) -> bool:
        self._values.add(payload)
        kind = str(at(payload, 'type'))
        if is_partial(payload):
            self._preview(payload)
            return False
        if at(payload, 'choices', 0, 'finish_reason'):
            return True
        if kind not in _ENDS and not trouble_in(payload):
            self._missing -= sum(1 for item in drawn_in(payload) if item.text)
            if self._missing > 0:
                return False
        return not kind.endswith(_ONE_OF_SEVERAL)

    def _preview(self, payload: Json) -> None:
        position = at(payload, 'image_index')
        for item in find_items(payload)[: self._previews_left]:
            self._previews_left -= 1
            with contextlib.suppress(Base64Error):
                received = self._stream.pictures.pop(item.text, None) or inline(
                    item.text, self._run.incoming
                )
                self._run.previewed(position if isinstance(position, int) else 0, received)


def events_in(text: str) -> Json:
    """Return what a text of whole events comes to; raise Cut."""
    reader, values, raw = EventReader(), Values(), text.encode('utf-8', 'replace')
    for event in reader.events(raw):
        for payload in payloads(event):
            if payload != DONE:
                values.add(payload)
    return tree_of_events(values, reader.rest(raw))


def tree_of_events(values: Values, rest: str) -> Json:
    """Return what values come to, and the last event, which needs no end; raise Cut."""
    last = [payload for payload in payloads(rest) if payload != DONE]
    for payload in last:
        values.add(payload)
    drawn = values.drawn()
    if not drawn and (not values.has_final or (_OPEN_DATA.search(rest) and not last)):
        raise Cut('only previews arrived' if values.count else 'no complete event arrived')
    return drawn or values.final


def payloads(event: str) -> Iterator[Json]:
    """Parse the data of one event; of what is no JSON, the text of an error is kept."""
    name, data = '', list[str]()
    for line in islice(_FIELD.finditer(event), MOST_LINES):
        if line[1] == 'data':
            data.append((line[2] or '').removeprefix(' '))
        else:
            name = (line[2] or '').strip()
    payload = '\n'.join(data)
    if payload.strip() == DONE:
        yield DONE
    elif payload.strip():
        try:
            yield _named(loads(payload), name)
        except ValueError:
            if name == 'error':
                yield {'error': payload.strip()}


def drawn_in(value: Json) -> list[Item]:
    """List the pictures of one value; a word of a chat has none before all words came."""
    delta = at(value, 'choices', 0, 'delta')
    is_word = isinstance(at(delta, 'content'), str) and not at(delta, 'images')
    return [] if is_word else find_items(value)


def is_partial(value: Json) -> bool:
    """Check whether an event holds a preview and not a finished picture."""
    kind = at(value, 'type')
    return isinstance(kind, str) and (kind in PREVIEWS or kind.endswith('partial_image'))


def _named(value: Json, name: str) -> Json:
    if name == 'error' and not at(value, 'error'):
        return {'error': value}
    return {'type': name, **value} if name and isinstance(value, dict) else value

"""Which words of some texts are not in all of them."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations, groupby

from app.database.search.words import APART

# Texts that differ in more words than this are not looked at word by word: that may take the cube.
MOST_DIFFERING_WORDS = 300
_PUNCTUATION = (
    re.escape(string.punctuation) + r'\u2010-\u205e\u3001-\u3003\u3008-\u3020\uff00-\uff20'
)


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring words of a text."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Change:
    """The words from `start` to `end` of one text, where another has those from `start_there`."""

    start: int
    end: int
    start_there: int
    end_there: int


def marked(texts: Sequence[str]) -> tuple[tuple[Part, ...], ...]:
    """Cut each text into parts, by whether every other text has the same words in their place."""
    spans = [[found.span() for found in _words().finditer(text)] for text in texts]
    words = [
        [text[start:end] for start, end in own] for text, own in zip(texts, spans, strict=True)
    ]
    unlike: list[set[int]] = [set() for _ in texts]
    for one, other in combinations(range(len(texts)), 2):
        for change in _changes(words[one], words[other]):
            unlike[one] |= set(range(change.start, change.end))
            unlike[other] |= set(range(change.start_there, change.end_there))
    return tuple(map(_parts, texts, spans, unlike))


@cache
def _words() -> re.Pattern[str]:
    # where no blanks are written, every sign is a word
    return re.compile(
        rf'[{APART}][^\w\s{_PUNCTUATION}]*|[^\s{APART}{_PUNCTUATION}]+|[{_PUNCTUATION}]'
    )


def _changes(words: Sequence[str], others: Sequence[str]) -> list[Change]:
    first = _shared(words, others)
    last = _shared(words[first:][::-1], others[first:][::-1])
    end, end_there = len(words) - last, len(others) - last
    if max(end - first, end_there - first) > MOST_DIFFERING_WORDS:
        return [Change(first, end, first, end_there)]
    found: list[Change] = []
    matcher = SequenceMatcher(None, words[first:end], others[first:end_there], autojunk=False)
    for kind, *edges in matcher.get_opcodes():
        if kind == 'equal':
            continue
        change = Change(*(first + edge for edge in edges))
        before = found[-1] if found else None
        if before and _is_slight(before, change, words, others):
            found[-1] = Change(before.start, change.end, before.start_there, change.end_there)
        else:
            found.append(change)
    return found


def _shared(words: Sequence[str], others: Sequence[str]) -> int:
    """Count the words that two texts begin with."""
    pairs = enumerate(zip(words, others, strict=False))
    differ = (number for number, (one, other) in pairs if one != other)
    return next(differ, min(len(words), len(others)))


def _is_slight(before: Change, after: Change, words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether what two changes leave between them is less than each: then it is one change."""

    def letters(change: Change) -> int:
        here = words[change.start : change.end]
        there = others[change.start_there : change.end_there]
        return max(sum(map(len, here)), sum(map(len, there)))

    between = sum(map(len, words[before.end : after.start]))
    return between <= min(letters(before), letters(after))


def _parts(text: str, spans: Sequence[tuple[int, int]], unlike: Set[int]) -> tuple[Part, ...]:
    parts, end = list[Part](), 0
    for differs, run in groupby(range(len(spans)), key=unlike.__contains__):
        numbers = list(run)
        if differs:
            start, stop = spans[numbers[0]][0], spans[numbers[-1]][1]
            parts += [Part(text[end:start], differs=False), Part(text[start:stop], differs=True)]
            end = stop
    parts.append(Part(text[end:], differs=False))
    return tuple(part for part in parts if part.text)

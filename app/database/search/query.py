"""The language of the search field: what a person typed, as terms, whatever it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from app.database.search.words import index_words
from app.errors import N_, InvalidRequest


class Key(StrEnum):
    """What a term is about: the keys as they are typed, and words without one."""

    WORD = ''
    PHRASE = '"'
    MODEL = 'model'
    SERVER = 'server'
    SEED = 'seed'
    SIZE = 'size'
    SHAPE = 'shape'
    ALBUM = 'album'
    IS = 'is'
    SINCE = 'since'
    UNTIL = 'until'
    BY = 'by'


KEYS = tuple(key for key in Key if key.isalpha())
SHAPES = ('landscape', 'portrait', 'square')
FAVOURITE, EDITED = 'favourite', 'edited'
STATES = (FAVOURITE, EDITED)
NO_ALBUM = 'none'
MOST_SEED = (1 << 64) - 1
MOST_REMEMBERED = 16  # searches
YEARS = range(1970, 9999)

# Quotation marks as keyboards of phones write them, too.
_TERM = re.compile(
    rf"""
    (?P<minus>-)?
    (?: (?P<key>{'|'.join(KEYS)}) : )?
    (?: ["“„«] (?P<quoted>[^"”“»]*) ["”“»]? | (?P<plain>\S*) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SIZE = re.compile(r'(\d{1,5})[x×х*](\d{1,5})', re.IGNORECASE)  # a letter of two alphabets
_BLANKS = re.compile(r'\s*')
_EXAMPLES = {Key.SIZE: '1024x1024', Key.SHAPE: SHAPES[0], Key.IS: FAVOURITE, Key.SEED: '7'}
_REFUSALS = {
    Key.SIZE: N_("{term} isn't a size."),
    Key.SHAPE: N_("{term} isn't a shape."),
    Key.IS: N_("{term} isn't something a picture can be."),
    Key.SEED: N_("{term} isn't a seed."),
    Key.SINCE: N_("{term} isn't a date."),
    Key.UNTIL: N_("{term} isn't a date."),
}
NO_VALUE = N_('{term} needs a value.')
NOT_UNDERSTOOD = N_("Easel can't search for {term}.")
NOTHING_TO_FIND = N_('{term} has no words to search for.')


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a search, and where it stands in what was typed."""

    key: Key
    text: str
    is_excluded: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A term that is not understood, as it was typed, and the sentence about it."""

    term: Term
    typed: str
    reason: str


@lru_cache(MOST_REMEMBERED)
def parse(typed: str) -> tuple[Term, ...]:
    """Read a search; what is between the terms are blanks."""
    terms: list[Term] = []
    place = _after_blanks(typed, 0)
    while place < len(typed):
        found = _TERM.match(typed, place)
        if found is None:  # never: every part may be empty
            break
        key, quoted = Key((found['key'] or '').lower()), found['quoted']
        if quoted is not None and key is Key.WORD:
            key = Key.PHRASE
        text = found['plain'] if quoted is None else quoted
        terms.append(Term(key, text, bool(found['minus']), place, found.end()))
        place = _after_blanks(typed, found.end())
    return tuple(terms)


@lru_cache(MOST_REMEMBERED)  # a page asks three times
def refusals_in(typed: str) -> tuple[Refusal, ...]:
    """Return what of a search is not understood."""
    terms = parse(typed)
    refused = tuple(
        Refusal(term, typed[term.start : term.end], reason)
        for term in terms
        if (reason := _reason_against(term))
    )
    if refused or not terms or any(map(_says_something, terms)):
        return refused
    return (Refusal(Term(Key.WORD, typed, False, 0, len(typed)), typed, NOTHING_TO_FIND),)


def check_search(typed: str) -> None:
    """Raise `InvalidRequest` at a search that is not understood."""
    for refusal in refusals_in(typed):
        raise InvalidRequest(NOT_UNDERSTOOD, term=refusal.typed)


def _says_something(term: Term) -> bool:
    return term.key in KEYS or bool(index_words(term.text))


def _reason_against(term: Term) -> str:
    """Return the sentence about a value that its key does not know; empty where it does."""
    if term.key not in KEYS:
        return ''
    if not term.text.strip():
        return NO_VALUE
    is_known = {
        Key.SIZE: lambda: size_in(term.text) is not None,
        Key.SHAPE: lambda: term.text.casefold() in SHAPES,
        Key.IS: lambda: state_in(term.text) in STATES,
        Key.SEED: lambda: seed_in(term.text) is not None,
        Key.SINCE: lambda: day_in(term.text) is not None,
        Key.UNTIL: lambda: day_in(term.text) is not None,
    }.get(term.key)
    return '' if is_known is None or is_known() else _REFUSALS[term.key]


def proposal_for(term: Term, today: date) -> str:
    """Return a term to use instead of one that is not understood; empty where none is known."""
    if term.key in (Key.SINCE, Key.UNTIL):
        value = str(_meant(term.text, today))
    else:
        value = _EXAMPLES.get(term.key, '')
    return f'{"-" if term.is_excluded else ""}{term.key}:{value}' if value else ''


def size_in(text: str) -> str | None:
    """Return a size as `1024x768`."""
    found = _SIZE.fullmatch(text.strip())
    return f'{int(found[1])}x{int(found[2])}' if found else None


def seed_in(text: str) -> int | None:
    text = text.strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_SEED))
    return int(text) if is_number and int(text) <= MOST_SEED else None


def day_in(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if day.year in YEARS else None


def state_in(text: str) -> str:
    """Return what a picture is asked to be, also as Americans write it."""
    return text.strip().casefold().replace('favorite', FAVOURITE)


def written(key: str, value: str) -> str:
    """Write a term so that it is read as this value."""
    is_whole = value and not re.search(r'[\s"“„«]', value)
    return f'{key}:{value}' if is_whole else f'{key}:"{value}"'


def replaced(typed: str, term: Term, other: str) -> str:
    """Return a search with another term in the place of one; an empty one takes it out."""
    return ' '.join((typed[: term.start] + other + ' ' + typed[term.end :]).split())


def _after_blanks(typed: str, place: int) -> int:
    found = _BLANKS.match(typed, place)
    return found.end() if found else place


def _meant(text: str, today: date) -> date:
    """Return the day that a word or a part of a date may mean, else that of a week ago."""
    asked = text.strip().casefold()
    parts = [int(part) for part in re.findall(r'\d{1,4}', asked)]
    parts = parts[::-1] if parts and parts[-1] > 31 else parts
    try:
        if parts and parts[0] in YEARS:
            return date(*[*parts, 1, 1][:3])
    except ValueError:
        return today - timedelta(days=7)
    if asked in ('today', 'сегодня'):
        return today
    if asked in ('yesterday', 'вчера'):
        return today - timedelta(days=1)
    last_week = [today - timedelta(days=days) for days in range(7)]
    named = [day for day in last_week if asked[:3] == f'{day:%A}'[:3].casefold()]
    return named[0] if named else last_week[-1] - timedelta(days=1)

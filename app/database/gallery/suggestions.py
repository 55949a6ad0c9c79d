"""What the search field suggests: how what is being typed may go on, and what may be meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice

import apsw

from app.database.gallery.counters import MOST_COUNTED, total_of
from app.database.gallery.filters import Filter
from app.database.search import vocabulary
from app.database.search.query import (
    KEYS,
    NO_ALBUM,
    SHAPES,
    STATES,
    Key,
    Term,
    parse,
    replaced,
    written,
)
from app.database.search.words import runs_in
from app.database.sqlite.connection import Table, select

MOST_SHOWN = 8
MOST_TRIED = 24  # each is counted
MOST_WAYS = 3
MOST_TERMS = 8  # that are taken out one by one
DAYS_BACK = (0, 1, 7, 30, 365)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A search, and the part of it that is new."""

    words: str
    key: str  # with its colon, and the sign that excludes; empty for a word
    value: str
    images: int | None = None  # that it finds, up to one more than are counted; None: unknown


@dataclass(frozen=True, slots=True)
class WayOut:
    """What to do where nothing is found: words that are nearly alike, terms to leave out."""

    meant: tuple[Suggestion, ...] = ()
    without: tuple[Suggestion, ...] = ()


class Suggestions(Table):
    """The vocabulary, as far as the pictures of a filter have it."""

    async def going_on(self, chosen: Filter, today: date) -> tuple[Suggestion, ...]:
        """Return how the last term of a search may go on."""
        terms = parse(chosen.words)
        if not terms or terms[-1].end < len(chosen.words):
            return ()
        return await self._database.read(lambda db: _going_on(db, chosen, terms[-1], today))

    async def way_out(self, chosen: Filter) -> WayOut:
        """Return what finds something in place of a search that finds nothing."""
        return await self._database.read(lambda db: _way_out(db, chosen))


def _going_on(
    db: apsw.Connection, chosen: Filter, term: Term, today: date
) -> tuple[Suggestion, ...]:
    sign = '-' if term.is_excluded else ''
    if term.key in KEYS:
        found = _counted(
            db,
            chosen,
            (
                (replaced(chosen.words, term, f'{sign}{written(term.key, value)}'), value)
                for value in _values(db, chosen, term, today)
                if not sign or _is_met(db, chosen, term, written(term.key, value))
            ),
            key=f'{sign}{term.key}:',
        )
        return tuple(islice(found, MOST_SHOWN))
    if term.key is Key.PHRASE or not (typed := term.text.casefold()):
        return ()
    keys = [
        Suggestion(replaced(chosen.words, term, f'{sign}{key}:'), f'{sign}{key}:', '')
        for key in KEYS
        if key.startswith(typed)
    ]
    begun = [word for run in runs_in(term.text) for word in run]
    words = vocabulary.words_beginning(db, begun[0], MOST_TRIED) if len(begun) == 1 else []
    searches = (
        (replaced(chosen.words, term, sign + word), sign + word)
        for word in words
        if not sign or _is_met(db, chosen, term, word)
    )
    return (*keys, *islice(_counted(db, chosen, searches, key=''), MOST_SHOWN - len(keys)))


def _is_met(db: apsw.Connection, chosen: Filter, term: Term, wanted: str) -> bool:
    """Whether there is anything to exclude: a guest is told of no word that they cannot see."""
    return total_of(db, replace(chosen, words=replaced(chosen.words, term, wanted)), 1) > 0


def _values(db: apsw.Connection, chosen: Filter, term: Term, today: date) -> list[str]:
    """Return values of a key that begin as typed, then those that have it elsewhere."""
    values = list(_known_values(db, chosen, term.key, today))
    typed = term.text.strip().casefold()
    begin = [value for value in values if value.casefold().startswith(typed)]
    have = [value for value in values if typed in value.casefold() and value not in begin]
    return (begin + have)[:MOST_TRIED]


def _known_values(db: apsw.Connection, chosen: Filter, key: Key, today: date) -> Iterable[str]:
    if key in (Key.MODEL, Key.SERVER, Key.SIZE):
        return vocabulary.names_of(db, key)
    if key in (Key.SINCE, Key.UNTIL):
        return (str(today - timedelta(days=days)) for days in DAYS_BACK)
    if key is Key.ALBUM:
        return (
            (*_names(db, 'albums', 'deleted_at is null'), NO_ALBUM)
            if chosen.knows_names
            else (NO_ALBUM,)
        )
    if key is Key.BY:
        return _names(db, 'guests') if chosen.knows_names else ()
    return {Key.SHAPE: SHAPES, Key.IS: STATES}.get(key, ())


def _names(db: apsw.Connection, table: str, where: str = 'true') -> list[str]:
    rows = select(db, f'select name from {table} where {where} order by id desc')  # noqa: S608 (ours)
    return [str(row['name']) for row in rows]


def _counted(
    db: apsw.Connection, chosen: Filter, searches: Iterable[tuple[str, str]], key: str
) -> Iterator[Suggestion]:
    """Yield the searches that find something, with the part that is new in them."""
    for words, value in searches:
        images = total_of(db, replace(chosen, words=words), MOST_COUNTED + 1)
        if images:
            yield Suggestion(words, key, value, images)


def _way_out(db: apsw.Connection, chosen: Filter) -> WayOut:
    terms = parse(chosen.words)[:MOST_TERMS]
    nearly = (
        (replaced(chosen.words, term, word), word)
        for term in terms
        for word in _near_words(db, chosen, term)
    )
    meant = sorted(_counted(db, chosen, nearly, key=''), key=lambda one: -(one.images or 0))
    if meant:
        return WayOut(meant=tuple(meant[:MOST_WAYS]))
    fewer = (
        (replaced(chosen.words, term, ''), chosen.words[term.start : term.end])
        for term in terms
        if len(terms) > 1
    )
    return WayOut(without=tuple(islice(_counted(db, chosen, fewer, key=''), MOST_WAYS)))


def _near_words(db: apsw.Connection, chosen: Filter, term: Term) -> list[str]:
    """Return words that are nearly a searched one, which itself nothing has."""
    words = [word for run in runs_in(term.text) for word in run]
    if term.key is not Key.WORD or term.is_excluded or len(words) != 1:
        return []
    if total_of(db, replace(chosen, words=words[0]), 1):
        return []
    return vocabulary.near_words(db, words[0])

"""A filter as an expression of FTS5, which goes through all its parts at once, newest first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import apsw

from app.database.gallery.albums import key_of
from app.database.gallery.filters import Filter
from app.database.search import facts, vocabulary
from app.database.search.query import (
    FAVOURITE,
    NO_ALBUM,
    SHAPES,
    Key,
    Term,
    day_in,
    parse,
    refusals_in,
    seed_in,
    size_in,
    state_in,
)
from app.database.search.words import runs_in
from app.database.sqlite.connection import Value, select

MOST_OTHERS = 64  # values of a key that are looked for in place of those that are excluded
MOST_FORMS_OF_ALL = 1_000  # written words that the words of a search may become
_ADDRESS = re.compile(r'[.:/\[]')  # in a server's name


class Expression:
    """Gathers what a picture must have, what it must not have, and when it was made."""

    def __init__(self, db: apsw.Connection, chosen: Filter, within: frozenset[int]) -> None:
        self._db, self._chosen = db, chosen
        self._within = within  # albums whose searches are being read
        self._knows_names = chosen.knows_names
        self._forms_left = MOST_FORMS_OF_ALL
        self._every: list[str] = []
        self._none: list[str] = []
        self._clauses: list[str] = []
        self._days: list[tuple[str, int]] = []  # which side of which sort key
        self._values: dict[str, Value] = {}

    @classmethod
    def of(cls, db: apsw.Connection, chosen: Filter) -> Expression:
        made = cls(db, chosen, frozenset())
        made._read_fields()
        if chosen.words:
            made._read(chosen.words)
        if chosen.filled_by:
            made._knows_names = True  # it is the owner's
            made._read(chosen.filled_by)
        return made

    def as_clauses(self) -> tuple[str, dict[str, Value]]:
        """Return the clauses about `image_words`, with the values that they name."""
        is_trash = self._chosen.deleted
        if not self._every:
            self._every.append(_any([facts.IN_TRASH if is_trash else facts.SHOWN]))
        if not is_trash:
            return f'{self._indexed()} and image_words.rowid > {facts.ABOVE_TRASH}', self._values
        self._values |= {'trash_low': -2 * facts.TRASH_BELOW, 'trash_high': facts.ABOVE_TRASH}
        part = 'image_words.rowid between :trash_low and :trash_high'
        return f'{self._indexed()} and {part}', self._values

    def as_days(self) -> tuple[list[str], dict[str, Value]] | None:
        """Return the clauses about `images` where days alone are asked for, which it has in order.

        The list of a word that every picture has is long to go into from its end.
        """
        if self._every or self._none or self._clauses:
            return None
        return self._on_days('images.sort_key'), self._values

    def _indexed(self) -> str:
        match = f'image_words match :{self._name(self._match)}'
        days = self._on_days('image_words.rowid', -facts.TRASH_BELOW * self._chosen.deleted)
        return ' and '.join([match, *self._clauses, *days])

    def _on_days(self, column: str, shift: int = 0) -> list[str]:
        return [f'{column} {side} :{self._name(begin + shift)}' for side, begin in self._days]

    @property
    def _match(self) -> str:
        every = ' AND '.join(self._every) or _any([facts.SHOWN, facts.IN_TRASH])
        return f'(({every}) NOT ({" OR ".join(self._none)}))' if self._none else f'({every})'

    def _read_fields(self) -> None:
        chosen = self._chosen
        made: list[str] = []
        made += [facts.model_fact(chosen.model)] if chosen.model else []
        made += [facts.server_fact(chosen.provider)] if chosen.provider else []
        made += [facts.guest_fact(chosen.guest)] if chosen.guest is not None else []
        made += [facts.FAVOURITE] if chosen.favourite else []
        is_filled = chosen.album is not None and not chosen.filled_by
        made += [facts.album_fact(chosen.album or 0)] if is_filled else []
        self._every += [_any([fact]) for fact in made]

    def _read(self, typed: str) -> None:
        if refusals_in(typed):
            self._every.append(_any([]))
            return
        terms = parse(typed)
        for term in terms:
            if term.key in (Key.SINCE, Key.UNTIL):
                self._read_day(term)
            elif term.key is Key.ALBUM and term.text.casefold() != NO_ALBUM:
                self._read_album(term)
            elif term.key is Key.PHRASE or (term.key is Key.WORD and term.is_excluded):
                self._read_phrase(term)
            elif term.key is Key.WORD:
                self._read_word(term, is_last=term is terms[-1])
            else:
                self._read_fact(term)

    def _read_word(self, term: Term, *, is_last: bool) -> None:
        runs = runs_in(term.text)
        for words in runs:
            begins = is_last and words is runs[-1]
            if len(words) > 1:
                self._every.append(f'"{" ".join(words)}"{"*" if begins else ""}')
            else:
                self._every.append(self._forms(words[0], begins=begins))

    def _forms(self, word: str, *, begins: bool) -> str:
        """Return the expression for a word, its other forms and what it may be the beginning of."""
        is_indexed = begins and len(word) <= vocabulary.INDEXED_BEGINNING
        most = min(vocabulary.MOST_FORMS, self._forms_left)
        forms = vocabulary.forms_of(self._db, word, most, begins=begins and not is_indexed)
        self._forms_left -= len(forms or ())
        if is_indexed or (begins and forms is None):
            return f'("{word}"* OR {_any({word, *(forms or ())})})'
        return _any({word, *(forms or ())})

    def _read_phrase(self, term: Term) -> None:
        words = [word for run in runs_in(term.text) for word in run]
        if words:
            (self._none if term.is_excluded else self._every).append(f'"{" ".join(words)}"')

    def _read_fact(self, term: Term) -> None:
        has, others = self._facts_of(term)
        if not term.is_excluded:
            self._every.append(_any(has))
        elif others and len(others) <= MOST_OTHERS:  # quick where nearly all are excluded
            self._every.append(_any(others))
        elif has:
            self._none.append(_any(has))

    def _facts_of(self, term: Term) -> tuple[list[str], list[str]]:
        """Return the facts that a key's value means, and all others of that key, if known."""
        text = term.text
        if term.key is Key.MODEL:
            return self._named(vocabulary.MODEL, facts.model_fact, text)
        if term.key is Key.SERVER:
            return self._named(vocabulary.SERVER, facts.server_fact, text)
        if term.key is Key.SIZE:
            return self._named(vocabulary.SIZE, facts.size_fact, size_in(text) or '')
        if term.key is Key.SHAPE:
            return _divided(SHAPES, text.casefold(), facts.shape_fact)
        if term.key is Key.SEED:
            return [facts.seed_fact(seed_in(text) or 0)], []
        if term.key is Key.BY:
            return self._made_by(text)
        if term.key is Key.ALBUM:
            return [facts.IN_NO_ALBUM], [facts.IN_ALBUM]
        is_favourite = state_in(text) == FAVOURITE
        return ([facts.FAVOURITE], [facts.NO_FAVOURITE]) if is_favourite else ([facts.EDITED], [])

    def _named(
        self, kind: str, fact: Callable[[str], str], text: str
    ) -> tuple[list[str], list[str]]:
        names = vocabulary.names_of(self._db, kind)
        if kind == vocabulary.SERVER and not self._knows_names and _ADDRESS.search(text):
            return [], []
        return _divided(names, text, fact)

    def _made_by(self, name: str) -> tuple[list[str], list[str]]:
        if not self._knows_names:
            return [], []
        guests = {
            str(row['id']): _key_of(str(row['name']))
            for row in select(self._db, 'select id, name from guests')
        }
        has = [facts.guest_fact(int(id_)) for id_, own in guests.items() if own == _key_of(name)]
        made = [facts.guest_fact(number) for number in (facts.OWNER, *map(int, guests))]
        return has, [fact for fact in made if fact not in has]

    def _read_album(self, term: Term) -> None:
        named = select(
            self._db, 'select id, q from albums where key = :key', key=_key_of(term.text)
        )
        named = named if self._knows_names else []
        for row in named:
            album, typed = int(row['id'] or 0), row['q']
            if not isinstance(typed, str):
                (self._none if term.is_excluded else self._every).append(
                    _any([facts.album_fact(album)])
                )
            elif album not in self._within:
                self._read_album_search(typed, album, is_excluded=term.is_excluded)
        if not named and not term.is_excluded:
            self._every.append(_any([]))

    def _read_album_search(self, typed: str, album: int, *, is_excluded: bool) -> None:
        inner = Expression(self._db, self._chosen, self._within | {album})
        inner._values, inner._knows_names = self._values, True
        inner._read(typed)
        if not is_excluded:
            self._every.append(inner._match)
            self._clauses += inner._clauses
            self._days += inner._days
        elif not inner._clauses and not inner._days:
            self._none.append(inner._match)
        else:
            self._clauses.append(
                f'image_words.rowid not in (select rowid from image_words where {inner._indexed()})'  # noqa: S608 (ours)
            )

    def _read_day(self, term: Term) -> None:
        day = day_in(term.text)
        if day is None:
            return
        is_since = term.key is Key.SINCE
        begin = _begin_of(day if is_since else day + timedelta(days=1), self._chosen.zone)
        side = '>=' if is_since != term.is_excluded else '<'
        self._days.append((side, begin))

    def _name(self, value: Value) -> str:
        """Return a name for a value in the clauses."""
        name = f'searched_{len(self._values)}'
        self._values[name] = value
        return name


def _any(words: Iterable[str]) -> str:
    return f'({" OR ".join(_quoted(word) for word in sorted(words)) or _quoted(facts.NOTHING)})'


def _quoted(word: str) -> str:
    return f'"{word}"'


def _divided(
    names: Iterable[str], text: str, fact: Callable[[str], str]
) -> tuple[list[str], list[str]]:
    """Return the facts of the names that are a text, without case, and those of the others."""
    has = [name for name in names if _key_of(name) == _key_of(text)]
    return [fact(name) for name in has], [fact(name) for name in names if name not in has]


def _key_of(text: str) -> str:
    return key_of(text.strip())


def _begin_of(day: date, zone: str) -> int:
    """Return when a day begins, in microseconds since 1970."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone) if zone else None)
    return int(midnight.timestamp()) * 1_000_000

"""A filter as a part of a statement."""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from app.database.gallery.expression import Expression
from app.database.gallery.filters import Filter
from app.database.sqlite.connection import Value

# What an index of the table `images` has together with the order.
INDEXED = ('model', 'provider', 'guest', 'favourite')
_TRASH_KEYS = ('images.deleted_at', 'images.sort_key')
_INDEX = 'image_words join images on images.sort_key = image_words.rowid'
_INDEX_KEYS = ('image_words.rowid',)


@dataclass(frozen=True, slots=True)
class Selection:
    """The pictures of a filter as a part of a statement, with the values that it names.

    `keys` are the columns to compare and order by: those of the table which is walked through.
    """

    source: str
    where: str
    keys: tuple[str, ...]
    values: dict[str, Value]

    def order(self, direction: str) -> str:
        return ', '.join(f'{key} {direction}' for key in self.keys)

    def beyond(self, side: str) -> str:
        """Return the condition of being on a side of the values `edge_0` and following."""
        edge = ', '.join(f':edge_{number}' for number in range(len(self.keys)))
        return f'({", ".join(self.keys)}) {side} ({edge})'


def selection_of(db: apsw.Connection, chosen: Filter) -> Selection:
    """Return how to select what a filter asks for."""
    by = [name for name in INDEXED if getattr(chosen, name) not in ('', None, False)]
    keys = _TRASH_KEYS if chosen.deleted else ('images.sort_key',)
    if is_searched(chosen) or chosen.album is not None or (len(by) > 1 and not chosen.deleted):
        where, values = Expression.of(db, chosen).as_clauses()
        return Selection(_INDEX, where, keys if chosen.deleted else _INDEX_KEYS, values)
    clauses = [f'images.deleted_at is {"not null" if chosen.deleted else "null"}']
    clauses += [f'images.{name} = :{name}' for name in by]
    named: dict[str, Value] = {name: getattr(chosen, name) for name in by}
    return Selection('images', ' and '.join(clauses), keys, named)


def is_searched(chosen: Filter) -> bool:
    """Whether only the index knows what a filter shows, and no counter."""
    return bool(chosen.words or chosen.filled_by)

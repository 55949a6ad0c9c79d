"""A filter as a part of a statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import apsw

from app.database.gallery.filters import Filter, Order
from app.database.search import facts
from app.database.sqlite.connection import Value, select

if TYPE_CHECKING:
    from app.database.gallery.expression import Expression

BELOW_ALL = -(1 << 62)  # a sort key
# What an index of the table `images` has together with the order, outside of the trash.
INDEXED = ('model', 'provider', 'guest', 'favourite')
_TRASH_KEYS = ('images.deleted_at', 'images.sort_key')
# Its own order leads: what is found is looked up in it, and not sorted with all its columns.
_IN_TRASH = """
  images.deleted_at is not null
  and +images.sort_key in (
    select image_words.rowid + {below}
    from image_words
    where {where}
  )
"""
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
    clauses = [f'images.deleted_at is {"not null" if chosen.deleted else "null"}']
    if is_searched(chosen) or chosen.album is not None or len(by) > (not chosen.deleted):
        expression = _read(db, chosen)
        if days := expression.as_days():
            return Selection('images', ' and '.join([*clauses, *days[0]]), keys, days[1])
        where, values = expression.as_clauses()
        if chosen.deleted:
            where = _IN_TRASH.format(below=facts.TRASH_BELOW, where=where)
            return Selection('images', where, keys, values)
        return Selection(_INDEX, where, _INDEX_KEYS, values)
    clauses += [f'images.{name} = :{name}' for name in by]
    named: dict[str, Value] = {name: getattr(chosen, name) for name in by}
    return Selection('images', ' and '.join(clauses), keys, named)


def searched(db: apsw.Connection, chosen: Filter) -> tuple[str, dict[str, Value]]:
    """Return a filter as clauses about the index of words, with the values that they name."""
    return _read(db, chosen).as_clauses()


def _read(db: apsw.Connection, chosen: Filter) -> Expression:
    from app.database.gallery.expression import Expression  # no start needs it

    return Expression.of(db, chosen)


def is_indexed(selection: Selection) -> bool:
    """Whether the index of words is gone through."""
    return 'image_words' in selection.where


def is_searched(chosen: Filter) -> bool:
    """Whether only the index knows what a filter shows, and no counter."""
    return bool(chosen.words or chosen.filled_by)


def nearest(db: apsw.Connection, chosen: Filter, moment: float) -> int | None:
    """Return the first picture beyond a moment, in an order by time; else the last before."""
    selection = selection_of(db, chosen)
    for side in ('>=', '<') if chosen.sort is Order.OLDEST else ('<', '>='):
        found = select(
            db,
            f"""
            select images.id
            from {selection.source}
            where {selection.keys[0]} {side} :moment and {selection.where}
            order by {selection.order('asc' if '>' in side else 'desc')}
            limit 1
            """,  # noqa: S608 (only our own clauses; every value is bound)
            **selection.values,
            moment=int(moment * 1_000_000),
        )
        if found:
            return cast('int', found[0]['id'])
    return None


def edges_of(db: apsw.Connection, chosen: Filter, image_id: int) -> tuple[Value, ...]:
    """Return where a picture stands in the order of a filter; nothing where that is not known.

    What has left the trash has no place in it any more.
    """
    if not chosen.deleted:
        key = _key_of(db, image_id)
        return () if key is None else (key,)
    statement = """
        select deleted_at, sort_key
        from images
        where id = :id and deleted_at is not null
    """
    return tuple(value for row in select(db, statement, id=image_id) for value in row.values())


def _key_of(db: apsw.Connection, image_id: int) -> int | None:
    """Return where a picture stands in the order, None for an id that was never given.

    One that is gone stands just above the one before it.
    """
    if image_id > cast('int', select(db, 'select max(id) as last from images')[0]['last'] or 0):
        return None
    found = select(
        db,
        """
        select sort_key + (id < :id) as sort_key
        from images
        where id <= :id
        order by id desc
        limit 1
        """,
        id=image_id,
    )
    return cast('int', found[0]['sort_key']) if found else BELOW_ALL

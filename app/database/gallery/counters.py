"""How many pictures there are of each kind, without counting them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import apsw

from app.database.gallery.filters import Filter
from app.database.gallery.selection import is_searched, searched
from app.database.sqlite.connection import Database, Table, Value, builder, select

WHOLE_GALLERY = 0  # in place of an album
MOST_COUNTED = 1_000  # pictures that a search finds, unless somebody asks for the exact number
NO_LIMIT = -1
MOST_REMEMBERED = 100
T = TypeVar('T')


@dataclass(frozen=True, slots=True)
class Facet:
    """A value to filter by, and how many pictures have it."""

    value: str
    images: int


@dataclass(frozen=True, slots=True)
class Room:
    """How many pictures there are of a kind, and what they take."""

    images: int
    size_bytes: int

    def __sub__(self, other: Room) -> Room:
        return Room(self.images - other.images, self.size_bytes - other.size_bytes)


class Counters(Table):
    """The table `tallies`, which triggers keep; what a search finds is counted in the index.

    What was asked for is remembered until anything changes: every page of a wall asks for the same.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._known: dict[tuple[object, ...], object] = {}
        self._version = 0

    async def total(self, chosen: Filter) -> int | None:
        """Return how many pictures a filter shows; None: a search finds more than are counted."""
        total = await self._remembered(
            ('total', chosen), lambda db: total_of(db, chosen, MOST_COUNTED + 1)
        )
        return None if is_searched(chosen) and total > MOST_COUNTED else total

    async def exact_total(self, chosen: Filter) -> int:
        """Count all that a filter shows, however long that takes."""
        return await self._database.read(lambda db: total_of(db, chosen, NO_LIMIT))

    async def models(self, chosen: Filter) -> tuple[Facet, ...]:
        """Return the models among the pictures of a filter, most pictures first."""
        return await self._grouped(chosen, 'model', 'images desc, value limit 200')

    async def months(self, chosen: Filter) -> tuple[Facet, ...]:
        """Return the months of a filter's pictures, as `2026-11` in UTC, the newest first."""
        return await self._grouped(chosen, 'month', 'value desc')

    async def trash(self) -> Room:
        return await self._room('select * from disk_use where in_trash = 1')

    async def trashed_favourites(self) -> Room:
        """Return the favourites of the trash; they are few, and an index holds their sizes."""
        return await self._room(
            """
            select 1 as images, size_bytes
            from images indexed by images_trashed_favourites -- else all of the trash is read
            where favourite = 1 and deleted_at is not null
            """
        )

    async def _room(self, rows: str) -> Room:
        found = await self._database.all(
            builder(Room),
            f"""
            select coalesce(sum(images), 0) as images, coalesce(sum(size_bytes), 0) as size_bytes
            from ({rows})
            """,  # noqa: S608 (ours)
        )
        return found[0]

    async def _grouped(self, chosen: Filter, column: str, ending: str) -> tuple[Facet, ...]:
        where, values = _where(chosen)
        statement = f"""
            select {column} as value, sum(images) as images
            from tallies
            where {where}
            group by {column}
            having sum(images) > 0
            order by {ending}
        """  # noqa: S608 (only our own clauses; every value is bound)
        return await self._remembered(
            (column, chosen), lambda db: tuple(map(builder(Facet), select(db, statement, **values)))
        )

    async def _remembered(
        self, question: tuple[object, ...], query: Callable[[apsw.Connection], T]
    ) -> T:
        version = self._database.version
        if self._version != version:
            self._known.clear()
            self._version = version
        if question not in self._known:
            found = await self._database.read(query)
            if len(self._known) >= MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            if self._version == version:
                self._known[question] = found
            return found
        return cast('T', self._known[question])


def total_of(db: apsw.Connection, chosen: Filter, most: int) -> int:
    """Count what a filter shows; what a search finds only up to a number."""
    if is_searched(chosen):
        where, values = searched(db, chosen)
        statement = f"""
            select count(*) as images
            from (select 1 from image_words where {where} limit :most)
        """  # noqa: S608 (only our own clauses; every value is bound)
    else:
        where, values = _where(chosen)
        statement = f"""
            select coalesce(sum(images), 0) as images
            from tallies
            where {where}
        """  # noqa: S608 (only our own clauses; every value is bound)
    return cast('int', select(db, statement, **values, most=most)[0]['images'])


def _where(chosen: Filter) -> tuple[str, dict[str, Value]]:
    values: dict[str, Value] = {
        'album': WHOLE_GALLERY if chosen.album is None else chosen.album,
        'in_trash': int(chosen.deleted),
    }
    values |= {'model': chosen.model} if chosen.model else {}
    values |= {'provider': chosen.provider} if chosen.provider else {}
    values |= {'guest': chosen.guest} if chosen.guest is not None else {}
    values |= {'favourite': 1} if chosen.favourite else {}
    return ' and '.join(f'{name} = :{name}' for name in values), values

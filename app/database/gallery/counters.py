"""How many pictures there are of each kind, without counting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from app.database.gallery.filters import Filter
from app.database.sqlite.connection import Table, Value, builder

WHOLE_GALLERY = 0  # in place of an album


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
    """The table `tallies`, which triggers keep; a filter's words are not known to it."""

    async def total(self, chosen: Filter) -> int:
        """Return how many pictures a filter without words shows."""
        where, values = _where(chosen)
        found = await self._database.all(
            lambda row: cast('int', row['images']),
            f'select coalesce(sum(images), 0) as images from tallies where {where}',  # noqa: S608
            **values,
        )
        return found[0]

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
            from images
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
        return await self._database.all(
            builder(Facet),
            f"""
            select {column} as value, sum(images) as images
            from tallies
            where {where}
            group by {column}
            having sum(images) > 0
            order by {ending}
            """,  # noqa: S608 (only our own clauses; every value is bound)
            **values,
        )


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

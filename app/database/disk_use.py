"""Statements about what the files of pictures take."""

from __future__ import annotations

from dataclasses import dataclass

from app.database.sqlite.connection import Table, builder


@dataclass(frozen=True, slots=True)
class YearUse:
    """The pictures of a year, and of those the ones in the trash."""

    year: str  # empty for files that are in no folder of a year
    images: int
    size_bytes: int
    trashed: int
    trashed_bytes: int


class DiskUse(Table):
    """Counters that the database keeps, so that nothing is counted while a page waits."""

    async def years(self) -> tuple[YearUse, ...]:
        """Read what each year takes, the newest first."""
        return await self._database.all(
            builder(YearUse),
            """
            select year, sum(images) as images, sum(size_bytes) as size_bytes,
              sum(iif(in_trash, images, 0)) as trashed,
              sum(iif(in_trash, size_bytes, 0)) as trashed_bytes
            from disk_use
            where images > 0
            group by year
            order by year desc
            """,
        )

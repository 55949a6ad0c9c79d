"""Statements about masks: who asked for a change by one, and which pictures came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from app.database.generations import ASKED_HERE
from app.database.sqlite.connection import Table, select
from app.database.sqlite.readers import beside


class Masks(Table):
    """What `generations` says of masks, by their digests."""

    async def askers(self, digest: str) -> tuple[int | None, ...]:
        """Return the guests, None: the owner, who asked for something with a mask."""
        return await self._database.all(
            lambda row: cast('int | None', row['guest']),
            'select distinct guest from generations where mask = :digest',
            digest=digest,
        )

    async def images_with(self, digest: str, limit: int) -> tuple[int, ...]:
        """Return the newest pictures that were made with a mask."""
        return await self._database.all(
            lambda row: cast('int', row['id']),
            """
            select images.id
            from generations
            join images on images.generation_id = generations.id
            where generations.mask = :digest and images.deleted_at is null
            order by images.id desc
            limit :limit
            """,
            digest=digest,
            limit=limit,
        )


@dataclass(frozen=True, slots=True)
class NamedMask:
    """A mask that rows name; one of pictures that were brought in may have stayed behind."""

    digest: str
    asked_here: bool


def named_masks(path: Path) -> Iterator[NamedMask]:
    """Read from beside every mask that a row names; older versions have none.

    Raises `StorageFailed` as `beside` does.
    """
    with beside(path) as connection:
        columns = select(connection, "select name from pragma_table_xinfo('generations')")
        if 'mask' in {row['name'] for row in columns}:
            sql = f"""
                select mask, max({ASKED_HERE}) as asked_here
                from generations
                where mask is not null
                group by mask
            """  # noqa: S608 (ours)
            rows = select(connection, sql)
            yield from [NamedMask(str(row['mask']), bool(row['asked_here'])) for row in rows]

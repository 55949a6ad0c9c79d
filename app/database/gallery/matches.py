"""Whether pictures are among those of a filter, and how many these are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from app.database.gallery.filters import Filter, selection_of
from app.database.sqlite.connection import Table, select


class Matches(Table):
    """Questions about filters that ask for no picture itself."""

    async def among(self, chosen: Filter, image_ids: Sequence[int]) -> frozenset[int]:
        """Return those of a few pictures that a filter shows."""
        selection = selection_of(chosen)
        if selection is None:
            return frozenset()
        sql = f"""
            select 1
            from {selection.source}
            where images.id = :image and {selection.where}
        """  # noqa: S608 (only our own clauses; every value is bound)
        return await self._database.read(
            lambda db: frozenset(
                image_id
                for image_id in image_ids
                if select(db, sql, **selection.values | {'image': image_id})
            )
        )

    async def counted(self, chosen: Filter, most: int) -> int:
        """Count the pictures that a filter shows, up to a number."""
        selection = selection_of(chosen)
        if selection is None:
            return 0
        sql = f"""
            select count(*) as images
            from (select 1 from {selection.source} where {selection.where} limit :most)
        """  # noqa: S608 (only our own clauses; every value is bound)
        values = selection.values | {'most': most}
        found = await self._database.all(lambda row: cast('int', row['images']), sql, **values)
        return found[0]

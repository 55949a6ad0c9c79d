"""The next pictures of the trash, which mostly stand together in the index of words too.

A search sorts all that it finds in the trash by when it was deleted; where these are enough, it
finds but a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import apsw

from app.database.search.facts import TRASH_BELOW
from app.database.sqlite.connection import Value, builder, select
from app.models import Image

NEAR = 600


@dataclass(frozen=True, slots=True)
class NearTrash:
    """Between which places of the gallery they were, and between which moments deleted."""

    images: int
    low: int
    high: int
    first: float
    last: float

    @property
    def part(self) -> dict[str, Value]:
        """Return the part of the index that they are in, as a search in the trash names it."""
        return {'trash_low': self.low - TRASH_BELOW, 'trash_high': self.high - TRASH_BELOW}

    def are_enough(self, found: Sequence[Image], limit: int) -> bool:
        """Whether what is found in that part is what all of the trash would give."""
        if self.images < NEAR or len(found) < limit:
            return self.images < NEAR
        return self.first < cast('float', found[-1].deleted_at) < self.last


def near_trash(
    db: apsw.Connection, beyond: str, ending: str, values: dict[str, Value]
) -> NearTrash:
    """Return what follows in an order on an edge, whatever its words."""
    [near] = select(
        db,
        f"""
        select count(*) as images, coalesce(min(sort_key), 0) as low,
          coalesce(max(sort_key), 0) as high, coalesce(min(deleted_at), 0) as first,
          coalesce(max(deleted_at), 0) as last
        from (
          select images.sort_key, images.deleted_at
          from images
          where {beyond} images.deleted_at is not null
          {ending}
        )
        """,  # noqa: S608 (only our own clauses; every value is bound)
        **values | {'limit': NEAR},
    )
    return builder(NearTrash)(near)

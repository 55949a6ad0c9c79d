"""Statements about versions of pictures: what they were edited from, and what was made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import apsw

from app.database.sqlite.connection import Table, builder, select

DEEPEST = 64  # versions between the first and the last one that is shown
# The picture that another is a version of: what the original was laid back over, else the first
# of its sources.
PARENT = """
  coalesce(
    (select answer.id from images as answer where answer.id = images.laid_back_from),
    generations.parent_id
  )
"""

CHILDREN = """
  select images.id, generations.parent_id
  from generations
  join images on images.generation_id = generations.id
  where generations.parent_id in (select value from json_each(:ids))
    and not exists (select 1 from images as answer where answer.id = images.laid_back_from)
  union all
  select id, laid_back_from as parent_id
  from images
  where laid_back_from in (select value from json_each(:ids))
  limit :limit
"""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A picture, and the one that it is a version of."""

    id: int
    parent_id: int


class Versions(Table):
    """The pictures that came of each other; none of these statements looks at any other."""

    async def above(self, image_id: int) -> tuple[VersionRow, ...]:
        """Read what a picture is a version of, and what that is, the nearest first.

        A parent may be gone.
        """
        return await self._database.all(
            builder(VersionRow),
            f"""
            with recursive line (id, parent_id, depth) as (
              select images.id, {PARENT}, 1
              from images
              join generations on generations.id = images.generation_id
              where images.id = :id
              union all
              select images.id, {PARENT}, depth + 1
              from line
              join images on images.id = line.parent_id
              join generations on generations.id = images.generation_id
              where depth < :deepest
            )
            select id, parent_id
            from line
            where parent_id is not null
            order by depth
            """,  # noqa: S608 (ours)
            id=image_id,
            deepest=DEEPEST,
        )

    async def below(self, image_id: int, limit: int) -> tuple[VersionRow, ...]:
        """Read the versions of a picture, and those of them, the nearest first, up to so many."""

        def query(db: apsw.Connection) -> tuple[VersionRow, ...]:
            found, layer = dict[int, VersionRow](), [image_id]
            for _ in range(DEEPEST):
                left = limit - len(found)
                rows = select(db, CHILDREN, ids=json.dumps(layer), limit=left) if layer else []
                fresh = {one.id: one for one in map(builder(VersionRow), rows)}
                layer = [one for one in fresh if one not in found and one != image_id]
                found |= {one: fresh[one] for one in layer}
            return tuple(found.values())

        return await self._database.read(query)

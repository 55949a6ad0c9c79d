"""Statements that delete pictures for good: the rows first, in one transaction, then the files."""

# ruff: noqa: S608 (only our own clauses; every value is bound)
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import apsw

from app.database.sqlite.connection import Table, Value, builder, select
from app.database.sqlite.readers import beside
from app.errors import StorageFailed

REMOVED_AT_ONCE = 250
CHOSEN_AT_ONCE = 1_000  # pictures in one list
# What names a picture besides its row, and by which of its columns.
NAMED_BY = (('album_images', 'sort_key', 'sort_key'), ('shown_pictures', 'image_id', 'id'))
# Whether any generation of a group has a picture, or may get one.
LEFT = """
  max(status <> 'done' or exists (
    select 1 from images where images.generation_id = generations.id
  ))
"""


@dataclass(frozen=True, slots=True)
class Removal:
    """A file whose picture is gone; what another picture has too stays."""

    file: str  # below the folder of pictures
    digest: str
    keeps_file: bool
    keeps_thumbs: bool


class Removals(Table):
    """The table `removals`."""

    async def after(self, file: str) -> tuple[Removal, ...]:
        """Read the next files that are to be removed, by their names."""
        return await self._database.read(lambda db: _after(db, file))

    async def expired(self, before: float) -> tuple[str, ...]:
        """Return what is in the trash since an earlier time, as lists of ids in JSON.

        Favourites are never among them.
        """
        return await self._database.all(
            lambda row: str(row['ids']),
            f"""
            select json_group_array(id) as ids
            from (
              select id, (row_number() over () - 1) / {CHOSEN_AT_ONCE} as part
              from images
              where deleted_at < :before and favourite = 0
            )
            group by part
            """,
            before=before,
        )

    async def masks(self) -> tuple[str, ...]:
        """Return the masks of which nothing is left but generations without a picture."""
        return await self._database.all(
            lambda row: str(row['mask']),
            f'select mask from generations where mask is not null group by mask having {LEFT} = 0',
        )

    async def forget_mask(self, digest: str) -> None:
        """Forget a mask that is gone."""
        await self._database.run(
            'update generations set mask = null where mask = :digest and destroyed > 0',
            digest=digest,
        )

    async def done(self, files: Sequence[str]) -> None:
        """Forget files that are gone."""
        await self._database.run(
            'delete from removals where file in (select value from json_each(:files))',
            files=json.dumps(files),
        )


def destroy(db: apsw.Connection, ids: str, values: Mapping[str, Value]) -> None:
    """Delete the rows of pictures, whose ids a query with `values` gives, and all that names them.

    Their files are written down for removal, and their generations keep how many they were.
    """
    of_them = f'from images where id in ({ids})'
    db.execute(
        f'insert into removals (file, digest) select file, digest {of_them} on conflict do nothing',
        values,
    )
    db.execute(
        f"""
        update generations
        set destroyed = destroyed + gone.images
        from (select generation_id, count(*) as images {of_them} group by 1) as gone
        where id = gone.generation_id
        """,
        values,
    )
    for table, column, own in NAMED_BY:
        db.execute(f'delete from {table} where {column} in (select {own} {of_them})', values)
    db.execute(f'delete {of_them}', values)
    db.execute(f'delete from act_images where image in ({ids})', values)


def removals_beside(path: Path) -> Iterator[Removal]:
    """Read from beside what is still to be removed; nothing where that cannot be read."""
    with suppress(apsw.Error, StorageFailed), beside(path) as connection:
        if not select(connection, "select 1 from sqlite_schema where name = 'removals'"):
            return
        last = ''
        while some := _after(connection, last):
            yield from some
            last = some[-1].file


def _after(db: apsw.Connection, file: str) -> tuple[Removal, ...]:
    sql = f"""
        select file, digest,
          exists (select 1 from images where images.file = removals.file) as keeps_file,
          exists (select 1 from images where images.digest = removals.digest) as keeps_thumbs
        from removals
        where file > :file
        order by file
        limit {REMOVED_AT_ONCE}
    """
    build = builder(Removal, 'keeps_file', 'keeps_thumbs')
    return tuple(build(row) for row in select(db, sql, file=file))

"""Statements about the files of pictures: which rows name, which are damaged, what they take."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from app.database.sqlite.connection import Table, builder, select
from app.database.sqlite.readers import beside, write_beside
from app.models import KeptFile, TracedPicture


@dataclass(frozen=True, slots=True)
class YearUse:
    """The pictures of a year, and of those the ones in the trash."""

    year: str  # empty for files that are in no folder of a year
    images: int
    size_bytes: int
    trashed: int
    trashed_bytes: int


ROWS_A_PAGE = 500
MARK = """
    update images
    set damaged_ns = :damaged_ns
    where id = :id and damaged_ns is not :damaged_ns
"""


class Files(Table):
    """What the table `images` says of files."""

    async def of(self, digest: str) -> tuple[KeptFile, ...]:
        """Return the files of a digest, whose pictures are not in the trash."""
        return await self._database.all(
            builder(KeptFile),
            """
            select id, file, size_bytes, digest, damaged_ns
            from images
            where digest = :digest and deleted_at is null
            """,
            digest=digest,
        )

    async def in_trash(self, digest: str) -> KeptFile | None:
        """Return the file of a digest, if a picture with it is in the trash."""
        return await self._database.one(
            builder(KeptFile),
            """
            select id, file, size_bytes, digest, damaged_ns
            from images
            where digest = :digest and deleted_at is not null
            limit 1
            """,
            digest=digest,
        )

    async def one(self, image_id: int) -> KeptFile | None:
        """Return the file of a picture, in the trash or not; None where there is none."""
        found = await self.after(image_id - 1, 1)
        return found[0] if found and found[0].id == image_id else None

    async def after(self, image_id: int, limit: int) -> tuple[KeptFile, ...]:
        """Read the files of the next pictures above an id, also of those in the trash."""
        return await self._database.all(
            builder(KeptFile),
            """
            select id, file, size_bytes, digest, damaged_ns
            from images
            where id > :id
            order by id
            limit :limit
            """,
            id=image_id,
            limit=limit,
        )

    async def unknown(self, files: Sequence[str]) -> list[str]:
        """Return those of some files below the folder of pictures that no row names."""
        known = await self._database.all(
            lambda row: cast('str', row['file']),
            """
            select file
            from images
            where file in (select value from json_each(:files))
            """,
            files=json.dumps(files),
        )
        named = set(known)
        return [file for file in files if file not in named]

    async def having(self, digests: Sequence[str]) -> dict[str, list[int]]:
        """Return those of some digests that pictures have, with their ids, the trash last."""
        found = await self._database.all(
            lambda row: (cast('str', row['digest']), json.loads(str(row['ids']))),
            """
            select digest, json_group_array(id order by deleted_at is not null, id) as ids
            from images
            where digest in (select value from json_each(:digests))
            group by digest
            """,
            digests=json.dumps(digests),
        )
        return dict(found)

    async def traced(self, image_ids: Sequence[int]) -> tuple[TracedPicture, ...]:
        """Return some pictures with their digests, empty of those that are gone."""
        if not image_ids:
            return ()
        found = await self._database.all(
            lambda row: (cast('int', row['id']), cast('str', row['digest'])),
            'select id, digest from images where id in (select value from json_each(:ids))',
            ids=json.dumps(image_ids),
        )
        digests = dict(found)
        return tuple(TracedPicture(one, digests.get(one, '')) for one in image_ids)

    async def mark(self, image_id: int, damaged_ns: int | None) -> None:
        """Write down that a picture's file is damaged since it changed then; None: it is not."""
        await self._database.run(MARK, id=image_id, damaged_ns=damaged_ns)

    async def damaged(self) -> int:
        """Return how many pictures were found damaged and not yet whole again."""
        found = await self._database.all(
            lambda row: cast('int', row['damaged']),
            """
            select count(*) as damaged
            from images
            where damaged_ns is not null
            """,
        )
        return found[0]

    async def edges(self, count: int) -> tuple[str, ...]:
        """Return the files of the oldest and of the newest pictures, so many of each."""
        return await self._database.all(
            lambda row: cast('str', row['file']),
            """
            select file from (select file from images order by id limit :count)
            union
            select file from (select file from images order by id desc limit :count)
            """,
            count=count,
        )

    async def state(self, name: str) -> int:
        """Return a number that an earlier start wrote down; 0 where none did."""
        found = await self._database.one(
            lambda row: cast('int', row['value']),
            'select value from state where name = :name',
            name=name,
        )
        return found or 0

    async def set_state(self, name: str, value: int) -> None:
        await self._database.run(
            """
            insert into state (name, value)
            values (:name, :value)
            on conflict (name) do update set value = excluded.value
            """,
            name=name,
            value=value,
        )

    async def years(self) -> tuple[YearUse, ...]:
        """Read what each year takes, the newest first; counters that triggers keep say it."""
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


def kept_files(path: Path) -> Iterator[KeptFile]:
    """Read from beside what every row says of its file, also of those in the trash.

    This and what follows reads older versions too, and raises `StorageFailed` as `beside` does.
    """
    last = 0
    while files := _files_after(path, last):
        yield from files
        last = files[-1].id


def _files_after(path: Path, image_id: int) -> list[KeptFile]:
    sql = """
        select id, file, size_bytes, digest
        from images
        where id > :id
        order by id
        limit :limit
    """
    with beside(path) as connection:
        rows = select(connection, sql, id=image_id, limit=ROWS_A_PAGE)
    return [builder(KeptFile)(row) for row in rows]


def mark_damaged(path: Path, image_id: int, damaged_ns: int) -> None:
    """Do from beside what `Files.mark` does, where the database can be written to now."""
    write_beside(path, MARK, id=image_id, damaged_ns=damaged_ns)


def total_of(path: Path) -> tuple[int, int]:
    """Count the pictures, and the bytes of their files."""
    sql = 'select count(*) as images, coalesce(sum(size_bytes), 0) as size_bytes from images'
    with beside(path) as connection:
        [row] = select(connection, sql)
    return cast('int', row['images']), cast('int', row['size_bytes'])


def named_files(path: Path, files: Sequence[str]) -> set[str]:
    """Return those of some files that a row names."""
    sql = 'select file from images where file in (select value from json_each(:files))'
    with beside(path) as connection:
        return {str(row['file']) for row in select(connection, sql, files=json.dumps(files))}


def running_since(path: Path) -> float | None:
    """Return when the first of the generations began that run now, in seconds since 1970."""
    sql = "select min(started_at) as began_at from generations where status = 'running'"
    with beside(path) as connection:
        [row] = select(connection, sql)
    return cast('float | None', row['began_at'])

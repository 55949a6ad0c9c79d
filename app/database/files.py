"""Statements about the files of pictures: which the rows name, and which are damaged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from app.database.sqlite.connection import Table, builder
from app.models import KeptFile


class Files(Table):
    """What the table `images` says of files."""

    async def of(self, digest: str, guest: int | None = None) -> KeptFile | None:
        """Return the file of a digest, if a picture with it (of this guest) is not in the trash."""
        return await self._database.one(
            builder(KeptFile),
            """
            select id, file, size_bytes, digest, damaged_ns
            from images
            where digest = :digest and deleted_at is null
              and (:guest is null or guest = :guest)
            limit 1
            """,
            digest=digest,
            guest=guest,
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

    async def mark(self, image_id: int, damaged_ns: int | None) -> None:
        """Write down that a picture's file is damaged since it changed then; None: it is not."""
        await self._database.run(
            """
            update images
            set damaged_ns = :damaged_ns
            where id = :id and damaged_ns is not :damaged_ns
            """,
            id=image_id,
            damaged_ns=damaged_ns,
        )

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

"""Statements about the files of pictures: which the rows name, and which are damaged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from app.database.connection import Table, builder
from app.models import KeptFile


class Files(Table):
    """What the table `images` says of files."""

    async def after(self, image_id: int, limit: int) -> tuple[KeptFile, ...]:
        """Read the files of the next pictures above an id, also of those in the trash."""
        return await self._database.all(
            builder(KeptFile),
            """
            select id, file, size_bytes, digest
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

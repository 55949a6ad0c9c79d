"""The index of words, kept small."""

from __future__ import annotations

import apsw

from app.database.sqlite.connection import Table

PAGES_A_STEP = 32  # of 4 kB: some milliseconds


class SearchIndex(Table):
    """The table `image_words`: every transaction adds a segment to it, and marks what is gone."""

    async def merge(self) -> bool:
        """Merge some segments, without what is gone of them; return whether there was anything."""

        def change(db: apsw.Connection) -> bool:
            before = db.total_changes()
            db.execute(
                "insert into image_words (image_words, rank) values ('merge', :pages)",
                {'pages': PAGES_A_STEP},
            )
            return db.total_changes() - before > 1  # Source: sqlite.org/fts5.html, 6.10

        return await self._database.write(change)

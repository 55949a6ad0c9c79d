"""The index of words, kept small."""

from __future__ import annotations

from typing import cast

import apsw

from app.database.sqlite.connection import Table, select

PAGES_A_STEP = 32  # of 4 kB: some milliseconds
MOST_SEGMENTS = 8  # with nine, three words take 11 ms among a million pictures; with one, 0.2
MOST_OF_AN_ACT = 12  # segments; from 16 of a size on SQLite merges them at one stroke
PAGES_A_PIECE = 48


class SearchIndex(Table):
    """The table `image_words`: every transaction adds a segment to it, and marks what is gone."""

    async def merge(self) -> bool:
        """Merge some segments, without what is gone of them; return whether there was anything.

        Where there are many, all become one: SQLite itself leaves up to three of each size.
        """

        def change(db: apsw.Connection) -> bool:
            is_crowded = _segments(db) > MOST_SEGMENTS
            before = db.total_changes()
            _merge(db, -PAGES_A_STEP if is_crowded else PAGES_A_STEP)
            return db.total_changes() - before > 1  # Source: sqlite.org/fts5.html, 6.10

        return await self._database.write(change)


def merge_piece(db: apsw.Connection) -> None:
    """Merge a little of what the pieces of an act have added, in the transaction of one."""
    if _segments(db) > MOST_OF_AN_ACT:
        _merge(db, PAGES_A_PIECE)


def _segments(db: apsw.Connection) -> int:
    [counted] = select(db, 'select count(distinct segid) as segments from image_words_idx')
    return cast('int', counted['segments'])


def _merge(db: apsw.Connection, pages: int) -> None:
    db.execute(
        "insert into image_words (image_words, rank) values ('merge', :pages)", {'pages': pages}
    )

"""Every SQL statement, behind one door."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.library.ahead import Ahead
from app.library.attempts import Attempts
from app.library.db import Database
from app.library.generations import Generations
from app.library.guests import GuestRows
from app.library.images import Images
from app.library.learned import LearnedFacts
from app.library.providers import ProviderRows
from app.library.shown import ShownRows


@dataclass(frozen=True, slots=True)
class Library:
    """The database of one data folder."""

    database: Database
    generations: Generations
    images: Images
    ahead: Ahead
    attempts: Attempts
    learned: LearnedFacts
    providers: ProviderRows
    guests: GuestRows
    shown: ShownRows

    @classmethod
    async def open(cls, path: Path) -> Library:
        """Open the database, making or upgrading it.

        Raises:
            StorageFailed: It can't be opened, or a newer Easel wrote it.
        """
        database = await Database.open(path)
        return cls(
            database,
            Generations(database),
            Images(database),
            Ahead(database),
            Attempts(database),
            LearnedFacts(database),
            ProviderRows(database),
            GuestRows(database),
            ShownRows(database),
        )

    async def close(self) -> None:
        """Let go of the database; safe to call twice."""
        await self.database.close()

"""Every SQL statement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.database.calls import Calls
from app.database.connection import Database
from app.database.generations import Generations
from app.database.images import Images
from app.database.links import GuestRows, ShownRows
from app.database.providers import LearnedFacts, ProviderRows
from app.database.queue import Queue


@dataclass(frozen=True, slots=True)
class Library:
    """The database of one data folder."""

    database: Database
    generations: Generations
    images: Images
    queue: Queue
    calls: Calls
    learned: LearnedFacts
    providers: ProviderRows
    guests: GuestRows
    shown: ShownRows

    @classmethod
    async def open(cls, path: Path) -> Library:
        """Open the database, creating or upgrading it.

        Raises:
            StorageFailed: It can't be opened, or a newer Easel wrote it.
        """
        database = await Database.open(path)
        return cls(
            database,
            Generations(database),
            Images(database),
            Queue(database),
            Calls(database),
            LearnedFacts(database),
            ProviderRows(database),
            GuestRows(database),
            ShownRows(database),
        )

    async def close(self) -> None:
        await self.database.close()

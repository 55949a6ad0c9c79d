"""Every SQL statement."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.database.acts.destruction import Removals
from app.database.backlog import Backlog
from app.database.files import Files
from app.database.gallery.albums import AlbumRows
from app.database.gallery.counters import Counters
from app.database.gallery.images import Images
from app.database.gallery.versions import Versions
from app.database.generations import Generations
from app.database.links import GuestRows, ShownRows
from app.database.masks import Masks
from app.database.providers import LearnedFacts, ProviderRows
from app.database.queue import Queue
from app.database.recovery import Recovery
from app.database.search.facts import index_facts
from app.database.search.index import SearchIndex
from app.database.search.vocabulary import word_stem
from app.database.search.words import index_words
from app.database.spending import Spending
from app.database.sqlite.connection import Database, select
from app.database.sqlite.opening import Functions

if TYPE_CHECKING:
    from app.database.gallery.acts import ActRows
    from app.database.gallery.suggestions import Suggestions

FUNCTIONS: Functions = {
    'index_words': lru_cache(64)(index_words),
    'index_facts': index_facts,
    'word_stem': word_stem,
}


class Library:
    """The database of one data folder, by its tables."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.generations = Generations(database)
        self.images = Images(database)
        self.versions = Versions(database)
        self.counters = Counters(database)
        self.index = SearchIndex(database)
        self.removals = Removals(database)
        self.albums = AlbumRows(database)
        self.files = Files(database)
        self.masks = Masks(database)
        self.queue = Queue(database)
        self.spending = Spending(database)
        self.recovery = Recovery(database)
        self.backlog = Backlog(database)
        self.learned = LearnedFacts(database)
        self.providers = ProviderRows(database)
        self.guests = GuestRows(database)
        self.shown = ShownRows(database)

    @cached_property
    def acts(self) -> ActRows:
        from app.database.gallery.acts import ActRows  # few starts change many pictures

        return ActRows(self.database)

    async def has_acts(self) -> bool:
        """Whether there are acts to go on with, to take back or to forget."""
        return bool(await self.database.read(lambda db: select(db, 'select 1 from acts limit 1')))

    @cached_property
    def suggestions(self) -> Suggestions:
        from app.database.gallery.suggestions import Suggestions  # few starts search

        return Suggestions(self.database)

    @classmethod
    async def open(cls, path: Path) -> Library:
        """Open the database, creating or upgrading it; raises what `Database.open` does."""
        return cls(await Database.open(path, FUNCTIONS))

    async def close(self) -> None:
        await self.database.close()

"""The albums: their names and searches in memory, so that no request asks for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from app.database.gallery.albums import AlbumRow, AlbumRows, key_of, no_album
from app.database.gallery.filters import Filter
from app.errors import N_, InvalidRequest
from app.tasks import end_tasks, logging_faults


def check_album(row: AlbumRow) -> AlbumRow:
    """Return an album that pictures can be put into; raise `InvalidRequest` at any other."""
    if row.q is not None:
        sentence = N_('The album “{name}” fills itself. Choose another one.')
        raise InvalidRequest(sentence, name=row.name)
    return row


class Albums:
    """Every album that is not deleted."""

    def __init__(self, rows: AlbumRows, clock: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._clock = clock
        self._known: dict[int, AlbumRow] = {}
        self._emptying: asyncio.Task[None] | None = None

    async def load(self) -> Albums:
        """Read them all, and go on with the deletions that an earlier run left."""
        await self._reload()
        if await self._rows.are_left():
            self._empty_deleted()
        return self

    async def close(self) -> None:
        """Leave what is still to be taken out of deleted albums to the next start."""
        await end_tasks(self._emptying)

    def all(self) -> tuple[AlbumRow, ...]:
        """Return every album, by name."""
        return tuple(sorted(self._known.values(), key=lambda row: key_of(row.name)))

    def get(self, album_id: int) -> AlbumRow | None:
        return self._known.get(album_id)

    def one(self, album_id: int) -> AlbumRow:
        """Return an album. Raises `NotFound`."""
        row = self._known.get(album_id)
        if row is None:
            raise no_album(album_id)
        return row

    def filter_of(self, album_id: int) -> Filter:
        """Return what an album shows. Raises `NotFound`."""
        return Filter(album=album_id, filled_by=self.one(album_id).q or '')

    def find(self, name: str) -> AlbumRow | None:
        """Return the album of a name, in whatever case and spelling."""
        key = key_of(name)
        return next((row for row in self._known.values() if key_of(row.name) == key), None)

    async def named(self, name: str) -> AlbumRow:
        """Return the album of a name, made if there is none. Raises `InvalidRequest`."""
        return self.find(name) or await self.add(name)

    async def add(self, name: str, q: str | None = None) -> AlbumRow:
        """Make an album. Raises `InvalidRequest` where the name is another's."""
        row = await self._rows.add(name, q, self._clock())
        await self._reload()
        return row

    async def change(self, album_id: int, name: str, q: str | None) -> None:
        """Give an album another name and search. Raises what `AlbumRows.change` does."""
        await self._rows.change(album_id, name, q)
        await self._reload()

    async def delete(self, album_id: int) -> None:
        """Delete an album and none of its pictures. Raises `NotFound`."""
        await self._rows.mark_deleted(self.one(album_id).id, self._clock())
        await self._reload()
        self._empty_deleted()

    async def _reload(self) -> None:
        self._known = {row.id: row for row in await self._rows.all()}

    def _empty_deleted(self) -> None:
        if self._emptying is None or self._emptying.done():
            self._emptying = asyncio.create_task(logging_faults(self._take_out))

    async def _take_out(self) -> None:
        left = True
        while left:
            began_at = time.monotonic()
            left = await self._rows.take_out_of_deleted()
            await asyncio.sleep(time.monotonic() - began_at)  # as long for others as for this

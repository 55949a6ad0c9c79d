"""Statements about albums."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import apsw

from app.database.acts.choosing import outdate
from app.database.acts.kinds import ActKind
from app.database.sqlite.connection import Table, Value, builder, insert, select
from app.errors import N_, InvalidRequest, NotFound, wrong_field

HAS_PICTURES = N_(
    "This album has pictures that were put into it, so it can't fill itself. Create an album for "
    'the search instead.'
)
TAKEN_OUT_AT_ONCE = 100  # pictures, which the index forgets one by one: some 20 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumRow:
    """An album; one with a search `q` fills itself."""

    id: int
    name: str
    q: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """How many pictures are in an album, and the newest of them; none of the trash."""

    album: int
    images: int
    newest: int | None  # its id


class AlbumRows(Table):
    """The tables `albums` and `album_images`."""

    async def all(self) -> tuple[AlbumRow, ...]:
        return await self._database.all(
            builder(AlbumRow),
            """
            select id, name, q
            from albums
            where deleted_at is null
            """,
        )

    async def contents(self) -> tuple[Contents, ...]:
        """Return what is in each album that does not fill itself."""
        return await self._database.all(
            builder(Contents),
            """
            select id as album, images, (
                select image
                from album_images
                join images on images.id = album_images.image
                where album = albums.id and images.deleted_at is null
                order by album_images.sort_key desc
                limit 1
              ) as newest
            from albums
            where q is null and deleted_at is null
            """,
        )

    async def add(self, name: str, q: str | None, now: float) -> AlbumRow:
        """Make an album. Raises `InvalidRequest` where the name is another's."""

        def change(db: apsw.Connection) -> AlbumRow:
            _refuse_twice(db, name, 0)
            row: dict[str, Value] = {'name': name, 'key': key_of(name), 'q': q, 'created_at': now}
            [added] = insert(db, 'albums', row, 'returning id, name, q')
            return builder(AlbumRow)(added)

        return await self._database.write(change)

    async def put(self, album_id: int, image_ids: Sequence[int], now: float) -> None:
        """Put pictures into an album, as `put_into` does."""
        await self._database.write(lambda db: put_into(db, album_id, image_ids, now))

    async def change(self, album_id: int, name: str, q: str | None) -> None:
        """Give an album another name and search. Raises `InvalidRequest` as `add`, `NotFound`.

        Also where it has pictures of its own and is to fill itself.
        """

        def change(db: apsw.Connection) -> None:
            _refuse_twice(db, name, album_id)
            has_own = select(
                db, 'select 1 from album_images where album = :id limit 1', id=album_id
            )
            if q is not None and has_own:
                raise wrong_field('q', InvalidRequest(HAS_PICTURES))
            changed = select(
                db,
                """
                update albums
                set name = :name, key = :key, q = :q
                where id = :id and deleted_at is null
                returning id
                """,
                id=album_id,
                name=name,
                key=key_of(name),
                q=q,
            )
            if not changed:
                raise no_album(album_id)

        await self._database.write(change)

    async def mark_deleted(self, album_id: int, now: float) -> None:
        """Delete an album, whose name is free at once; its pictures are taken out afterwards."""

        def change(db: apsw.Connection) -> None:
            values: dict[str, Value] = {'id': album_id, 'now': now}
            db.execute(
                """
                update albums
                set deleted_at = :now, key = null
                where id = :id and deleted_at is null
                """,
                values,
            )
            db.execute('delete from tallies where album = :id', values)

        await self._database.write(change)

    async def are_left(self) -> bool:
        """Whether pictures are still to be taken out of a deleted album."""
        left = await self._database.all(bool, 'select 1 from albums where deleted_at is not null')
        return bool(left)

    async def take_out_of_deleted(self) -> bool:
        """Take some pictures out of deleted albums, and remove those that are empty.

        Returns whether there are more.
        """

        def change(db: apsw.Connection) -> bool:
            values: dict[str, Value] = {'limit': TAKEN_OUT_AT_ONCE}
            db.execute(
                """
                delete from album_images
                where (album, sort_key) in (
                  select album, sort_key
                  from albums
                  join album_images on album_images.album = albums.id
                  where deleted_at is not null
                  limit :limit
                )
                """,
                values,
            )
            if db.changes():
                return True
            for table, column in (('tallies', 'album'), ('albums', 'id')):
                db.execute(
                    f"""
                    delete from {table}
                    where {column} in (select id from albums where deleted_at is not null)
                    """  # noqa: S608 (ours)
                )
            return False

        return await self._database.write(change)


def key_of(name: str) -> str:
    """Return an album's name as it is compared: without case, in one spelling."""
    return unicodedata.normalize('NFC', unicodedata.normalize('NFC', name).casefold())


def put_into(
    db: apsw.Connection, album_id: int, image_ids: Sequence[int], now: float
) -> tuple[int, ...]:
    """Put pictures into an album, in a transaction; return those that were not in it.

    None are put into one that fills itself, or is gone.
    """
    ids = json.dumps(image_ids)
    outdate(db, ids, ActKind.ADD, album_id)
    added = select(
        db,
        """
        insert into album_images (album, sort_key, image, added_at)
        select albums.id, images.sort_key, images.id, :now
        from json_each(:ids)
        join images on images.id = json_each.value
        join albums on albums.id = :album and albums.q is null and albums.deleted_at is null
        where true
        on conflict do nothing
        returning image
        """,
        album=album_id,
        ids=ids,
        now=now,
    )
    return tuple(cast('int', row['image']) for row in added)


def no_album(album_id: int) -> NotFound:
    return NotFound(N_('Album {id} not found.'), id=album_id)


def _refuse_twice(db: apsw.Connection, name: str, album_id: int) -> None:
    """Raise `InvalidRequest` where another album has this name."""
    taken = select(
        db,
        """
        select name
        from albums
        where key = :key and id <> :id
        """,
        key=key_of(name),
        id=album_id,
    )
    if taken:
        sentence = N_('There is already an album called “{name}”.')
        raise wrong_field('name', InvalidRequest(sentence, name=taken[0]['name']))

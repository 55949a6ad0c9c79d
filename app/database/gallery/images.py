"""Statements about pictures."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import cast

import apsw

from app.database.acts.choosing import outdate
from app.database.acts.kinds import ActKind
from app.database.gallery.albums import put_into
from app.database.gallery.filters import Filter, Order
from app.database.gallery.selection import edges_of, is_indexed, nearest, selection_of
from app.database.sqlite.connection import Table, Value, insert, select
from app.database.sqlite.ids import reserve_ids
from app.database.sqlite.mapping import image_of, signed
from app.errors import N_, NotFound
from app.models import Generation, Image, Outcome

COLUMNS = """
  images.id, images.generation_id, images.position, images.digest, images.file, images.mime,
  images.width, images.height, images.size_bytes, images.mean_colour, images.provider, images.model,
  images.revised_prompt, images.source_url, images.seed, images.favourite, images.created_at,
  images.deleted_at, images.guest, images.cost, images.changed_outside_mask, images.laid_back_from,
  generations.prompt, generations.negative_prompt, generations.sources, generations.mask,
  (
    select json_group_array(album order by album)
    from album_images
    where image = images.id
  ) as albums,
  generations.size as asked_size,
  iif( -- a clock that was set back made some of earlier versions negative
    generations.finished_at >= generations.started_at,
    generations.finished_at - generations.started_at, null
  ) as took_s
"""


BEFORE, BEHIND, FROM = '<', '>', '>='  # sides of a picture, in the order that is chosen
FLIPPED = {BEFORE: '>', BEHIND: '<', FROM: '<='}  # where the newest is first


class Images(Table):
    """The pictures that are kept."""

    async def one(self, image_id: int) -> Image:
        """Read one, in the trash or not. Raises `NotFound`."""
        return await self._database.read(lambda db: _one(db, image_id))

    async def some(self, image_ids: Sequence[int]) -> tuple[Image, ...]:
        """Read those of some pictures that there are, in the order of the ids."""
        found = await self._database.read(
            lambda db: _select(
                db, 'images.id in (select value from json_each(:ids))', ids=json.dumps(image_ids)
            )
        )
        by_id = {image.id: image for image in found}
        return tuple(by_id[one] for one in image_ids if one in by_id)

    async def page(
        self, chosen: Filter, before: int | None, limit: int, *, with_edge: bool = False
    ) -> tuple[Image, ...]:
        """Read what follows on a picture, by default the next older; `with_edge`: from it on."""
        return await self._neighbours(chosen, before, limit, FROM if with_edge else BEHIND)

    async def pages(self, chosen: Filter, limit: int) -> AsyncIterator[tuple[Image, ...]]:
        """Read all that a filter shows, a page at a time."""
        last: int | None = None
        while found := await self.page(chosen, last, limit):
            yield found
            last = found[-1].id

    async def newer(self, chosen: Filter, than: int, limit: int) -> tuple[Image, ...]:
        """Read what stands before a picture, the nearest first; by default that is newer."""
        return await self._neighbours(chosen, than, limit, BEFORE)

    async def nearest(self, chosen: Filter, moment: float) -> int | None:
        """Return the first picture beyond a moment, in an order by time; else the last before."""
        return await self._database.read(lambda db: nearest(db, chosen, moment))

    async def among(self, chosen: Filter, image_ids: Sequence[int]) -> frozenset[int]:
        """Return those of a few pictures that a filter shows."""

        def query(db: apsw.Connection) -> frozenset[int]:
            selection = selection_of(db, chosen)
            sql = f"""
                select 1
                from {selection.source}
                where images.id = :image and {selection.where}
            """  # noqa: S608 (only our own clauses; every value is bound)
            found = (
                image_id
                for image_id in image_ids
                if select(db, sql, **selection.values, image=image_id)
            )
            return frozenset(found)

        return await self._database.read(query)

    async def newest_id(self) -> int:
        """Return the id of the picture that was kept last, 0 where there is none."""
        found = await self._database.all(
            lambda row: cast('int', row['id']), 'select coalesce(max(id), 0) as id from images'
        )
        return found[0]

    async def next_position(self, generation_id: int) -> int:
        """Return the first position behind all pictures of a generation, those in the trash too."""
        return await self._database.read(lambda db: _next_position(db, generation_id))

    async def laid_back_over(self, image_id: int) -> Image | None:
        """Return the version of a picture that has its original laid back, in the trash or not."""
        where = 'images.laid_back_from = :id'
        found = await self._database.read(
            lambda db: _select(db, where, 'order by images.id limit 1', id=image_id)
        )
        return found[0] if found else None

    async def add_version(self, generation: Generation, outcome: Outcome, now: float) -> Image:
        """Write a version of a picture behind all others; raise `NotFound` where that is gone."""
        [version] = outcome.kept

        def change(db: apsw.Connection) -> Image:
            _one(db, version.laid_back_from or 0)
            add_images(db, generation, outcome, now, _next_position(db, generation.id))
            return _one(db, version.id or 0)

        return await self._database.write(change)

    async def reserve(self) -> int:
        """Reserve an id that no picture has had or will get, for one that is about to be kept."""
        return await self._database.write(lambda db: reserve_ids(db, 'images'))

    async def set_favourite(self, image_id: int, *, favourite: bool) -> Image:
        """Mark or unmark a picture. Raises `NotFound`."""
        statement = 'update images set favourite = :value where id = :id'
        return await self._change(image_id, ActKind.FAVOURITE, statement, 1 if favourite else 0)

    async def set_deleted(self, image_id: int, deleted_at: float | None) -> Image:
        """Put a picture into the trash, or take it out by None. Raises `NotFound`."""
        return await self._change(
            image_id,
            ActKind.DELETE,
            """
            update images
            set deleted_at = :value
            where id = :id and (deleted_at is null) <> (:value is null)
            """,
            deleted_at,
        )

    async def _change(
        self, image_id: int, kind: ActKind, statement: str, value: float | None
    ) -> Image:
        def change(db: apsw.Connection) -> Image:
            outdate(db, json.dumps([image_id]), kind)
            db.execute(statement, {'id': image_id, 'value': value})
            return _one(db, image_id)

        return await self._database.write(change)

    async def _neighbours(
        self, chosen: Filter, edge: int | None, limit: int, side: str
    ) -> tuple[Image, ...]:
        is_random = chosen.sort is Order.RANDOM
        side = side if chosen.sort is Order.OLDEST or is_random else FLIPPED[side]

        def query(db: apsw.Connection) -> tuple[Image, ...]:
            selection = selection_of(db, chosen)
            if is_random:
                from app.database.gallery.shuffle import shuffled_ids  # few look so

                ids = shuffled_ids(db, selection, chosen.shuffle, edge, limit, side)
                return _by_ids(db, ids)
            source, beyond, values = selection.source, '', selection.values | {'limit': limit}
            if edges := edges_of(db, chosen, edge) if edge else ():
                beyond = f'{selection.beyond(side)} and'
                values |= {f'edge_{number}': value for number, value in enumerate(edges)}
            ending = f'order by {selection.order("asc" if ">" in side else "desc")} limit :limit'
            where = f'{beyond} {selection.where}'
            if chosen.deleted and is_indexed(selection):
                from app.database.gallery.near_trash import near_trash  # few look so

                near = near_trash(db, beyond, ending, values)
                found = _select(db, where, ending, source=source, **values | near.part)
                if near.are_enough(found, limit):
                    return found
            return _select(db, where, ending, source=source, **values)

        return await self._database.read(query)


def images_of(db: apsw.Connection, generation_ids: list[int]) -> dict[int, tuple[Image, ...]]:
    """Read the pictures of some generations, in their positions, without the trash."""
    among = 'images.generation_id in (select value from json_each(:ids))'
    images = _select(
        db,
        f'{among} and images.deleted_at is null',
        'order by images.generation_id, images.position',
        ids=json.dumps(generation_ids),
    )
    found: dict[int, tuple[Image, ...]] = {}
    for image in images:
        found[image.generation_id] = (*found.get(image.generation_id, ()), image)
    return found


def add_images(
    db: apsw.Connection, generation: Generation, outcome: Outcome, now: float, first: int = 0
) -> None:
    """Write an attempt's pictures, from a position on, in its transaction."""
    for position, picture in enumerate(outcome.kept, start=first):
        created_at = now if picture.created_at is None else picture.created_at
        own = {
            'generation_id': generation.id,
            'position': position,
            'provider': outcome.provider,
            'model': outcome.model,
            'guest': generation.guest,
            'created_at': created_at,
            'sort_key': _new_sort_key(db, created_at),
            'cost': str(picture.cost) if picture.cost else None,
        }
        [added] = insert(db, 'images', asdict(picture) | own | {'seed': signed(picture.seed)})
        if generation.request.album:
            put_into(db, generation.request.album, [cast('int', added['id'])], now)


def _next_position(db: apsw.Connection, generation_id: int) -> int:
    sql = 'select coalesce(max(position) + 1, 0) as next from images where generation_id = :id'
    return cast('int', select(db, sql, id=generation_id)[0]['next'])


def _one(db: apsw.Connection, image_id: int) -> Image:
    found = _select(db, 'images.id = :id', id=image_id)
    if not found:
        raise NotFound(N_('Picture {id} not found.'), id=image_id)
    return found[0]


def _by_ids(db: apsw.Connection, ids: list[int]) -> tuple[Image, ...]:
    """Read some pictures in the order of their ids here."""
    found = _select(db, 'images.id in (select value from json_each(:ids))', ids=json.dumps(ids))
    return tuple(sorted(found, key=lambda image: ids.index(image.id)))


def _new_sort_key(db: apsw.Connection, created_at: float) -> int:
    """Return a free place in the order of the gallery, within the second of a time or after it."""
    made_us = int(created_at * 1_000_000)
    [taken] = select(
        db,
        """
        select max(sort_key) as last, count(*) filter (where sort_key = :made_us) as own
        from images
        where sort_key >= :made_us and sort_key < :made_us + 1000000
        """,
        made_us=made_us,
    )
    return cast('int', taken['last']) + 1 if taken['own'] else made_us


def _select(
    db: apsw.Connection, where: str, ending: str = '', *, source: str = 'images', **values: Value
) -> tuple[Image, ...]:
    statement = f"""
        select {COLUMNS}
        from {source}
        join generations on generations.id = images.generation_id
        where {where}
        {ending}
    """  # noqa: S608 (only our own clauses; every value is bound)
    return tuple(image_of(row) for row in select(db, statement, **values))

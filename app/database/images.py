"""Statements about pictures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import cast

import apsw

from app.database.mapping import image_of, signed
from app.database.search import fts_query, index_words
from app.database.sqlite.connection import Table, Value, builder, insert, select
from app.errors import N_, NotFound
from app.models import Generation, Image, Outcome

COLUMNS = """
  images.id, images.generation_id, images.position, images.digest, images.file, images.mime,
  images.width, images.height, images.size_bytes, images.mean_colour, images.provider, images.model,
  images.revised_prompt, images.source_url, images.seed, images.favourite, images.created_at,
  images.deleted_at, images.guest, images.cost, generations.prompt, generations.negative_prompt,
  generations.size as asked_size,
  iif( -- a clock that was set back made some of earlier versions negative
    generations.finished_at >= generations.started_at,
    generations.finished_at - generations.started_at, null
  ) as took_s
"""
NEWEST = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the gallery shows; the fields combine by *and*, a `guest` of None is everybody."""

    words: str = ''
    model: str = ''
    provider: str = ''
    favourite: bool = False
    deleted: bool = False
    guest: int | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """A value to filter by, and how many pictures have it."""

    value: str
    images: int


class Images(Table):
    """The pictures that are kept."""

    async def one(self, image_id: int) -> Image:
        """Read one, in the trash or not. Raises `NotFound`."""
        return await self._database.read(lambda db: _one(db, image_id))

    async def page(self, chosen: Filter, before: int | None, limit: int) -> tuple[Image, ...]:
        """Read the newest pictures below an id, newest first."""
        return await self._neighbours(chosen, before or NEWEST, limit, newer=False)

    async def newer(self, chosen: Filter, than: int, limit: int) -> tuple[Image, ...]:
        """Read the pictures just above an id, the nearest first."""
        return await self._neighbours(chosen, than, limit, newer=True)

    async def facets(self, kind: str) -> tuple[Facet, ...]:
        """Return what a filter can choose, most pictures first.

        The kind is `model`, `provider`, or `all` for the one count of everything.
        """
        return await self._database.all(
            builder(Facet),
            """
            select value, images
            from facets
            where kind = :kind and images > 0
            order by images desc, value
            limit 200
            """,
            kind=kind,
        )

    async def next_position(self, generation_id: int) -> int:
        """Return the first position behind all pictures of a generation, those in the trash too."""
        return await self._database.read(
            lambda db: cast(
                'int',
                select(
                    db,
                    """
                    select coalesce(max(position) + 1, 0) as next
                    from images
                    where generation_id = :id
                    """,
                    id=generation_id,
                )[0]['next'],
            )
        )

    async def reserve(self) -> int:
        """Reserve an id that no picture has had or will get, for one that is about to be kept."""
        [reserved] = await self._database.run(
            """
            insert into reserved (name, last)
            values ('images', 1 + (select coalesce(max(id), 0) from images))
            on conflict (name) do update set last = max(last, (
              select coalesce(max(id), 0) from images
            )) + 1
            returning last
            """
        )
        return cast('int', reserved['last'])

    async def set_favourite(self, image_id: int, *, favourite: bool) -> Image:
        """Mark or unmark a picture. Raises `NotFound`."""
        return await self._change(
            image_id, 'update images set favourite = :value where id = :id', 1 if favourite else 0
        )

    async def set_deleted(self, image_id: int, deleted_at: float | None) -> Image:
        """Put a picture into the trash, or take it out by None. Raises `NotFound`."""
        return await self._change(
            image_id,
            """
            update images
            set deleted_at = :value
            where id = :id and (deleted_at is null) <> (:value is null)
            """,
            deleted_at,
        )

    async def _change(self, image_id: int, statement: str, value: float | None) -> Image:
        def change(db: apsw.Connection) -> Image:
            db.execute(statement, {'id': image_id, 'value': value})
            return _one(db, image_id)

        return await self._database.write(change)

    async def _neighbours(
        self, chosen: Filter, edge: int, limit: int, *, newer: bool
    ) -> tuple[Image, ...]:
        words = fts_query(chosen.words) if chosen.words else None
        if chosen.words and words is None:
            return ()
        clauses = [f'images.deleted_at is {"not null" if chosen.deleted else "null"}']
        clauses.append('images.id > :edge' if newer else 'images.id < :edge')
        if words:
            side = '>' if newer else '<'
            clauses.append(f'image_words match :words and image_words.rowid {side} :edge')
        if chosen.model:
            clauses.append('images.model = :model')
        if chosen.provider:
            clauses.append('images.provider = :provider')
        if chosen.guest is not None:
            clauses.append('images.guest = :guest')
        if chosen.favourite:
            clauses.append('images.favourite = 1')
        order = 'image_words.rowid' if words else 'images.id'
        ending = f'order by {order} {"asc" if newer else "desc"} limit :limit'
        values = asdict(chosen) | {'edge': edge, 'limit': limit, 'words': words}
        return await self._database.read(
            lambda db: _select(db, ' and '.join(clauses), ending, searches=bool(words), **values)
        )


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
    """Write an attempt's pictures, from a position on, and their words, in its transaction."""
    words = index_words(generation.request.prompt)
    for position, picture in enumerate(outcome.kept, start=first):
        own = {
            'generation_id': generation.id,
            'position': position,
            'provider': outcome.provider,
            'model': outcome.model,
            'guest': generation.guest,
            'created_at': now if picture.created_at is None else picture.created_at,
            'cost': str(picture.cost) if picture.cost else None,
        }
        insert(db, 'images', asdict(picture) | own | {'seed': signed(picture.seed)})
        insert(db, 'image_words', {'rowid': db.last_insert_rowid(), 'words': words})


def _one(db: apsw.Connection, image_id: int) -> Image:
    found = _select(db, 'images.id = :id', id=image_id)
    if not found:
        raise NotFound(N_('Picture {id} not found.'), id=image_id)
    return found[0]


def _select(
    db: apsw.Connection, where: str, ending: str = '', *, searches: bool = False, **values: Value
) -> tuple[Image, ...]:
    source = 'image_words join images on images.id = image_words.rowid' if searches else 'images'
    statement = f"""
        select {COLUMNS}
        from {source}
        join generations on generations.id = images.generation_id
        where {where}
        {ending}
    """  # noqa: S608 (only our own clauses; every value is bound)
    return tuple(image_of(row) for row in select(db, statement, **values))

"""Statements that bring back pictures whose files are there and whose rows are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import cast

import apsw

from app.database.gallery.images import add_images
from app.database.generations import new_row
from app.database.lineage import arrived, awaited_id, id_here, is_taken
from app.database.spending import add_spending
from app.database.sqlite.connection import REFUSALS, Database, Row, Table, Value, insert, select
from app.database.sqlite.ids import raise_sequence, reserve_ids
from app.database.sqlite.mapping import generation_of
from app.database.sqlite.opening import open_file
from app.models import Generation, Outcome, PictureIds, Status, StoredImage, TracedPicture

MOST_MOVED = 5_000  # generations; the pictures of one come soon after each other


@dataclass(frozen=True, slots=True)
class ToldImage:
    """A picture as its file tells it; ids that it does not tell are 0 and None."""

    generation: Generation
    picture: StoredImage
    position: int
    sources: tuple[TracedPicture, ...] = ()  # of the generation
    laid_back_from: TracedPicture | None = None


class Fate(StrEnum):
    """What became of a picture that was to be brought back."""

    ATTACHED = 'attached'
    COPY = 'copy'  # a row has it already
    WAITS = 'waits'  # its generation is under way
    REFUSED = 'refused'


@dataclass(frozen=True, slots=True)
class Attached:
    """The fate of a picture; the ids are those that it has now."""

    fate: Fate
    image_id: int = 0
    generation_id: int = 0
    reason: str = ''  # why the database refused it


class Recovery(Table):
    """Rows made from what files tell."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        # Two data folders may have used one id for two prompts: where the second one's went.
        self._moved: dict[tuple[object, ...], int] = {}

    async def raise_ids(self, highest: PictureIds) -> None:
        """See to it that no id up to these is given to anything new."""
        values: Row = {'image': highest.image}

        def change(db: apsw.Connection) -> None:
            raise_sequence(db, 'images', highest.image)
            raise_sequence(db, 'generations', highest.generation)
            db.execute(
                """
                insert into reserved (name, last)
                values ('images', :image)
                on conflict (name) do update set last = max(last, excluded.last)
                """,
                values,
            )

        await self._database.write(change)

    async def reserve(self, count: int) -> PictureIds:
        """Reserve ids for so many pictures and a generation of each; return the first ones."""

        def change(db: apsw.Connection) -> PictureIds:
            generation = reserve_ids(db, 'generations', count)
            raise_sequence(db, 'generations', generation + count - 1)
            return PictureIds(reserve_ids(db, 'images', count), generation)

        return await self._database.write(change)

    async def unfinished(self, generation_ids: Sequence[int]) -> dict[int, str]:
        """Return the prompts of those generations that wait, ran, or were interrupted."""
        rows = await self._database.all(
            lambda row: (cast('int', row['id']), str(row['prompt'])),
            """
            select id, prompt
            from generations
            where id in (select value from json_each(:ids))
              and status in ('queued', 'running', 'interrupted')
            """,
            ids=json.dumps(generation_ids),
        )
        return dict(rows)

    async def end(self, generation_id: int) -> None:
        """End a generation that waits or ran before this start, and whose picture is there."""
        await self._database.run(
            """
            update generations
            set status = 'interrupted', share = '', progress = null
            where id = :id and status in ('queued', 'running')
            """,
            id=generation_id,
        )

    async def attach(self, told: Sequence[ToldImage]) -> list[Attached]:
        """Write a row for each picture that has none, and its generation where that is missing.

        All in one transaction, and one that is refused costs no other. A generation that failed or
        was interrupted is done with what came; an id that another has is replaced by a new one.
        """
        return await self._database.write(lambda db: [self._attach(db, one) for one in told])

    def _attach(self, db: apsw.Connection, told: ToldImage) -> Attached:
        if _is_known(db, told):
            return Attached(Fate.COPY)
        try:
            with db:
                told = _with_ids_here(db, told)
                generation = self._generation_for(db, told)
                if generation.status.unfinished:
                    return Attached(Fate.WAITS)
                _add(db, generation, told)
                _finish(db, generation, told.generation)
        except REFUSALS as error:
            return Attached(Fate.REFUSED, reason=str(error))
        [row] = select(db, 'select id from images where file = :file', file=told.picture.file)
        return Attached(Fate.ATTACHED, cast('int', row['id']), generation.id)

    def _generation_for(self, db: apsw.Connection, told: ToldImage) -> Generation:
        """Find the generation of a picture, or write it; another's of the same id stays apart."""
        asked = told.generation
        asked_for = (asked.request.prompt, asked.request.sources)
        key = (asked.id, *asked_for, asked.provider, asked.model)
        wanted = self._moved.get(key, asked.id)
        rows = select(db, 'select * from generations where id = :id', id=wanted)
        before = generation_of(rows[0]) if rows else None
        if before and _is_same(before, asked):
            return before
        row = new_row(asked.request, asked.provider, asked.created_at) | {
            'id': None if before else wanted or None,
            'status': Status.DONE,
            'model': asked.model,
            'finished_at': asked.created_at,
            'dismissed_at': asked.dismissed_at,
            'guest': asked.guest,
        }
        [added] = insert(db, 'generations', row)
        self._moved[key] = cast('int', added['id'])
        if len(self._moved) > MOST_MOVED:
            del self._moved[next(iter(self._moved))]
        return generation_of(added)


def _with_ids_here(db: apsw.Connection, told: ToldImage) -> ToldImage:
    """Return a picture with the ids that those it came from have here."""
    asked, answer = told.generation, told.laid_back_from
    sources = tuple(dict.fromkeys(id_here(db, one) for one in told.sources))
    return replace(
        told,
        generation=replace(asked, request=replace(asked.request, sources=sources)),
        picture=replace(told.picture, laid_back_from=id_here(db, answer) if answer else None),
    )


def highest_ids_in(path: Path) -> PictureIds:
    """Read the highest ids that a database gave, as far as it can be read; it is not changed."""
    highest = {'images': 0, 'generations': 0}
    with suppress(apsw.Error), closing(open_file(path, apsw.SQLITE_OPEN_READONLY)) as connection:
        for given in ('select name, seq from sqlite_sequence', 'select name, last from reserved'):
            for name, last in connection.execute(given):
                highest[str(name)] = max(highest.get(str(name), 0), cast('int', last))
    return PictureIds(highest['images'], highest['generations'])


def _is_known(db: apsw.Connection, told: ToldImage) -> bool:
    """Check whether a row has this file, or a copy of it."""
    values: dict[str, Value] = {
        'file': told.picture.file,
        'digest': told.picture.digest,
        'id': told.picture.id,
        'generation_id': told.generation.id,
        'position': told.position,
    }
    return bool(
        select(
            db,
            """
            select 1
            from images
            where file = :file
              or digest = :digest
                and (id = :id or generation_id = :generation_id and position = :position)
            """,
            **values,
        )
    )


def _is_same(before: Generation, told: Generation) -> bool:
    asked, told_to_ask = before.request, told.request
    is_same = (asked.prompt, asked.sources) == (told_to_ask.prompt, told_to_ask.sources)
    is_same_server = (before.provider, before.model) == (told.provider, told.model)
    return is_same and (is_same_server or before.status is not Status.DONE)


def _add(db: apsw.Connection, generation: Generation, told: ToldImage) -> None:
    """Write the row of a picture, at its position and with its id where these are free."""
    asked, values = told.generation, {'generation': generation.id, 'position': told.position}
    [taken] = select(
        db,
        """
        select max(position) as last, count(*) filter (where position = :position) as own
        from images
        where generation_id = :generation
        """,
        **values,
    )
    position = cast('int', taken['last']) + 1 if taken['own'] else told.position
    picture = replace(told.picture, id=_id_for(db, told.picture))
    outcome = Outcome(
        status=Status.DONE, provider=asked.provider, model=asked.model, kept=(picture,)
    )
    add_images(db, generation, outcome, asked.created_at, position)
    if picture.cost and not _has_calls(db, generation):  # else they have counted it
        add_spending(db, picture.cost, asked.created_at, asked.provider, generation.guest)


def _id_for(db: apsw.Connection, picture: StoredImage) -> int | None:
    """Return the id under which others await a picture, else its own where that is free."""
    awaited = awaited_id(db, picture.digest)
    if awaited is None:
        return None if is_taken(db, picture.id) else picture.id
    arrived(db, picture.digest)
    return awaited


def _has_calls(db: apsw.Connection, generation: Generation) -> bool:
    return bool(
        select(
            db,
            'select 1 from attempts where generation_id = :id and attempt = :attempt limit 1',
            id=generation.id,
            attempt=generation.attempt,
        )
    )


def _finish(db: apsw.Connection, generation: Generation, told: Generation) -> None:
    """End a generation that failed or was interrupted; it has asked for no less than came."""
    values: Row = {
        'id': generation.id,
        'provider': told.provider,
        'model': told.model,
        'now': told.created_at,
    }
    db.execute(
        """
        update generations
        set status = 'done', provider = :provider, model = :model, error = null,
          item_errors = '[]', progress = null, finished_at = :now
        where id = :id and status <> 'done'
        """,
        values,
    )
    db.execute(
        """
        update generations
        set n = own.images
        from (
          select count(*) as images
          from images
          where generation_id = :id and laid_back_from is null
        ) as own
        where id = :id and own.images > coalesce(n, 1)
        """,
        values,
    )

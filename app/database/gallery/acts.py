"""Statements about acts on many pictures; `acts.pieces` has what they change."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import apsw

from app.database.acts.choosing import choose
from app.database.acts.destruction import CHOSEN_AT_ONCE
from app.database.acts.kinds import ABOVE_ALL, PIECE, Act, ActKind, ActState, NewAct, Step
from app.database.acts.pieces import act_of, back, forward, one
from app.database.gallery.filters import Filter
from app.database.gallery.selection import selection_of
from app.database.search.index import merge_piece
from app.database.sqlite.connection import Row, Table, Value, select
from app.errors import N_, Conflict

FORGOTTEN_AT_ONCE = 2_000


class ActRows(Table):
    """The tables `acts` and `act_images`."""

    async def chosen(self, chosen: Filter, top: int) -> tuple[str, ...]:
        """Return the pictures of a filter up to an id, as lists of ids in JSON."""

        def query(db: apsw.Connection) -> tuple[str, ...]:
            selection = selection_of(db, chosen)
            sql = f"""
                select json_group_array(id) as ids
                from (
                  select images.id as id, (row_number() over () - 1) / {CHOSEN_AT_ONCE} as part
                  from {selection.source}
                  where {selection.where} and images.id <= :top
                )
                group by part
            """  # noqa: S608 (only our own clauses; every value is bound)
            rows = select(db, sql, **selection.values | {'top': top})
            return tuple(str(row['ids']) for row in rows)

        return await self._database.read(query)

    @staticmethod
    def listed(images: Sequence[int]) -> tuple[str, ...]:
        """Return ids as lists in JSON, as `chosen` does."""
        starts = range(0, len(images), CHOSEN_AT_ONCE)
        return tuple(json.dumps(images[start : start + CHOSEN_AT_ONCE]) for start in starts)

    async def are_any(self, parts: Sequence[str], guest: int | None) -> bool:
        """Whether some of these ids are of pictures (of a guest)."""
        where = ':guest is null or guest = :guest'
        return await self._count(parts, where, guest=guest) > 0

    async def favourites_in_trash(self, parts: Sequence[str]) -> int:
        """Count the favourites among these ids that are in the trash."""
        return await self._count(parts, 'favourite = 1 and deleted_at is not null')

    async def _count(self, parts: Sequence[str], where: str, **values: Value) -> int:
        sql = f"""
            select count(*) as images
            from images
            where id in (select value from json_each(:ids)) and ({where})
        """  # noqa: S608 (ours)
        return await self._database.read(
            lambda db: sum(
                cast('int', select(db, sql, ids=ids, **values)[0]['images']) for ids in parts
            )
        )

    async def begin(self, new: NewAct, selected: int, now: float) -> Act:
        """Write an act that is about no picture yet, but will be about so many at most."""
        row: Row = {
            'kind': new.kind,
            'album': new.album,
            'guest': new.guest,
            'state': ActState.CHOOSING,
            'reached': ABOVE_ALL,
            'total': selected,
            'began_at': now,
        }

        return act_of(await self._database.insert('acts', row))

    async def choose(self, act_id: int, new: NewAct, ids: str, *, last: bool) -> Act:
        """Add those pictures of a list that an act will change; with the `last` one it runs."""

        def change(db: apsw.Connection) -> Act:
            act = one(db, act_id)
            if act.state is ActState.CHOOSING:
                choose(db, act, new, ids)
                state = ActState.RUNNING if last else ActState.CHOOSING
                db.execute('update acts set state = ? where id = ?', (state, act_id))
            return one(db, act_id)

        return await self._database.write(change)

    async def one(self, act_id: int) -> Act:
        """Read one. Raises `NotFound`, also for one that is forgotten."""
        return await self._database.read(lambda db: one(db, act_id))

    async def unfinished(self) -> tuple[Act, ...]:
        return await self._database.all(
            act_of,
            """
            select *
            from acts
            where state in ('choosing', 'running', 'undoing')
            """,
        )

    async def next_files(self, act_id: int, limit: int = PIECE) -> tuple[tuple[int, str], ...]:
        """Read the pictures of the next piece, with their files."""
        return await self._database.all(
            lambda row: (cast('int', row['id']), str(row['file'])),
            """
            select images.id, images.file
            from acts
            join act_images on act_images.act = acts.id and act_images.image < acts.reached
            join images on images.id = act_images.image
            where acts.id = :act and acts.state = 'running'
            order by images.id desc
            limit :limit
            """,
            act=act_id,
            limit=limit,
        )

    async def step(
        self, act_id: int, now: float, missing: Sequence[int] = (), limit: int = PIECE
    ) -> Step:
        """Change the next piece of an act, or take it back; those with `missing` files stay."""

        def change(db: apsw.Connection) -> Step:
            began_at, act = time.perf_counter(), one(db, act_id)
            if not act.state.unfinished:
                return Step(act)
            is_ahead = act.state is ActState.RUNNING
            step = forward(db, act, now, missing, limit) if is_ahead else back(db, act, limit)
            merge_piece(db)
            return replace(step, took_s=time.perf_counter() - began_at)

        return await self._database.write(change)

    async def undo(self, act_id: int) -> Act:
        """Have an act taken back, once. Raises `NotFound`, or `Conflict` where there is no undo."""

        def change(db: apsw.Connection) -> Act:
            act = one(db, act_id)
            if act.kind is ActKind.DESTROY and act.state is not ActState.CHOOSING:
                raise Conflict(N_("What was deleted for good can't be restored."))
            db.execute(
                """
                update acts
                set state = 'undoing', total = changed, handled = 0
                where id = :id and state not in ('undoing', 'undone')
                """,
                {'id': act_id},
            )
            return one(db, act_id)

        return await self._database.write(change)

    async def forget(self, before: float) -> bool:
        """Forget some of what ended acts of an earlier time did; returns whether there is more."""

        def change(db: apsw.Connection) -> bool:
            values: dict[str, Value] = {'before': before, 'limit': FORGOTTEN_AT_ONCE}
            ended = """
                select id from acts where began_at < :before and state in ('done', 'undone')
            """
            db.execute(
                f"""
                delete from act_images
                where (act, image) in (
                  select act, image from act_images where act in ({ended}) limit :limit
                )
                """,  # noqa: S608 (ours)
                values,
            )
            if db.changes():
                return True
            db.execute(f'delete from acts where id in ({ended})', values)  # noqa: S608 (ours)
            return False

        return await self._database.write(change)

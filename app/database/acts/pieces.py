"""One piece of an act on many pictures: what it changes in one transaction, and takes back.

What an act did to a picture is undone only while nothing else has changed the same of it since:
whoever does that takes the picture out of the earlier act.
"""

# ruff: noqa: S608 (only our own clauses; every value is bound)
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

import apsw

from app.database.acts.choosing import NEEDS
from app.database.acts.destruction import destroy
from app.database.acts.kinds import ABOVE_ALL, Act, ActKind, ActState, Step
from app.database.sqlite.connection import Row, Value, builder, select
from app.errors import N_, NotFound

UNDOES = {  # what of an act is left to be undone looks as if it needed the other
    ActKind.FAVOURITE: ActKind.UNFAVOURITE,
    ActKind.UNFAVOURITE: ActKind.FAVOURITE,
    ActKind.DELETE: ActKind.RESTORE,
    ActKind.RESTORE: ActKind.DELETE,
    ActKind.ADD: ActKind.REMOVE,
    ActKind.REMOVE: ActKind.ADD,
}
ROWS = 'act = :act and image >= :low and image < :high'
PART = f'select image from act_images where {ROWS}'
BEFORE = {
    ActKind.RESTORE: 'select deleted_at from images where id = image',
    ActKind.REMOVE: """
      select added_at
      from album_images
      where album = :album and album_images.image = act_images.image
    """,
}
CHANGE = {
    ActKind.FAVOURITE: f'update images set favourite = 1 where id in ({PART})',
    ActKind.UNFAVOURITE: f'update images set favourite = 0 where id in ({PART})',
    ActKind.DELETE: f'update images set deleted_at = :now where id in ({PART})',
    ActKind.RESTORE: f'update images set deleted_at = null where id in ({PART})',
    ActKind.ADD: f"""
      insert into album_images (album, sort_key, image, added_at)
      select albums.id, images.sort_key, images.id, :now
      from images
      join albums on albums.id = :album and albums.q is null and albums.deleted_at is null
      where images.id in ({PART})
    """,
    ActKind.REMOVE: f'delete from album_images where album = :album and image in ({PART})',
}
UNDO = {
    **{kind: CHANGE[other] for kind, other in UNDOES.items()},
    ActKind.RESTORE: f"""
      update images
      set deleted_at = (select before from act_images where act = :act and image = images.id)
      where id in ({PART})
    """,
    ActKind.REMOVE: f"""
      insert into album_images (album, sort_key, image, added_at)
      select albums.id, images.sort_key, images.id, act_images.before
      from act_images
      join images on images.id = act_images.image
      join albums on albums.id = :album and albums.q is null and albums.deleted_at is null
      where act_images.act = :act and act_images.image in ({PART})
    """,
}


def act_of(row: Row) -> Act:
    kind, state = ActKind(str(row['kind'])), ActState(str(row['state']))
    return builder(Act)(row | {'kind': kind, 'state': state})


def one(db: apsw.Connection, act_id: int) -> Act:
    found = select(db, 'select * from acts where id = :id', id=act_id)
    if not found:
        raise NotFound(N_("This can't be undone any more."))
    return act_of(found[0])


def _part(db: apsw.Connection, act: Act, below: int, limit: int) -> tuple[int, int]:
    """Return the lowest id of the newest pictures of an act that are below one, and their count."""
    [part] = select(
        db,
        """
        select coalesce(min(image), 0) as low, count(*) as images
        from (
          select image
          from act_images
          where act = :act and image < :below
          order by image desc
          limit :limit
        )
        """,
        act=act.id,
        below=below,
        limit=limit,
    )
    return cast('int', part['low']), cast('int', part['images'])


def forward(db: apsw.Connection, act: Act, now: float, missing: Sequence[int], limit: int) -> Step:
    """Change the next pictures of an act, the newest first."""
    low, count = _part(db, act, act.reached, limit)
    values: dict[str, Value] = {'act': act.id, 'album': act.album, 'now': now}
    values |= {'low': low, 'high': act.reached, 'gone': json.dumps(missing)}
    db.execute(
        f"""
        delete from act_images
        where {ROWS} and (
          image in (select value from json_each(:gone))
          or image not in (select id from images where id in ({PART}) and {NEEDS[act.kind]})
        )
        """,
        values,
    )
    generations, changed = _generations(db, values)
    if act.kind in BEFORE:
        db.execute(f'update act_images set before = ({BEFORE[act.kind]}) where {ROWS}', values)
    if act.kind is ActKind.DESTROY:
        destroy(db, PART, values)
    else:
        db.execute(CHANGE[act.kind], values)
    state = ActState.DONE if count < limit else ActState.RUNNING
    values |= {'state': state, 'count': count, 'changed': changed, 'missing': len(missing)}
    db.execute(
        """
        update acts
        set state = :state, reached = :low, handled = handled + :count,
          changed = changed + :changed, missing = missing + :missing
        where id = :act
        """,
        values,
    )
    return Step(one(db, act.id), generations)


def back(db: apsw.Connection, act: Act, limit: int) -> Step:
    """Take back the newest pictures that an act changed, and drop those that it did not yet."""
    low, count = _part(db, act, ABOVE_ALL, limit)
    values: dict[str, Value] = {'act': act.id, 'album': act.album, 'now': act.began_at}
    values |= {'low': max(low, act.reached), 'high': ABOVE_ALL}
    generations, changed = tuple[int, ...](), 0
    if act.reached < ABOVE_ALL:
        db.execute(
            f"""
            delete from act_images
            where {ROWS} and image not in (
              select id from images where id in ({PART}) and {NEEDS[UNDOES[act.kind]]}
            )
            """,
            values,
        )
        generations, changed = _generations(db, values)
        db.execute(UNDO[act.kind], values)
    db.execute(f'delete from act_images where {ROWS}', values | {'low': low})
    values |= {'state': ActState.UNDONE if count < limit else ActState.UNDOING, 'changed': changed}
    db.execute(
        'update acts set state = :state, handled = handled + :changed where id = :act', values
    )
    return Step(one(db, act.id), generations)


def _generations(db: apsw.Connection, values: dict[str, Value]) -> tuple[tuple[int, ...], int]:
    """Return the generations of a piece's pictures, and how many pictures these are."""
    sql = f"""
        select json_group_array(distinct generation_id) as ids, count(*) as images
        from images
        where id in ({PART})
    """
    [found] = select(db, sql, **values)
    return tuple(json.loads(str(found['ids']))), cast('int', found['images'])

"""Which pictures an act is about, and what that takes out of earlier acts."""

# ruff: noqa: S608 (only our own clauses; every value is bound)
from __future__ import annotations

import json

import apsw

from app.database.acts.kinds import ABOVE_ALL, Act, ActKind, NewAct
from app.database.sqlite.connection import Value, select

IN_ALBUM = 'select 1 from album_images where album = :album and image = images.id'
NEEDS = {
    ActKind.FAVOURITE: 'favourite = 0',
    ActKind.UNFAVOURITE: 'favourite = 1',
    ActKind.DELETE: 'deleted_at is null',
    ActKind.RESTORE: 'deleted_at is not null',
    ActKind.DESTROY: 'deleted_at is not null',
    ActKind.ADD: f'not exists ({IN_ALBUM})',
    ActKind.REMOVE: f'exists ({IN_ALBUM})',
}
FAMILIES = (  # of acts that change the same of a picture
    (ActKind.FAVOURITE, ActKind.UNFAVOURITE),
    (ActKind.DELETE, ActKind.RESTORE, ActKind.DESTROY),
    (ActKind.ADD, ActKind.REMOVE),
)


def choose(db: apsw.Connection, act: Act, new: NewAct, ids: str) -> None:
    """Write down the pictures of a list that an act will change, a guest's own alone."""
    among = 'id in (select value from json_each(:ids)) and (:guest is null or guest = :guest)'
    values: dict[str, Value] = {'act': act.id, 'ids': ids, 'album': act.album, 'guest': act.guest}
    spared = 'favourite = 0' if new.spares_favourites else 'true'
    db.execute(
        f"""
        insert into act_images (act, image)
        select :act, id
        from images
        where {among} and {NEEDS[act.kind]} and {spared}
        """,
        values,
    )
    total = f'total + {db.changes()} - json_array_length(:ids)'
    db.execute(f'update acts set total = {total} where id = :act', values)
    [own] = select(db, f'select json_group_array(id) as ids from images where {among}', **values)
    outdate(db, str(own['ids']), act.kind, act.album, act.id)


def outdate(
    db: apsw.Connection, ids: str, kind: ActKind, album: int | None = None, by: int = ABOVE_ALL
) -> None:
    """Take pictures out of all acts below one that changed, or will change, the same of them.

    The act `by` takes only what it will change out of those that have ended: a form that is sent
    twice changes nothing the second time, and the first can still be undone.
    """
    kinds = next(family for family in FAMILIES if kind in family)
    db.execute(
        """
        delete from act_images
        where image in (select value from json_each(:ids)) and exists (
          select 1
          from acts
          where id = act_images.act and id < :by and album is :album
            and kind in (select value from json_each(:kinds))
            and (
              :by = :above_all
              or state = 'undoing'
              or state in ('choosing', 'running') and act_images.image < reached
              or exists (
                select 1
                from act_images as own
                where own.act = :by and own.image = act_images.image
              )
            )
        )
        """,
        {'ids': ids, 'kinds': json.dumps(kinds), 'album': album, 'by': by, 'above_all': ABOVE_ALL},
    )

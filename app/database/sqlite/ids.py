"""Ids that are given before there is a row: none of them is ever given again."""

from __future__ import annotations

from typing import cast

import apsw

from app.database.sqlite.connection import Row, select


def reserve_ids(db: apsw.Connection, table: str, count: int = 1) -> int:
    """Reserve so many ids of `images` or `generations`; return the first."""
    values: Row = {'name': table, 'count': count}
    [given] = select(
        db,
        f"""
        insert into reserved (name, last)
        values (:name, :count + (select coalesce(max(id), 0) from {table}))
        on conflict (name) do update set last = :count + max(last, (
          select coalesce(max(id), 0) from {table}
        ))
        returning last
        """,  # noqa: S608 (names are ours)
        **values,
    )
    return cast('int', given['last']) - count + 1


def raise_sequence(db: apsw.Connection, table: str, last: int) -> None:
    """See to it that rows without an id get none up to this one."""
    given: Row = {'name': table, 'last': last}
    db.execute('update sqlite_sequence set seq = max(seq, :last) where name = :name', given)
    if not db.changes():
        db.execute('insert into sqlite_sequence (name, seq) values (:name, :last)', given)


def is_given(db: apsw.Connection, image_id: int) -> bool:
    """Whether an id of a picture was given, so that no other will have it."""
    sql = """
        select 1
        from (
          select seq as last from sqlite_sequence where name = 'images'
          union all
          select last from reserved where name = 'images'
        )
        where last >= :id
    """
    return bool(select(db, sql, id=image_id))

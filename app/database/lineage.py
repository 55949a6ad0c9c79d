"""Where pictures came from, as labels tell it: by digests, which mean the same everywhere."""

from __future__ import annotations

from typing import cast

import apsw

from app.database.sqlite.connection import select
from app.database.sqlite.ids import is_given, raise_sequence, reserve_ids
from app.models import TracedPicture


def id_here(db: apsw.Connection, traced: TracedPicture) -> int:
    """Return the id of a picture that a label names.

    One that isn't here is awaited under an id that no other picture will get.
    """
    sql = 'select id from images where digest = :digest order by id <> :id, id limit 1'
    found = select(db, sql, digest=traced.digest, id=traced.id)
    if found:
        return cast('int', found[0]['id'])
    awaited = awaited_id(db, traced.digest)
    if awaited is not None:
        return awaited
    own = traced.id if _is_free(db, traced.id) else reserve_ids(db, 'images')
    raise_sequence(db, 'images', own)
    if traced.digest:
        db.execute(
            'insert into awaited_pictures (digest, id) values (:digest, :id)',
            {'digest': traced.digest, 'id': own},
        )
    return own


def awaited_id(db: apsw.Connection, digest: str) -> int | None:
    """Return the id under which other pictures await the one with a digest."""
    found = select(db, 'select id from awaited_pictures where digest = :digest', digest=digest)
    return cast('int', found[0]['id']) if found else None


def arrived(db: apsw.Connection, digest: str) -> None:
    db.execute('delete from awaited_pictures where digest = :digest', {'digest': digest})


def is_taken(db: apsw.Connection, image_id: int | None) -> bool:
    """Whether a picture has an id, or is awaited under it."""
    sql = """
        select 1 from images where id = :id
        union all
        select 1 from awaited_pictures where id = :id
    """
    return bool(select(db, sql, id=image_id))


def _is_free(db: apsw.Connection, image_id: int) -> bool:
    return image_id > 0 and is_given(db, image_id) and not is_taken(db, image_id)

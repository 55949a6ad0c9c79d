"""How much may wait: in all, and of one visitor."""

from __future__ import annotations

from typing import cast

import apsw

from app.database.connection import Row
from app.errors import N_, QueueFull

LONGEST_QUEUE = 20_000
LONGEST_SHARE = 200


def refuse_one_too_many(db: apsw.Connection, share: str) -> None:
    """Refuse to queue one more; an empty share is nobody's in particular, and has no limit.

    Raises:
        QueueFull: `LONGEST_QUEUE` generations wait already, or `LONGEST_SHARE` of this visitor.
    """
    rows = db.execute(
        """
        select count(*) as everyones, count(*) filter (where share = :share) as own
        from generations
        where status = 'queued'
        """,
        {'share': share},
    ).fetchall()
    waiting = cast('Row', rows[0])
    if cast('int', waiting['everyones']) >= LONGEST_QUEUE:
        raise QueueFull(N_('{count} generations wait already.'), count=LONGEST_QUEUE)
    if share and cast('int', waiting['own']) >= LONGEST_SHARE:
        raise QueueFull(N_('{count} generations of yours wait already.'), count=LONGEST_SHARE)

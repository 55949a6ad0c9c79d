"""The calls that an attempt at a generation made."""

from __future__ import annotations

import json
from typing import cast

import apsw

from app.database.connection import Database, Row
from app.models import Call, Generation


class Calls:
    """The table of calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, generation_id: int) -> tuple[Call, ...]:
        """List the calls of a generation in their order."""

        def query(db: apsw.Connection) -> tuple[Call, ...]:
            rows = db.execute(
                """
                select method, url, headers, body, status, answer, reason, dropped, began_at, took_s
                from attempts
                where generation_id = :id
                order by attempt, number
                """,
                {'id': generation_id},
            )
            return tuple(_attempt_of(cast('Row', row)) for row in rows)

        return await self._database.read(query)


def add_attempts(db: apsw.Connection, generation: Generation, attempts: tuple[Call, ...]) -> None:
    """Write the calls of one attempt, within the transaction that finishes it."""
    for number, attempt in enumerate(attempts):
        db.execute(
            """
            insert into attempts (
              generation_id, attempt, number, method, url, headers, body, status, answer, reason,
              dropped, began_at, took_s
            )
            values (
              :generation_id, :attempt, :number, :method, :url, :headers, :body, :status, :answer,
              :reason, :dropped, :began_at, :took_s
            )
            on conflict do nothing
            """,
            {
                'generation_id': generation.id,
                'attempt': generation.attempt,
                'number': number,
                'method': attempt.method,
                'url': attempt.url,
                'headers': json.dumps(attempt.headers),
                'body': attempt.body,
                'status': attempt.status,
                'answer': attempt.answer,
                'reason': attempt.reason,
                'dropped': json.dumps(attempt.dropped),
                'began_at': attempt.began_at,
                'took_s': attempt.took_s,
            },
        )


def _attempt_of(row: Row) -> Call:
    fields = dict(row)
    pairs = cast('list[list[str]]', json.loads(str(row['headers'])))
    fields['headers'] = tuple((name, value) for name, value in pairs)  # type: ignore[assignment]
    fields['dropped'] = tuple(json.loads(str(row['dropped'])))  # type: ignore[assignment]
    return Call(**fields)  # type: ignore[arg-type]

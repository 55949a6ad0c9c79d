"""Statements about the calls that the attempts at a generation made."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import cast

import apsw

from app.database.connection import Database, Row, insert
from app.models import Call, Generation


class Calls:
    """The table `attempts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, generation_id: int) -> tuple[Call, ...]:
        return await self._database.all(
            _call_of,
            """
            select method, url, headers, body, status, answer, reason, dropped, began_at, took_s
            from attempts
            where generation_id = :id
            order by attempt, number
            """,
            id=generation_id,
        )


def add_calls(db: apsw.Connection, generation: Generation, calls: tuple[Call, ...]) -> None:
    """Write the calls of one attempt, within the transaction that finishes it."""
    for number, call in enumerate(calls):
        own = {'generation_id': generation.id, 'attempt': generation.attempt, 'number': number}
        texts = {'headers': json.dumps(call.headers), 'dropped': json.dumps(call.dropped)}
        insert(db, 'attempts', asdict(call) | own | texts, 'on conflict do nothing')


def _call_of(row: Row) -> Call:
    fields = dict(row)
    pairs = cast('list[list[str]]', json.loads(str(row['headers'])))
    fields['headers'] = tuple((name, value) for name, value in pairs)  # type: ignore[assignment]
    fields['dropped'] = tuple(json.loads(str(row['dropped'])))  # type: ignore[assignment]
    return Call(**fields)  # type: ignore[arg-type]

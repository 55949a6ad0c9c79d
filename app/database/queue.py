"""What is to come: places in the queue, how long such things took, how far one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import apsw

from app.database.connection import Database, Row


@dataclass(frozen=True, slots=True)
class Waiting:
    """A generation at the head of its queue.

    Attributes:
        provider: Who was asked for; empty: whoever can.
        model: What was asked for; None: the provider's own.
    """

    id: int
    provider: str
    model: str | None


class Ahead:
    """Looks at the queue and at the past."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def durations(
        self, provider: str, model: str | None, count: int, limit: int
    ) -> tuple[float, ...]:
        """Give the seconds that the newest finished ones of the same kind took."""

        def query(db: apsw.Connection) -> tuple[float, ...]:
            rows = db.execute(
                """
                select finished_at - started_at as took_s
                from generations
                where status = 'done' and provider = :provider and model is :model
                  and coalesce(n, 1) = :count
                order by id desc
                limit :limit
                """,
                {'provider': provider, 'model': model, 'count': count, 'limit': limit},
            )
            return tuple(cast('float', cast('Row', row)['took_s']) for row in rows)

        return await self._database.read(query)

    async def queued_before(self, generation_id: int) -> int:
        """Count what waits before this one for the same provider."""

        def query(db: apsw.Connection) -> int:
            rows = db.execute(
                """
                select count(*) as waiting
                from generations as other
                join generations as mine on mine.id = :id and mine.provider = other.provider
                where other.status = 'queued' and other.id < :id
                """,
                {'id': generation_id},
            ).fetchall()
            return cast('int', cast('Row', rows[0])['waiting'])

        return await self._database.read(query)

    async def progressed(self, generation_id: int, attempt: int, progress: float) -> None:
        """Write down how far the drawing is, 0 to 1; of a finished one nothing is written."""

        def change(db: apsw.Connection) -> None:
            db.execute(
                """
                update generations
                set progress = :progress
                where id = :id and attempt = :attempt and status = 'running'
                """,
                {'id': generation_id, 'attempt': attempt, 'progress': progress},
            )

        await self._database.write(change)

    async def waiting(self) -> tuple[Waiting, ...]:
        """Give the oldest generation that waits for each provider and model, oldest first."""

        def query(db: apsw.Connection) -> tuple[Waiting, ...]:
            rows = db.execute(
                """
                select min(id) as id, asked_provider as provider, asked_model as model
                from generations
                where status = 'queued'
                group by asked_provider, asked_model
                order by 1
                """
            )
            return tuple(Waiting(**cast('Row', row)) for row in rows)  # type: ignore[arg-type]

        return await self._database.read(query)

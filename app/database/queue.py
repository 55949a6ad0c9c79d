"""Statements about the queue: limits, positions, durations and progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import apsw

from app.database.connection import Table, builder, select
from app.errors import N_, QueueFull

LONGEST_QUEUE = 20_000
LONGEST_SHARE = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """The oldest waiting generation of a provider ('': any that can) and model (None: its own)."""

    id: int
    provider: str
    model: str | None


class Queue(Table):
    """The part of `generations` that waits or runs."""

    async def durations(
        self, provider: str, model: str | None, count: int, limit: int
    ) -> tuple[float, ...]:
        """Return the seconds that the newest finished generations of the same kind took."""
        return await self._database.all(
            lambda row: cast('float', row['took_s']),
            """
            select finished_at - started_at as took_s
            from generations
            where status = 'done' and provider = :provider and model is :model
              and coalesce(n, 1) = :count
            order by id desc
            limit :limit
            """,
            provider=provider,
            model=model,
            count=count,
            limit=limit,
        )

    async def queued_before(self, generation_id: int) -> int:
        """Return how many generations wait before this one for the same provider."""
        waiting = await self._database.all(
            lambda row: cast('int', row['waiting']),
            """
            select count(*) as waiting
            from generations as other
            join generations as mine on mine.id = :id and mine.provider = other.provider
            where other.status = 'queued' and other.id < :id
            """,
            id=generation_id,
        )
        return waiting[0]

    async def progressed(self, generation_id: int, attempt: int, progress: float) -> None:
        """Write the progress, 0 to 1, of an attempt that still runs."""
        await self._database.run(
            """
            update generations
            set progress = :progress
            where id = :id and attempt = :attempt and status = 'running'
            """,
            id=generation_id,
            attempt=attempt,
            progress=progress,
        )

    async def waiting(self) -> tuple[Waiting, ...]:
        """Return the oldest waiting generation of each provider and model, oldest first."""
        return await self._database.all(
            builder(Waiting),
            """
            select min(id) as id, asked_provider as provider, asked_model as model
            from generations
            where status = 'queued'
            group by asked_provider, asked_model
            order by 1
            """,
        )


def refuse_when_full(db: apsw.Connection, quota_key: str) -> None:
    """Raise `QueueFull` where too much waits; an empty quota key has no limit of its own."""
    [waiting] = select(
        db,
        """
        select count(*) as everyones, count(*) filter (where share = :quota_key) as own
        from generations
        where status = 'queued'
        """,
        quota_key=quota_key,
    )
    if cast('int', waiting['everyones']) >= LONGEST_QUEUE:
        raise QueueFull(N_('{count} generations wait already.'), count=LONGEST_QUEUE)
    if quota_key and cast('int', waiting['own']) >= LONGEST_SHARE:
        raise QueueFull(N_('{count} generations of yours wait already.'), count=LONGEST_SHARE)

"""What was learned of providers while asking them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import apsw

from app.database.connection import Database, Row


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was learned.

    Attributes:
        base_url: Of the provider, without its query.
        model: What was asked for; empty where it holds for all of them.
        name: What it is about: `refused`, `response_format`, …
        value: In the words of whoever learned it.
    """

    base_url: str
    model: str
    name: str
    value: str


class LearnedFacts:
    """The table of facts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[Fact, ...]:
        """Read everything that is known."""

        def query(db: apsw.Connection) -> tuple[Fact, ...]:
            rows = db.execute(
                """
                select origin, model, fact, value
                from learned
                order by origin, model, fact
                """
            )
            found = (cast('Row', row) for row in rows)
            return tuple(Fact(*(str(value) for value in row.values())) for row in found)

        return await self._database.read(query)

    async def keep(self, fact: Fact, now: float) -> None:
        """Write a fact down, over what was known of the same thing."""

        def change(db: apsw.Connection) -> None:
            db.execute(
                """
                insert into learned (origin, model, fact, value, learned_at)
                values (:origin, :model, :fact, :value, :now)
                on conflict (origin, model, fact) do update
                set value = :value, learned_at = :now
                """,
                {
                    'origin': fact.base_url,
                    'model': fact.model,
                    'fact': fact.name,
                    'value': fact.value,
                    'now': now,
                },
            )

        await self._database.write(change)

    async def forget(self, base_url: str, model: str | None = None) -> None:
        """Drop what is known of a provider, or of one model of it."""

        def change(db: apsw.Connection) -> None:
            db.execute(
                """
                delete from learned
                where origin = :origin and model = coalesce(:model, model)
                """,
                {'origin': base_url, 'model': model},
            )

        await self._database.write(change)

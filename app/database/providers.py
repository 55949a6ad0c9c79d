"""Questions and changes about the providers that were added in Settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import apsw

from app.database.connection import Database, Row, read_beside
from app.errors import N_, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """A provider as the table has it: nothing of it is secret.

    Attributes:
        id: None until it is written.
    """

    name: str
    base_url: str
    dialect: str
    model: str
    at_once: int
    timeout_s: float
    tops_up: bool
    waits: bool
    previews: bool
    enabled: bool
    id: int | None = None


def rows_in(path: Path) -> tuple[ProviderRow, ...]:
    """Read the providers of a database that another process may hold; nothing is written.

    Raises:
        StorageFailed: It can't be read now, or is of another version.
    """
    if not path.exists():
        return ()
    return read_beside(path, lambda db: tuple(_in_order(db)))


class ProviderRows:
    """The table of providers, in the order that a person gave them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[ProviderRow, ...]:
        """Read all, in their order."""
        return await self._database.read(lambda db: tuple(_in_order(db)))

    async def add(self, row: ProviderRow) -> ProviderRow:
        """Write a new one, last in order."""

        def change(db: apsw.Connection) -> ProviderRow:
            rows = db.execute(
                """
                insert into providers (
                  name, base_url, dialect, model, at_once, timeout_s,
                  tops_up, waits, previews, enabled, place
                )
                values (
                  :name, :base_url, :dialect, :model, :at_once, :timeout_s,
                  :tops_up, :waits, :previews, :enabled,
                  (select coalesce(max(place), 0) + 1 from providers)
                )
                returning *
                """,
                asdict(row),
            ).fetchall()
            return _row_of(rows[0])

        return await self._database.write(change)

    async def change(self, row: ProviderRow) -> None:
        """Write one anew; what waits for it by its old name waits for the new one.

        Raises:
            NotFound: There is no such provider.
        """

        def change(db: apsw.Connection) -> None:
            before = _one(db, row.id)
            db.execute(
                """
                update providers
                set name = :name, base_url = :base_url, dialect = :dialect, model = :model,
                  at_once = :at_once, timeout_s = :timeout_s, tops_up = :tops_up, waits = :waits,
                  previews = :previews, enabled = :enabled
                where id = :id
                """,
                asdict(row),
            )
            db.execute(
                """
                update generations
                set provider = :name, asked_provider = iif(asked_provider = '', '', :name)
                where status = 'queued' and provider = :before
                """,
                {'name': row.name, 'before': before.name},
            )

        await self._database.write(change)

    async def remove(self, provider_id: int) -> None:
        """Delete one; its pictures keep its name.

        Raises:
            NotFound: There is no such provider.
        """

        def change(db: apsw.Connection) -> None:
            _one(db, provider_id)
            db.execute('delete from providers where id = :id', {'id': provider_id})

        await self._database.write(change)

    async def move(self, provider_id: int, by: int) -> None:
        """Move one up (-1) or down (1) in the order, as far as there is room.

        Raises:
            NotFound: There is no such provider.
        """

        def change(db: apsw.Connection) -> None:
            _one(db, provider_id)
            ids = [row.id for row in _in_order(db)]
            at = ids.index(provider_id)
            ids.insert(max(0, at + by), ids.pop(at))
            db.executemany(
                'update providers set place = :place where id = :id',
                [{'place': place, 'id': one} for place, one in enumerate(ids, start=1)],
            )

        await self._database.write(change)


def _in_order(db: apsw.Connection) -> list[ProviderRow]:
    rows = db.execute('select * from providers order by place, id').fetchall()
    return [_row_of(row) for row in rows]


def _one(db: apsw.Connection, provider_id: int | None) -> ProviderRow:
    rows = db.execute('select * from providers where id = :id', {'id': provider_id}).fetchall()
    if not rows:
        raise NotFound(N_('There is no such server.'))
    return _row_of(rows[0])


def _row_of(row: object) -> ProviderRow:
    fields = dict(cast('Row', row))
    del fields['place']
    for switch in ('tops_up', 'waits', 'previews', 'enabled'):
        fields[switch] = bool(fields[switch])
    return ProviderRow(**fields)  # type: ignore[arg-type]

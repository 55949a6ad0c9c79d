"""Statements about the providers that were added in Settings, and what was learned of any."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import apsw

from app.database.sqlite.connection import Row, Table, builder, insert, select
from app.database.sqlite.readers import read_beside
from app.errors import N_, NotFound

AT_ONCE = 4
ALL = 'select * from providers order by place, id'


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """A provider as the table has it, nothing of it secret; the id is None until it is written."""

    name: str
    base_url: str  # the API's root, `http://localhost:1337/v1`; a query in it goes with every call
    model: str  # what is asked for when nobody chose; empty: no model is sent
    timeout_s: float  # from the request to the last byte of the response
    dialect: str = 'auto'
    at_once: int = AT_ONCE  # so many generations may be under way at the same time
    tops_up: bool = False  # whether pictures that are missing are asked for one by one
    waits: bool = False  # whether a 429, or a 503 with Retry-After, is waited for and asked again
    previews: bool = False  # whether partial pictures are asked for; they may cost
    mask_inverted: bool = False  # whether it takes black, and not white, for what may change
    enabled: bool = True
    id: int | None = None


_built = builder(ProviderRow, 'tops_up', 'waits', 'previews', 'mask_inverted', 'enabled')


def rows_in(path: Path) -> tuple[ProviderRow, ...]:
    """Read the providers of a database that another process may hold; raises as `read_beside`."""
    if not path.exists():
        return ()
    return read_beside(path, lambda db: tuple(_in_order(db)))


class ProviderRows(Table):
    """The table of providers, in the order that a person gave them."""

    async def all(self) -> tuple[ProviderRow, ...]:
        return await self._database.all(_row_of, ALL)

    async def add(self, row: ProviderRow) -> ProviderRow:
        """Write a new one, last in order."""

        def change(db: apsw.Connection) -> ProviderRow:
            [last] = select(db, 'select coalesce(max(place), 0) as place from providers')
            place = cast('int', last['place']) + 1
            [added] = insert(db, 'providers', asdict(row) | {'place': place}, 'returning *')
            return _row_of(added)

        return await self._database.write(change)

    async def change(self, row: ProviderRow) -> None:
        """Write one anew, also its name in what waits for it. Raises `NotFound`."""

        def change(db: apsw.Connection) -> None:
            before = _one(db, row.id)
            db.execute(
                """
                update providers
                set name = :name, base_url = :base_url, dialect = :dialect, model = :model,
                  at_once = :at_once, timeout_s = :timeout_s, tops_up = :tops_up, waits = :waits,
                  previews = :previews, mask_inverted = :mask_inverted, enabled = :enabled
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
        """Delete one; its pictures keep its name. Raises `NotFound`."""
        statement = 'delete from providers where id = :id returning id'
        if not await self._database.run(statement, id=provider_id):
            raise NotFound(N_('Server not found.'))

    async def move(self, provider_id: int, by: int) -> None:
        """Move one up (-1) or down (1) in the order, as far as there is room. Raises `NotFound`."""

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


class LearnedFacts(Table):
    """The table `learned`: by base URL, model (empty for all of them) and name, one value."""

    async def all(self) -> dict[tuple[str, str, str], str]:
        facts = await self._database.all(
            lambda row: [str(value) for value in row.values()],
            'select origin, model, fact, value from learned order by origin, model, fact',
        )
        return {(base_url, model, name): value for base_url, model, name, value in facts}

    async def keep(self, base_url: str, model: str, name: str, value: str, now: float) -> None:
        await self._database.run(
            """
            insert into learned (origin, model, fact, value, learned_at)
            values (:base_url, :model, :name, :value, :now)
            on conflict (origin, model, fact) do update
            set value = :value, learned_at = :now
            """,
            base_url=base_url,
            model=model,
            name=name,
            value=value,
            now=now,
        )

    async def forget(self, base_url: str, model: str, name: str) -> None:
        await self._database.run(
            """
            delete from learned
            where origin = :base_url and model = :model and fact = :name
            """,
            base_url=base_url,
            model=model,
            name=name,
        )

    async def forget_all(self, base_url: str) -> None:
        await self._database.run('delete from learned where origin = :base_url', base_url=base_url)


def _in_order(db: apsw.Connection) -> list[ProviderRow]:
    return [_row_of(row) for row in select(db, ALL)]


def _one(db: apsw.Connection, provider_id: int | None) -> ProviderRow:
    found = select(db, 'select * from providers where id = :id', id=provider_id)
    if not found:
        raise NotFound(N_('Server not found.'))
    return _row_of(found[0])


def _row_of(row: Row) -> ProviderRow:
    return _built({name: value for name, value in row.items() if name != 'place'})

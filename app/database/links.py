"""Questions and changes about the links that guests come in by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import apsw

from app.database.connection import Database, Row
from app.errors import N_, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRow:
    """A guest's link; times are seconds since 1970, UTC.

    Attributes:
        token_hash: sha256 of what the link ends in, in hex.
        expires_at: None where it lasts until it is revoked.
        id: None until it is written.
    """

    name: str
    token_hash: str
    makes: bool
    sees_all: bool
    created_at: float
    expires_at: float | None
    revoked_at: float | None = None
    id: int | None = None

    def is_valid(self, now: float) -> bool:
        """Whether it still lets anybody in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class GuestRows:
    """The table of guests; a revoked one stays, since pictures name it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[GuestRow, ...]:
        """Read all, the newest first."""
        return await self._database.read(
            lambda db: tuple(
                _row_of(row) for row in db.execute('select * from guests order by id desc')
            )
        )

    async def add(self, row: GuestRow) -> GuestRow:
        """Write a new one."""

        def change(db: apsw.Connection) -> GuestRow:
            rows = db.execute(
                """
                insert into guests (name, token_hash, makes, sees_all, created_at, expires_at)
                values (:name, :token_hash, :makes, :sees_all, :created_at, :expires_at)
                returning *
                """,
                {
                    'name': row.name,
                    'token_hash': row.token_hash,
                    'makes': row.makes,
                    'sees_all': row.sees_all,
                    'created_at': row.created_at,
                    'expires_at': row.expires_at,
                },
            ).fetchall()
            return _row_of(rows[0])

        return await self._database.write(change)

    async def revoke(self, guest_id: int, now: float) -> None:
        """Let nobody in by a link any more; revoking it again changes nothing.

        Raises:
            NotFound: There is no such link.
        """

        def change(db: apsw.Connection) -> None:
            rows = db.execute(
                """
                update guests
                set revoked_at = coalesce(revoked_at, :now)
                where id = :id
                returning id
                """,
                {'id': guest_id, 'now': now},
            ).fetchall()
            if not rows:
                raise NotFound(N_('There is no such link.'))

        await self._database.write(change)


def _row_of(row: object) -> GuestRow:
    fields = dict(cast('Row', row))
    for tick in ('makes', 'sees_all'):
        fields[tick] = bool(fields[tick])
    return GuestRow(**fields)  # type: ignore[arg-type]

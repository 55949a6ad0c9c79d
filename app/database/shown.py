"""Questions and changes about links to one picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import cast

import apsw

from app.database.connection import Database, Row
from app.errors import N_, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A link to one picture; times are seconds since 1970, UTC.

    Attributes:
        token_hash: sha256 of what the link ends in, in hex.
        tells_prompt: Whether the prompt stands beside the picture.
        expires_at: None where it lasts until it is revoked.
        id: None until it is written.
    """

    image_id: int
    token_hash: str
    tells_prompt: bool
    created_at: float
    expires_at: float | None
    id: int | None = None


class ShownRows:
    """The table of those links; a revoked one is gone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[ShownRow, ...]:
        """Read all, the newest first."""
        return await self._database.read(
            lambda db: tuple(
                _row_of(row) for row in db.execute('select * from shown_pictures order by id desc')
            )
        )

    async def by_hash(self, token_hash: str, now: float) -> ShownRow | None:
        """Find the link of a token, None where there is none that is valid."""

        def query(db: apsw.Connection) -> ShownRow | None:
            rows = db.execute(
                """
                select shown_pictures.*
                from shown_pictures
                join images on images.id = shown_pictures.image_id
                where token_hash = :hash and deleted_at is null
                  and (expires_at is null or expires_at > :now)
                """,
                {'hash': token_hash, 'now': now},
            ).fetchall()
            return _row_of(rows[0]) if rows else None

        return await self._database.read(query)

    async def add(self, row: ShownRow) -> None:
        """Write a new one."""

        def change(db: apsw.Connection) -> None:
            db.execute(
                """
                insert into shown_pictures (
                  image_id, token_hash, tells_prompt, created_at, expires_at
                )
                values (:image_id, :token_hash, :tells_prompt, :created_at, :expires_at)
                """,
                asdict(row),
            )

        await self._database.write(change)

    async def revoke(self, shown_id: int) -> None:
        """Delete a link.

        Raises:
            NotFound: There is no such link.
        """

        def change(db: apsw.Connection) -> None:
            db.execute('delete from shown_pictures where id = :id', {'id': shown_id})
            if not db.changes():
                raise NotFound(N_('There is no such link.'))

        await self._database.write(change)


def _row_of(row: object) -> ShownRow:
    fields = dict(cast('Row', row))
    fields['tells_prompt'] = bool(fields['tells_prompt'])
    return ShownRow(**fields)  # type: ignore[arg-type]

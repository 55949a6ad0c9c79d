"""Statements about links: those of guests, and those to one picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from app.database.sqlite.connection import Row, Table, builder
from app.errors import N_, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRow:
    """A guest's link; times are seconds since 1970, UTC."""

    name: str
    token_hash: str  # sha256 of the token that the link ends in, in hex
    makes: bool
    sees_all: bool
    album: int | None = None  # the one album that they see, and their own pictures
    created_at: float
    expires_at: float | None  # None where it lasts until it is revoked
    revoked_at: float | None = None
    id: int | None = None  # None until it is written

    def is_valid(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A link to one picture, with its prompt or without; the rest is as in `GuestRow`."""

    image_id: int
    token_hash: str
    tells_prompt: bool
    created_at: float
    expires_at: float | None
    id: int | None = None


_guest_of = builder(GuestRow, 'makes', 'sees_all')
_shown_of = builder(ShownRow, 'tells_prompt')


class GuestRows(Table):
    """The table `guests`; a revoked row stays, since pictures name it."""

    async def all(self) -> tuple[GuestRow, ...]:
        return await self._database.all(_guest_of, 'select * from guests order by id desc')

    async def add(self, row: GuestRow) -> GuestRow:
        return _guest_of(await self._database.insert('guests', asdict(row)))

    async def revoke(self, guest_id: int, now: float) -> None:
        """Revoke a link; the time of an earlier revocation stays. Raises `NotFound`."""
        revoked = await self._database.run(
            """
            update guests
            set revoked_at = coalesce(revoked_at, :now)
            where id = :id
            returning id
            """,
            id=guest_id,
            now=now,
        )
        _refuse_none(revoked)


class ShownRows(Table):
    """The table `shown_pictures`; a revoked row is deleted."""

    async def all(self) -> tuple[ShownRow, ...]:
        return await self._database.all(_shown_of, 'select * from shown_pictures order by id desc')

    async def by_hash(self, token_hash: str, now: float) -> ShownRow | None:
        return await self._database.one(
            _shown_of,
            """
            select shown_pictures.*
            from shown_pictures
            join images on images.id = shown_pictures.image_id
            where token_hash = :hash and deleted_at is null
              and (expires_at is null or expires_at > :now)
            """,
            hash=token_hash,
            now=now,
        )

    async def add(self, row: ShownRow) -> None:
        await self._database.insert('shown_pictures', asdict(row))

    async def revoke(self, shown_id: int) -> None:
        """Delete a link. Raises `NotFound`."""
        statement = 'delete from shown_pictures where id = :id returning id'
        _refuse_none(await self._database.run(statement, id=shown_id))


def _refuse_none(changed: list[Row]) -> None:
    if not changed:
        raise NotFound(N_('Link not found.'))

"""Who is a guest: the links that were given away, kept in memory so that no request asks for them.

A link ends in a random token, of which only the hash is kept.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

from app.database.links import GuestRow, GuestRows

TOKEN_BYTES = 24


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """Return what is kept of a token, which is too random to be guessed from it."""
    return hashlib.sha256(token.encode('utf-8', 'surrogatepass')).hexdigest()


class Guests:
    """Every link, valid or not."""

    def __init__(self, rows: GuestRows, clock: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._clock = clock
        self._known: dict[int, GuestRow] = {}

    async def load(self) -> Guests:
        self._known = {row.id: row for row in await self._rows.all() if row.id is not None}
        return self

    def all(self) -> tuple[GuestRow, ...]:
        """Return every link, the newest first."""
        return tuple(self._known.values())

    def is_valid(self, row: GuestRow) -> bool:
        return row.is_valid(self._clock())

    def name_of(self, guest_id: int) -> str:
        """Return a guest's name, also of one whose link is revoked."""
        row = self._known.get(guest_id)
        return row.name if row else ''

    def one(self, guest_id: int) -> GuestRow | None:
        """Return a guest whose link is valid."""
        row = self._known.get(guest_id)
        return row if row and self.is_valid(row) else None

    def by_token(self, token: str) -> GuestRow | None:
        """Return the guest of a link, if it is valid."""
        wanted = hash_of(token)
        matching = (row for row in self._known.values() if row.token_hash == wanted)
        return next(filter(self.is_valid, matching), None)

    async def invite(
        self,
        name: str,
        *,
        makes: bool,
        sees_all: bool,
        for_s: float | None,
        album: int | None = None,
    ) -> str:
        """Make a link; return its token, which nobody can find out again."""
        token, now = new_token(), self._clock()
        await self._rows.add(
            GuestRow(
                name=name,
                token_hash=hash_of(token),
                makes=makes,
                sees_all=sees_all,
                album=album,
                created_at=now,
                expires_at=None if for_s is None else now + for_s,
            )
        )
        await self.load()
        return token

    async def revoke(self, guest_id: int) -> None:
        """End a link; raise `NotFound` if there is none."""
        await self._rows.revoke(guest_id, self._clock())
        await self.load()

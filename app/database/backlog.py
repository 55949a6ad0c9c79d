"""Statements about all that waits or failed: a guest's own, or for the owner everybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import apsw

from app.database.queue import AGAIN, room_for, share_of
from app.database.sqlite.connection import Table, Value, builder, select
from app.errors import ErrorKind

# For want of room or of a server; what failed otherwise was refused, or spoiled after it was paid.
RETRYABLE_KINDS = (
    *(ErrorKind.STORAGE, ErrorKind.UNREACHABLE, ErrorKind.NOT_READY, ErrorKind.RATE_LIMITED),
    *(ErrorKind.TIMEOUT, ErrorKind.GATEWAY_TIMEOUT),
)
# Of these rows, those that a guest may act on; the owner, who is no guest, on all.
THEIRS = '(:guest is null or guest = :guest)'
# Of these rows, those that `retry_all` tries again.
RETRYABLE = f"""
    status = 'failed' and dismissed_at is null and {THEIRS}
      and error ->> 'kind' in ({', '.join(f"'{kind}'" for kind in RETRYABLE_KINDS)})
"""
RETRY = f"""
    update generations
    set {AGAIN}
    where id in (
      select id
      from generations
      where {RETRYABLE} and asked_provider = :asked and asked_model is :model
      order by id
      limit :room
    )
"""  # noqa: S608 (only our own clauses)


@dataclass(frozen=True, slots=True)
class BacklogCounts:
    """How many wait and how many failed."""

    waiting: int
    failed: int
    retryable: int  # of those that failed, for want of room or of a server
    paused: bool  # by whoever looks
    held: bool  # by the owner


class Backlog(Table):
    """The part of `generations` that waits, or failed and can be tried again.

    Each act is on those of a `guest`; None is the owner, who acts on all.
    """

    async def counts(self, guest: int | None) -> BacklogCounts:
        """Return what waits and what failed, of a guest or of all."""
        [found] = await self._database.all(
            builder(BacklogCounts, 'paused', 'held'),
            f"""
            select
              (select coalesce(sum(waiting), 0) from waiting_counts
                where :guest is null or share = :share) as waiting,
              (select count(*) from generations
                where status = 'failed' and dismissed_at is null and {THEIRS}) as failed,
              (select count(*) from generations where {RETRYABLE}) as retryable,
              exists (select 1 from pauses where share = :share) as paused,
              exists (select 1 from pauses where share = '') as held
            """,  # noqa: S608 (only our own clauses)
            guest=guest,
            share=share_of(guest),
        )
        return found

    async def waiting(self, guest: int | None, limit: int) -> tuple[int, ...]:
        """Return the ids of the newest that wait."""
        return await self._database.all(
            lambda row: cast('int', row['id']),
            f"""
            select id
            from generations
            where status = 'queued' and {THEIRS}
            order by +id desc  -- by the index of what waits, not through all that there is
            limit :limit
            """,  # noqa: S608 (only our own clause)
            guest=guest,
            limit=limit,
        )

    async def pause(self, guest: int | None) -> None:
        """Hold back what waits, a guest's own or all, until `resume`."""
        await self._database.run(
            'insert into pauses (share) values (:share) on conflict do nothing',
            share=share_of(guest),
        )

    async def resume(self, guest: int | None) -> None:
        await self._database.run('delete from pauses where share = :share', share=share_of(guest))

    async def cancel_all(self, guest: int | None, now: float) -> tuple[int, ...]:
        """End all that wait, a guest's own or all; returns their ids."""
        return await self._change(
            f"""
            update generations
            set status = 'cancelled', finished_at = :now, share = ''
            where status = 'queued' and {THEIRS}
            """,  # noqa: S608 (only our own clause)
            guest=guest,
            now=now,
        )

    async def retryable(self, guest: int | None) -> tuple[tuple[str, str | None], ...]:
        """Return what those asked for that `retry_all` tries again: provider and model."""
        return await self._database.all(
            lambda row: (str(row['provider']), cast('str | None', row['model'])),
            f"""
            select distinct asked_provider as provider, asked_model as model
            from generations
            where {RETRYABLE}
            """,  # noqa: S608 (only our own clauses)
            guest=guest,
        )

    async def retry_all(
        self, expected: Mapping[tuple[str, str | None], str], quota_key: str, guest: int | None
    ) -> tuple[int, ...]:
        """Queue again what failed for want of room or of a server; returns the ids.

        Args:
            expected: The provider that will draw, by what was asked for; the rest stays as it is.
            quota_key: Of whoever asks for it, who takes up room in the queue.
            guest: Whose failures; None: everybody's.

        Raises `QueueFull` where there is no room at all; else the oldest take what there is.
        """

        def change(db: apsw.Connection) -> tuple[int, ...]:
            share, ids = share_of(guest, quota_key), list[int]()
            room = room_for(db, share)
            for (asked, model), provider in expected.items():
                own = {'asked': asked, 'model': model, 'provider': provider, 'share': share}
                ids += _ids(db, RETRY, **own, guest=guest, room=room - len(ids))
            return tuple(ids)

        return await self._database.write(change)

    async def dismiss_all(self, guest: int | None, now: float) -> tuple[int, ...]:
        """Put away all that failed, a guest's own or all; returns their ids."""
        return await self._change(
            f"""
            update generations
            set dismissed_at = :now
            where status = 'failed' and dismissed_at is null and {THEIRS}
            """,  # noqa: S608 (only our own clause)
            guest=guest,
            now=now,
        )

    async def _change(self, update: str, **values: Value) -> tuple[int, ...]:
        return await self._database.write(lambda db: _ids(db, update, **values))


def _ids(db: apsw.Connection, update: str, **values: Value) -> tuple[int, ...]:
    rows = select(db, f'{update} returning id', **values)
    return tuple(cast('int', row['id']) for row in rows)

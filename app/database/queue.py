"""Statements about the queue: who waits in which order, how long it takes, how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import apsw

from app.database.sqlite.connection import Table, builder, select
from app.errors import N_, QueueFull
from app.models import Generation

LONGEST_QUEUE = 20_000
LONGEST_SHARE = 200
OWNERS_SHARE = ''  # it has no limit, and who pauses it holds back everybody's
# What a further attempt begins with; a guest's counts to the guest's share, whoever asks for it.
AGAIN = """
    status = 'queued', attempt = attempt + 1, provider = :provider,
      share = iif(guest is null, :share, 'guest ' || guest), error = null, item_errors = '[]',
      dropped = '[]', started_at = null, finished_at = null, dismissed_at = null
"""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The generation of a submission, and whether this very submission made it."""

    generation: Generation
    new: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Those of one share that wait for the same."""

    id: int  # of the oldest
    share: str
    expected: str  # the provider that will draw, as far as is known
    provider: str  # the one that was asked for; '': any that can
    model: str | None  # None: the provider's own
    count: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stands among those that wait; the fields of `Waiting` mean the same here."""

    share: str
    expected: str
    provider: str
    model: str | None
    ahead: int  # so many of the same share wait before it for the same provider
    waiting: tuple[Waiting, ...]  # everybody, at that moment


class Queue(Table):
    """The part of `generations` that waits or runs."""

    async def waiting(self) -> tuple[Waiting, ...]:
        """Return all that wait, grouped, those with the oldest first."""
        return await self._database.read(_waiting)

    async def place_of(self, generation_id: int) -> Place | None:
        """Return where a generation stands, None if it does not wait."""

        def read(db: apsw.Connection) -> Place | None:
            found = select(
                db,
                """
                select mine.share, mine.provider as expected, mine.asked_provider as provider,
                  mine.asked_model as model, sum(groups.waiting) - 1 - sum((
                  select count(*)
                  from generations as later
                  where later.status = 'queued' and later.share = groups.share
                    and later.provider = groups.provider
                    and later.asked_provider = groups.asked_provider
                    and later.asked_model is nullif(groups.asked_model, '') and later.id > mine.id
                )) as ahead
                from generations as mine
                join waiting_counts as groups using (share, provider)
                where mine.id = :id and mine.status = 'queued'
                group by mine.id
                """,
                id=generation_id,
            )
            return Place(**found[0], waiting=_waiting(db)) if found else None  # type: ignore[arg-type]

        return await self._database.read(read)

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

    async def durations(
        self, provider: str, model: str | None, count: int | None, limit: int
    ) -> tuple[float, ...]:
        """Return the seconds that the newest finished generations of the same kind took.

        A `count` of pictures of None is any.
        """
        return await self._database.all(
            lambda row: cast('float', row['took_s']),
            """
            select finished_at - started_at as took_s
            from generations
            where status = 'done' and provider = :provider and model is :model
              and (:count is null or coalesce(n, 1) = :count)
              and finished_at >= started_at -- which is null for what was brought back from files
            order by id desc
            limit :limit
            """,
            provider=provider,
            model=model,
            count=count,
            limit=limit,
        )


def share_of(guest: int | None, quota_key: str = OWNERS_SHARE) -> str:
    """Return whose share of the queue counts: a guest's own, else what the address has."""
    return quota_key if guest is None else f'guest {guest}'


def room_for(db: apsw.Connection, share: str) -> int:
    """Return how many more may wait in a share. Raises `QueueFull` where none may."""
    [waiting] = select(
        db,
        """
        select coalesce(sum(waiting), 0) as everyones,
          coalesce(sum(waiting) filter (where share = :share), 0) as own
        from waiting_counts
        """,
        share=share,
    )
    room = LONGEST_QUEUE - cast('int', waiting['everyones'])
    if room <= 0:
        raise QueueFull(
            N_('{count} generations are already waiting. Try again when some have finished.'),
            count=LONGEST_QUEUE,
        )
    own_room = LONGEST_SHARE - cast('int', waiting['own'])
    if share == OWNERS_SHARE:
        return room
    if own_room <= 0:
        raise QueueFull(
            N_(
                '{count} of your generations are already waiting. Try again when some '
                'have finished.'
            ),
            count=LONGEST_SHARE,
        )
    return min(room, own_room)


def _waiting(db: apsw.Connection) -> tuple[Waiting, ...]:
    rows = select(
        db,
        """
        select (
            select min(id)
            from generations
            where status = 'queued' and share = groups.share and provider = groups.provider
              and asked_provider = groups.asked_provider
              and asked_model is nullif(groups.asked_model, '')
          ) as id,
          share, provider as expected, asked_provider as provider,
          nullif(asked_model, '') as model, waiting as count,
          exists (select 1 from pauses where share in ('', groups.share)) as paused
        from waiting_counts as groups
        order by 1
        """,
    )
    return tuple(map(builder(Waiting, 'paused'), rows))

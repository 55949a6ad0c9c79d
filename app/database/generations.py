"""Statements about generations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

import apsw

from app.database.gallery.images import add_images, images_of
from app.database.queue import AGAIN, Submitted, room_for, share_of
from app.database.spending import add_spending
from app.database.sqlite.connection import Row, Table, Value, insert, select
from app.database.sqlite.mapping import call_of, failure_fields, generation_of, request_columns
from app.errors import N_, Conflict, NotFound
from app.models import Call, Generation, Outcome, Status
from app.models.request import GenerationRequest

# All but those of pictures that were brought in: put away, though they are done.
ASKED_HERE = "(dismissed_at is null or status <> 'done')"

WITH_PICTURES = """
  (status <> 'done' or exists (
    select 1 from images where images.generation_id = generations.id and deleted_at is null
  ))
"""
WITH_DESTROYED = f'(destroyed > 0 or {WITH_PICTURES})'


class Generations(Table):
    """The table `generations`, which is the queue as well."""

    async def submit(
        self,
        request: GenerationRequest,
        *,
        provider: str,
        submission: str | None,
        now: float,
        quota_key: str = '',
        guest: int | None = None,
    ) -> Submitted:
        """Queue a request; the same `submission` again returns the same generation.

        While it waits it counts to its `guest`, or where there is none to a `quota_key`. Raises
        `QueueFull`, or `Conflict` where the submission was used with another request, or by
        another visitor.
        """
        share = share_of(guest, quota_key)

        def change(db: apsw.Connection) -> Submitted:
            where = 'submission = :submission'  # which is never true of null
            for before in _select(db, where, submission=submission):
                if before.request != request or before.guest != guest:
                    raise Conflict(
                        N_('This form was already sent with other settings. Reload the page.')
                    )
                return Submitted(before, new=False)
            room_for(db, share)
            own: Row = {'submission': submission, 'share': share, 'guest': guest}
            row = new_row(request, provider, now) | own
            [added] = insert(db, 'generations', row, 'returning *')
            return Submitted(generation_of(added), new=True)

        return await self._database.write(change)

    async def claim(self, provider: str, now: float, generation_id: int) -> Generation | None:
        """Mark a waiting generation as running, None if it waits no more; '' keeps the provider."""
        claimed = await self._database.run(
            """
            update generations
            set status = 'running', provider = iif(:provider = '', provider, :provider),
              started_at = :now, progress = null, share = ''
            where id = :id and status = 'queued'
            returning *
            """,
            now=now,
            provider=provider,
            id=generation_id,
        )
        return generation_of(claimed[0]) if claimed else None

    async def finish(
        self, claimed: Generation, outcome: Outcome, now: float | None, first: int = 0
    ) -> bool:
        """Write an attempt's outcome and its pictures, from a position on, all or nothing.

        Returns False if the row has moved on since (cancelled, or a later attempt): then only the
        calls are written, which were made all the same.
        """

        def change(db: apsw.Connection) -> bool:
            add_calls(db, claimed, outcome.provider, outcome.calls)
            place = {'id': claimed.id, 'attempt': claimed.attempt, 'before': claimed.status}
            error = outcome.error and json.dumps(failure_fields(outcome.error), ensure_ascii=False)
            db.execute(
                """
                update generations
                set status = :status, provider = :provider, model = :model, error = :error,
                  item_errors = :item_errors, dropped = :dropped, progress = null,
                  finished_at = :now
                where id = :id and attempt = :attempt and status = :before
                """,
                place
                | {
                    'status': outcome.status,
                    'provider': outcome.provider,
                    'model': outcome.model,
                    'error': error,
                    'item_errors': json.dumps([*map(failure_fields, outcome.item_errors)]),
                    'dropped': json.dumps(outcome.dropped),
                    'now': now,
                },
            )
            if not db.changes():
                return False
            add_images(db, claimed, outcome, now or 0, first)
            return True

        return await self._database.write(change)

    async def cancel(self, generation_id: int, now: float) -> Generation:
        """End a waiting or running generation; a final one stays as it is. Raises `NotFound`."""

        def change(db: apsw.Connection) -> Generation:
            db.execute(
                """
                update generations
                set status = 'cancelled', finished_at = max(:now, coalesce(started_at, :now)),
                  progress = null, share = ''
                where id = :id and status in ('queued', 'running')
                """,
                {'id': generation_id, 'now': now},
            )
            return _one(db, generation_id)

        return await self._database.write(change)

    async def retry(
        self, generation_id: int, provider: str, quota_key: str = '', guest: int | None = None
    ) -> Generation:
        """Queue a failed, cancelled or interrupted generation again, as its next attempt.

        There must be room for whoever asks, a `guest` or a `quota_key`. Raises `NotFound`,
        `QueueFull`, or `Conflict` for one that is waiting, running or done.
        """
        share = share_of(guest, quota_key)

        def change(db: apsw.Connection) -> Generation:
            if not _one(db, generation_id).status.retryable:
                raise Conflict(
                    N_('Only a failed, cancelled or interrupted generation can be retried.')
                )
            room_for(db, share)
            again = {'id': generation_id, 'provider': provider, 'share': share}
            db.execute(f'update generations set {AGAIN} where id = :id', again)  # noqa: S608 (ours)
            return _one(db, generation_id)

        return await self._database.write(change)

    async def dismiss(self, generation_id: int, now: float) -> Generation:
        """Put a failed, cancelled or interrupted generation away.

        Raises `NotFound`, or `Conflict` for one that is waiting, running or done.
        """

        def change(db: apsw.Connection) -> Generation:
            if not _one(db, generation_id).status.retryable:
                raise Conflict(
                    N_('Only a failed, cancelled or interrupted generation can be dismissed.')
                )
            db.execute(
                'update generations set dismissed_at = :now where id = :id',
                {'id': generation_id, 'now': now},
            )
            return _one(db, generation_id)

        return await self._database.write(change)

    async def interrupt_running(
        self, now: float, claimed: Generation | None = None
    ) -> tuple[int, ...]:
        """Mark what was running when an earlier server ended, or one attempt; it may be paid."""
        rows = await self._database.run(
            """
            update generations
            set status = 'interrupted', finished_at = max(:now, coalesce(started_at, :now)),
              progress = null
            where status = 'running'
              and (:id is null or id = :id and attempt = :attempt)
            returning id
            """,
            now=now,
            id=claimed.id if claimed else None,
            attempt=claimed.attempt if claimed else None,
        )
        return tuple(cast('int', row['id']) for row in rows)

    async def one(self, generation_id: int) -> Generation:
        """Read one, with its pictures. Raises `NotFound`."""
        return await self._database.read(lambda db: _one(db, generation_id))

    async def page(
        self, before: int | None, limit: int, guest: int | None = None
    ) -> tuple[Generation, ...]:
        """Read the newest ones below an id, newest first, without those that are in the trash."""
        where = f'id < :before and {WITH_DESTROYED}'
        return await self._newest(where, guest, limit, before=before or 1 << 62)

    async def recent(self, limit: int, guest: int | None = None) -> tuple[Generation, ...]:
        """Read the newest ones that have pictures, without those that were put away."""
        return await self._newest(f'dismissed_at is null and {WITH_PICTURES}', guest, limit)

    async def _newest(
        self, where: str, guest: int | None, limit: int, **values: Value
    ) -> tuple[Generation, ...]:
        ending = f"""
            {where} and {ASKED_HERE} {'' if guest is None else 'and guest = :guest'}
            order by id desc
            limit :limit
        """
        return await self._database.read(
            lambda db: _select(db, ending, **values, limit=limit, guest=guest)
        )

    async def calls_of(self, generation_id: int) -> tuple[Call, ...]:
        return await self._database.all(
            call_of,
            """
            select method, url, headers, body, status, answer, reason, dropped, began_at, took_s,
              cost
            from attempts
            where generation_id = :id
            order by attempt, number
            """,
            id=generation_id,
        )

    async def keep_calls(self, claimed: Generation, provider: str, calls: Sequence[Call]) -> None:
        """Write the calls of an attempt that has no outcome, and what they cost."""
        await self._database.write(lambda db: add_calls(db, claimed, provider, calls))

    async def own(self, guest: int | None, limit: int) -> tuple[Generation, ...]:
        """Read the newest ones of a guest, None: of the owner alone, as `page` does."""
        return await self._newest(f'guest is :guest and {WITH_DESTROYED}', guest, limit)

    async def last_asked(self, guest: int | None = None) -> GenerationRequest | None:
        """Return the newest request of a guest; None: of the owner."""
        last = await self._database.one(
            generation_of,
            f"""
            select *
            from generations
            where guest is :guest and {ASKED_HERE}
            order by id desc
            limit 1
            """,  # noqa: S608 (ours)
            guest=guest,
        )
        return last.request if last else None


def add_calls(
    db: apsw.Connection, claimed: Generation, provider: str, calls: Sequence[Call]
) -> None:
    """Write an attempt's calls, and once for each what it cost, in a transaction."""
    for number, call in enumerate(calls):
        own = {'generation_id': claimed.id, 'attempt': claimed.attempt, 'number': number}
        texts = {'headers': json.dumps(call.headers), 'dropped': json.dumps(call.dropped)}
        cost = {'cost': str(call.cost) if call.cost else None}
        row = asdict(call) | own | texts | cost
        is_new = insert(db, 'attempts', row, 'on conflict do nothing returning number')
        if call.cost and is_new:
            add_spending(db, call.cost, call.began_at, provider, claimed.guest)


def new_row(request: GenerationRequest, provider: str, now: float) -> Row:
    own: Row = {
        'status': Status.QUEUED,
        'provider': provider,
        'model': request.model,
        'created_at': now,
    }
    return request_columns(request) | own


def _one(db: apsw.Connection, generation_id: int) -> Generation:
    found = _select(db, 'id = :id', id=generation_id)
    if not found:
        raise NotFound(N_('Generation {id} not found.'), id=generation_id)
    return found[0]


def _select(db: apsw.Connection, ending: str, **values: Value) -> tuple[Generation, ...]:
    """Read generations with their pictures; `ending` is what follows `where`."""
    rows = select(db, f'select * from generations where {ending}', **values)  # noqa: S608 (ours)
    images = images_of(db, [cast('int', row['id']) for row in rows])
    return tuple(generation_of(row, images.get(cast('int', row['id']), ())) for row in rows)

"""Statements about what was spent, by month, provider and guest."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal

import apsw

from app.cost import Cost, plain, total
from app.database.sqlite.connection import Row, Table, select

OWNER = 0  # in the place of a guest's id


@dataclass(frozen=True, slots=True)
class Spent:
    """What one guest, or the owner, spent at one provider in one month."""

    month: str  # `2026-11`, as this machine's clock has it
    provider: str
    guest: int | None  # None is the owner
    cost: Cost


class Spending(Table):
    """The table `spending`, which no deletion of a picture touches."""

    async def all(self, guest: int | None = None) -> tuple[Spent, ...]:
        """Return everything, or what one guest spent: the newest month first."""
        return await self._database.all(
            _spent_of,
            """
            select *
            from spending
            where :guest is null or guest = :guest
            order by month desc, provider, guest, currency
            """,
            guest=guest,
        )


def add_spending(
    db: apsw.Connection, cost: Cost, at: float, provider: str, guest: int | None
) -> None:
    """Add a cost that was told at a moment, seconds since 1970, in a transaction."""
    row: Row = {
        'month': time.strftime('%Y-%m', time.localtime(at)),
        'provider': provider,
        'guest': guest or OWNER,
        'currency': cost.currency or '',
        'amount': plain(cost.amount or Decimal()),
        'tokens': cost.tokens or 0,
    }
    for before in select(
        db,
        """
        select amount
        from spending
        where (month, provider, guest, currency) = (:month, :provider, :guest, :currency)
        """,
        **{name: row[name] for name in ('month', 'provider', 'guest', 'currency')},
    ):
        row['amount'] = plain(total((Decimal(str(before['amount'])), Decimal(str(row['amount'])))))
    db.execute(
        """
        insert into spending (month, provider, guest, currency, amount, tokens)
        values (:month, :provider, :guest, :currency, :amount, :tokens)
        on conflict do update set amount = excluded.amount, tokens = tokens + excluded.tokens
        """,
        row,
    )


def _spent_of(row: Row) -> Spent:
    currency, tokens = str(row['currency']), int(str(row['tokens']))
    amount = Decimal(str(row['amount'])) if currency else None
    guest = int(str(row['guest'])) or None
    return Spent(
        month=str(row['month']),
        provider=str(row['provider']),
        guest=guest,
        cost=Cost(amount, currency or None, tokens or None),
    )

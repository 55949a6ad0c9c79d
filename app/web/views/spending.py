"""What Settings shows of costs: by month, server and guest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import add, attrgetter

from app.access.visitors import Visitor
from app.cost import Cost
from app.database.spending import Spent
from app.web.context import Services

MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class MonthSpent:
    """One month, and who spent what where."""

    month: str
    cost: Cost
    rows: tuple[Spent, ...]


async def spending_of(services: Services, viewer: Visitor) -> tuple[Spent, ...]:
    """Return what everybody spent, or for a guest only what they did."""
    return await services.library.spending.all(viewer.guest_id)


def by_month(spent: tuple[Spent, ...]) -> tuple[MonthSpent, ...]:
    """Return the newest months with their sums."""
    grouped = ((month, tuple(rows)) for month, rows in groupby(spent, attrgetter('month')))
    months = [
        MonthSpent(month, reduce(add, (one.cost for one in rows)), rows) for month, rows in grouped
    ]
    return tuple(months[:MONTHS_SHOWN])


def spending_json(spent: tuple[Spent, ...]) -> list[dict[str, object]]:
    return [
        {
            'month': one.month,
            'provider': one.provider,
            'guest': one.guest,
            'cost': one.cost.as_json(),
        }
        for one in spent
    ]

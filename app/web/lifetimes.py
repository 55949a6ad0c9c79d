"""How long a link lasts."""

from __future__ import annotations

from collections.abc import Mapping

from app.errors import N_, InvalidRequest

DAY_S = 24 * 3600.0
USUAL = 'week'
LIFETIMES: dict[str, tuple[float | None, str]] = {
    'day': (DAY_S, N_('for a day')),
    'week': (7 * DAY_S, N_('for a week')),
    'month': (30 * DAY_S, N_('for a month')),
    'ever': (None, N_('until I revoke it')),
}


def lifetime_in(fields: Mapping[str, str]) -> float | None:
    """Read how long a link lasts in seconds, None for ever.

    Raises:
        InvalidRequest: It is no such time.
    """
    value = fields.get('lifetime', USUAL)
    if value not in LIFETIMES:
        raise InvalidRequest(N_('“{value}” can not be chosen here.'), value=value[:40])
    return LIFETIMES[value][0]

"""What servers say that their pictures cost, as exact decimals; nothing here knows a price."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

USD = 'USD'
MOST_AMOUNT = 1_000_000  # of one answer; more is no price
MOST_TOKENS = 1_000_000_000
PLACES = Decimal('1e-20')  # more are the noise of a float
LEAST_SHARE = Decimal('1e-10')  # a tick, the finest unit that a server counts in

# Wide enough for sums of such amounts without rounding.
_EXACT = Context(prec=80)
_SHORT = Context(prec=4)
_WRITTEN = re.compile(
    r'(?:([0-9]{1,7}(?:\.[0-9]{1,20})?) ([A-Z]{3}))?(?:(?:^| )([0-9]{1,10}) tokens)?'
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one answer, or one picture of it, cost; None is not told."""

    amount: Decimal | None = None
    currency: str | None = None
    tokens: int | None = None

    def __str__(self) -> str:
        """Write it as files and rows keep it: `0.04 USD 4160 tokens`."""
        amount = '' if self.amount is None else f'{plain(self.amount)} {self.currency}'
        tokens = '' if self.tokens is None else f'{self.tokens} tokens'
        return ' '.join(filter(None, (amount, tokens)))

    def __add__(self, other: Cost) -> Cost:
        """Return the sum of two costs in the same currency, or without one."""
        amounts = [one.amount for one in (self, other) if one.amount is not None]
        tokens = [one.tokens for one in (self, other) if one.tokens is not None]
        return Cost(
            total(amounts) if amounts else None,
            self.currency or other.currency,
            sum(tokens) if tokens else None,
        )

    def shares(self, count: int) -> tuple[Cost, ...]:
        """Divide it among pictures so that their sum is this, to the last digit."""
        unit = min(LEAST_SHARE, _unit_of(self.amount or Decimal()))
        units = int(_EXACT.divide(self.amount or Decimal(), unit))
        amounts = [_EXACT.multiply(Decimal(part), unit) for part in _parts(units, count)]
        tokens = _parts(self.tokens or 0, count)
        return tuple(
            Cost(
                None if self.amount is None else amount.normalize(_EXACT),
                self.currency,
                None if self.tokens is None else part,
            )
            for amount, part in zip(amounts, tokens, strict=True)
        )

    def as_json(self) -> dict[str, object]:
        """Return it for programs: the amount as text, since JSON's numbers are floats."""
        amount = None if self.amount is None else plain(self.amount)
        return {'amount': amount, 'currency': self.currency, 'tokens': self.tokens}


def told_cost(amount: Decimal | None, tokens: int | None) -> Cost | None:
    """Return what a server says within limits, in USD; None where it says nothing of use."""
    if amount is not None:
        is_price = amount.is_finite() and 0 <= amount <= MOST_AMOUNT
        amount = (
            abs(amount.quantize(PLACES, context=_EXACT)).normalize(_EXACT) if is_price else None
        )
    tokens = tokens if tokens is not None and 0 < tokens <= MOST_TOKENS else None
    if amount is None and tokens is None:
        return None
    return Cost(amount, None if amount is None else USD, tokens)


def read_cost(text: str | None) -> Cost | None:
    """Read what `str` of a cost wrote; None for anything else, which a file may hold."""
    written = _WRITTEN.fullmatch(text or '')
    if not text or not written:
        return None
    amount, currency, tokens = written.groups()
    return Cost(Decimal(amount) if amount else None, currency, int(tokens) if tokens else None)


def plain(amount: Decimal) -> str:
    """Write an amount without an exponent and without zeros at its end."""
    return f'{amount.normalize(_EXACT):f}'


def shortened(amount: Decimal) -> str:
    """Write an amount for people: to the cent, or below one with four digits that count."""
    return f'{amount:.2f}' if amount >= 1 else plain(_SHORT.plus(amount))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    found = Decimal()
    for amount in amounts:
        found = _EXACT.add(found, amount)
    return found


def _unit_of(amount: Decimal) -> Decimal:
    """Return one of an amount's last place."""
    exponent = amount.as_tuple().exponent
    return Decimal((0, (1,), exponent if isinstance(exponent, int) else 0))


def _parts(units: int, count: int) -> list[int]:
    """Divide whole units; the first ones get one more where it does not come out even."""
    each, rest = divmod(units, count)
    return [each + (number < rest) for number in range(count)]

"""Single values out of what a file says, each checked and capped; what is no value is left out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

MOST_CHARACTERS = 32_000
MOST_DIGITS = 40
LARGEST_WHOLE = 2**64
WHOLE = re.compile('-?[0-9]{1,20}')

Found = str | int | float
Settings = dict[str, Found]


def text(value: object) -> Iterator[str]:
    """Give a text, cut at 32,000 characters."""
    if isinstance(value, str):
        yield value[:MOST_CHARACTERS]


def whole(value: object) -> Iterator[int]:
    """Give a whole number that a seed, a count or an id can be."""
    if isinstance(value, str) and WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST_WHOLE:
        yield value


def real(value: object) -> Iterator[float]:
    """Give a number that is finite."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return
    try:
        number = float(value[:MOST_DIGITS] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return
    if math.isfinite(number):
        yield number

"""JSON of any server, parsed in bounded time."""

from __future__ import annotations

import json
import re
from typing import TypeAlias

Json: TypeAlias = 'dict[str, Json] | list[Json] | str | int | float | bool | None'

MOST_VALUES = 20_000  # of one text; an answer with ten pictures has some hundred
MOST_DIGITS = 20  # of a whole number; each of four thousand takes a hundred times as long


class TooManyValues(ValueError):
    """A JSON text holds more than is read: one call of the parser must not hold others up."""


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


_HALF = re.compile('[\ud800-\udfff]')
_DECODER = json.JSONDecoder(strict=False, parse_int=_number)


def loads(text: str, most: int = MOST_VALUES) -> Json:
    """Parse JSON, control signs and halves of signs included.

    Raises ValueError if it is nested too deep, and TooManyValues.
    """
    if text.count(',') + text.count('[') + text.count('{') > most:
        raise TooManyValues
    try:
        tree: Json = _DECODER.decode(text)
        if '\\ud' in text.lower():
            # half a sign can neither be kept nor be shown
            tree = _DECODER.decode(_HALF.sub('\ufffd', json.dumps(tree, ensure_ascii=False)))
    except RecursionError as error:
        raise ValueError('nested too deep') from error
    return tree

"""JSON of any server, parsed in bounded time."""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from app.net.pace import SHORT_LETTERS, Pace

Json: TypeAlias = 'dict[str, Json] | list[Json] | str | int | float | bool | None'

MOST_VALUES = 20_000  # of one text; an answer with ten pictures has some hundred
MOST_LIST_VALUES = 50_000  # of a list that is parsed at once
MOST_ROWS = 20_000
MOST_ROW_LETTERS = 32 * 1024
MOST_DIGITS = 20  # of a whole number; each of four thousand takes a hundred times as long


class TooManyValues(ValueError):
    """A JSON text holds more than is read: one call of the parser must not hold others up."""


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


_ROWS = re.compile(r'\s*(?:\{[^{}\[\]]{0,2000}"(?:data|models)"\s*:\s*)?\[')
_BETWEEN_ROWS = re.compile(r'[\s,]*')
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


async def loads_rows(text: str) -> Json:
    """Parse a list, a long one row by row with turns for other tasks; what follows it is left out.

    Raises ValueError as `loads` does, also for a row that is too long, and TooManyValues.
    """
    start = _ROWS.match(text)
    if len(text) <= SHORT_LETTERS or not start:
        return loads(text, MOST_LIST_VALUES)
    rows, at, pace = list[Json](), _next_row(text, start.end()), Pace()
    while not text.startswith(']', at):
        row = text[at : at + MOST_ROW_LETTERS]
        try:
            value, end = _DECODER.raw_decode(row)
        except RecursionError as error:
            raise ValueError('nested too deep') from error
        rows.append(loads(row[:end]) if '\\ud' in row[:end].lower() else value)
        if len(rows) > MOST_ROWS:
            raise TooManyValues
        at = _next_row(text, at + end)
        await pace.rest()
    head = loads(f'{start[0]}]}}') if '{' in start[0] else None
    if not isinstance(head, dict):
        return rows
    return {**head, **{name: rows for name in ('data', 'models') if head.get(name) == []}}


def _next_row(text: str, at: int) -> int:
    between = _BETWEEN_ROWS.match(text, at)
    return between.end() if between else at

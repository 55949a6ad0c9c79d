"""The random orders of the gallery: each is a permutation of all ids, made by a seed.

Where many pictures match, the ids that follow are computed, and those that match are kept. Where
few do, these are sorted by the same permutation, in SQL.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

import apsw

from app.database.gallery.selection import Selection, is_indexed
from app.database.sqlite.connection import Value, select

FIRST_TRY, NEXT_TRIES = 128, 512  # ids
MOST_TRIED = 8_000  # more take longer than to sort what matches
# The index of words finds many quickly, and is slow at one id.
MOST_TRIED_BY_WORDS, FEW_BY_WORDS = 2_000, 2_000
_LEAST_HALF_BITS = 6
_SHIFT = 20


@dataclass(frozen=True, slots=True)
class Shuffle:
    """A Feistel network of two rounds over ids of twice `half_bits` bits.

    Its numbers are so small that no product leaves the integers of SQLite.
    """

    half_bits: int
    rounds: tuple[tuple[int, int], ...]  # an addend and a factor each

    @classmethod
    def of(cls, seed: int, last_id: int) -> Shuffle:
        """Return the order of a seed; it is another one once ids have two bits more."""
        numbers = random.Random(seed)  # noqa: S311 (nothing is secret)
        rounds = tuple((numbers.getrandbits(31), numbers.getrandbits(28) | 1) for _ in range(2))
        return cls(max(_LEAST_HALF_BITS, (last_id.bit_length() + 1) // 2), rounds)

    @property
    def size(self) -> int:
        return 1 << 2 * self.half_bits

    def place_of(self, image_id: int) -> int:
        """Return where an id stands in the order."""
        high, low = divmod(image_id, 1 << self.half_bits)
        high = self._mix(high, low, 0, 1)
        return self._mix(low, high, 1, 1) << self.half_bits | high

    def id_at(self, place: int) -> int:
        low, high = divmod(place, 1 << self.half_bits)
        low = self._mix(low, high, 1, -1)
        return self._mix(high, low, 0, -1) << self.half_bits | low

    def _mix(self, half: int, other: int, number: int, sign: int) -> int:
        addend, factor = self.rounds[number]
        moved = half + sign * ((other * other + addend) * factor >> _SHIFT)
        return moved & (1 << self.half_bits) - 1

    def place_in_sql(self, column: str) -> str:
        """Return the expression that computes `place_of` a column."""
        bits, mask = self.half_bits, (1 << self.half_bits) - 1

        def mixed(half: str, other: str, number: int) -> str:
            addend, factor = self.rounds[number]
            return f'(({half} + (({other} * {other} + {addend}) * {factor} >> {_SHIFT})) & {mask})'

        low = f'({column} & {mask})'
        high = mixed(f'({column} >> {bits})', low, 0)
        return f'({mixed(low, high, 1)} << {bits} | {high})'


def shuffled_ids(
    db: apsw.Connection, selection: Selection, seed: int, edge: int | None, limit: int, side: str
) -> list[int]:
    """Return the ids behind one in a random order (`>=`: beginning with it), or before it (`<`)."""
    last_id = cast('int', select(db, 'select max(id) as last from images')[0]['last'] or 0)
    shuffle = Shuffle.of(seed, last_id)
    if edge is not None and edge >= shuffle.size:
        edge = None
    start = 0 if edge is None else shuffle.place_of(edge) + (edge is not None and side == '>')
    places = range(start - 1, -1, -1) if side == '<' else range(start, shuffle.size)
    ids = (number for number in map(shuffle.id_at, places) if 0 < number <= last_id)
    has_words = is_indexed(selection)
    if has_words and _are_few(db, selection):
        return _sorted(db, selection, shuffle, start, limit, side)
    most = MOST_TRIED_BY_WORDS if has_words else MOST_TRIED
    found: list[int] = []
    tried, size = 0, FIRST_TRY
    while batch := list(islice(ids, size)):
        found += _matching(db, selection, batch)
        tried, size = tried + len(batch), NEXT_TRIES
        if len(found) >= limit:
            return found[:limit]
        if limit * tried > most * max(len(found), 1):
            return _sorted(db, selection, shuffle, start, limit, side)
    return found


def _are_few(db: apsw.Connection, selection: Selection) -> bool:
    """Whether so few are selected that they are sorted sooner than the first ids are tried."""
    [counted] = select(
        db,
        f"""
        select count(*) as images
        from (
          select 1
          from {selection.source}
          where {selection.where}
          limit {FEW_BY_WORDS}
        )
        """,  # noqa: S608 (only our own clauses; every value is bound)
        **selection.values,
    )
    return cast('int', counted['images']) < FEW_BY_WORDS


def _matching(db: apsw.Connection, selection: Selection, ids: list[int]) -> Iterator[int]:
    """Return those of some ids that a filter selects, in their order."""
    rows = select(
        db,
        f"""
        select images.id
        from json_each(:ids) as tried
        cross join {selection.source}
        where images.id = tried.value and {selection.where}
        """,  # noqa: S608 (only our own clauses; every value is bound)
        **selection.values,
        ids=json.dumps(ids),
    )
    matching = {row['id'] for row in rows}
    return (number for number in ids if number in matching)


def _sorted(
    db: apsw.Connection, selection: Selection, shuffle: Shuffle, start: int, limit: int, side: str
) -> list[int]:
    place = shuffle.place_in_sql('images.id')
    is_before = side == '<'
    values: dict[str, Value] = selection.values | {'start': start, 'limit': limit}
    rows = select(
        db,
        f"""
        select images.id, {place} as place
        from {selection.source}
        where {selection.where} and place {'<' if is_before else '>='} :start
        order by place {'desc' if is_before else 'asc'}
        limit :limit
        """,  # noqa: S608 (only our own clauses; every value is bound)
        **values,
    )
    return [cast('int', row['id']) for row in rows]

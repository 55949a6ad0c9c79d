"""What the gallery is asked to show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Order(StrEnum):
    """What stands first in the gallery."""

    NEWEST = 'newest'
    OLDEST = 'oldest'
    RANDOM = 'random'


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the gallery shows; the fields combine by *and*, a `guest` of None is everybody.

    `shuffle` is the seed of a random order; `zone` names whose days a search means, by default the
    server's own. `knows_names`: whether the names of guests and albums are the visitor's to know.
    """

    words: str = ''  # as typed into the search field
    model: str = ''
    provider: str = ''
    favourite: bool = False
    deleted: bool = False
    guest: int | None = None
    album: int | None = None
    filled_by: str = ''  # the search of an album that fills itself
    sort: Order = Order.NEWEST
    shuffle: int = 0
    zone: str = ''
    knows_names: bool = True

"""What the gallery is asked to show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the gallery shows; the fields combine by *and*, a `guest` of None is everybody."""

    words: str = ''  # as they are typed into the search field
    model: str = ''
    provider: str = ''
    favourite: bool = False
    deleted: bool = False
    guest: int | None = None
    album: int | None = None
    zone: str = ''  # whose days `since:` and `until:` mean; empty: the server's own
    knows_names: bool = True  # whether the names of guests and albums are the visitor's to know

"""What acts on many pictures there are, and where one stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PIECE = 100  # pictures that the first transaction of an act changes
ABOVE_ALL = 1 << 62  # an id


class ActKind(StrEnum):
    """What is done with a selection."""

    FAVOURITE = 'favourite'
    UNFAVOURITE = 'unfavourite'
    DELETE = 'delete'
    RESTORE = 'restore'
    DESTROY = 'destroy'
    ADD = 'add'
    REMOVE = 'remove'


class ActState(StrEnum):
    """Where an act stands."""

    CHOOSING = 'choosing'  # what it is about is still being written down
    RUNNING = 'running'
    DONE = 'done'
    UNDOING = 'undoing'
    UNDONE = 'undone'

    @property
    def unfinished(self) -> bool:
        return self not in (ActState.DONE, ActState.UNDONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act on a selection, and how far it is."""

    id: int
    kind: ActKind
    state: ActState
    album: int | None
    guest: int | None  # whose it is; None for the owner's
    reached: int
    total: int
    handled: int
    changed: int
    missing: int
    began_at: float

    @property
    def undoable(self) -> bool:
        is_undone = self.state in (ActState.UNDOING, ActState.UNDONE)
        return self.kind is not ActKind.DESTROY and not is_undone


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAct:
    """An act that is asked for; a `guest` has their own pictures changed alone."""

    kind: ActKind
    guest: int | None = None
    album: int | None = None
    spares_favourites: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """An act after one of its pieces, and the generations whose pictures that changed."""

    act: Act
    generations: tuple[int, ...] = ()
    took_s: float = 0.0

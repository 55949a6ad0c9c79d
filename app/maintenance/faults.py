"""What can be wrong with a file that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What is wrong with a file; a stranger is a picture that no row names, and no failure."""

    MISSING = 'missing'
    CUT = 'cut'
    ROTTEN = 'rotten'
    STRANGER = 'stranger'


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not as its row says, below the data folder."""

    kind: FaultKind
    path: str

"""The verification that Settings starts: one at a time, its progress and its result."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from app.errors import N_, StorageFailed
from app.log import logger
from app.maintenance.background import Background, Pace, Stopped
from app.maintenance.faults import Fault, FaultKind
from app.tasks import logging_faults

log = logger(__name__)

MOST_LISTED = 100


@dataclass(slots=True)
class Verification:
    """How far a verification is, or what it found; its thread writes, pages only read."""

    began_at: float  # in seconds since 1970
    checked: int = 0
    total: int = 0
    counts: Counter[FaultKind] = field(default_factory=Counter)
    listed: list[Fault] = field(default_factory=list)  # the first of them
    ended_at: float | None = None
    stopped: bool = False
    failure: StorageFailed | None = None

    @property
    def running(self) -> bool:
        return self.ended_at is None

    @property
    def damaged(self) -> int:
        """How many pictures are not whole; strangers are."""
        return self.counts.total() - self.counts[FaultKind.STRANGER]


class Verifier:
    """Verifies the whole data folder in the background."""

    def __init__(self, data: Path, background: Background) -> None:
        self.last: Verification | None = None
        self._data = data
        self._background = background
        self._unwanted = threading.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin one, unless one is under way."""
        if self.last and self.last.running:
            return
        self._unwanted.clear()
        self.last = Verification(time.time())
        work = logging_faults(partial(self._verify, self.last))
        self._task = asyncio.create_task(work, name='verification')

    def cancel(self) -> None:
        self._unwanted.set()

    async def close(self) -> None:
        if self._task:
            await self._task

    async def _verify(self, verification: Verification) -> None:
        pace = self._background.pace(self._unwanted)
        try:
            await self._background.run(lambda: self._find(verification, pace))
        except Stopped:
            verification.stopped = True
        except StorageFailed as error:
            verification.failure = error
        except OSError as error:
            verification.failure = StorageFailed(
                N_("The pictures can't be read: {reason}."), reason=error.strerror or error
            )
        finally:
            verification.ended_at = time.time()
        log.info('%s of %s pictures verified', verification.checked, verification.total)

    def _find(self, verification: Verification, pace: Pace) -> None:
        from app.maintenance.verification import find_faults  # which no start needs

        def progress(checked: int, total: int) -> None:
            verification.checked, verification.total = checked, total
            pace.rest()

        for fault in find_faults(self._data, progress):
            verification.counts[fault.kind] += 1
            if len(verification.listed) < MOST_LISTED:
                verification.listed.append(fault)

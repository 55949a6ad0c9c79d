"""Writes down what became of a generation: again and again, until the storage takes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator

from app.database import Library
from app.errors import StorageFailed
from app.log import logger
from app.models import Generation, Outcome, Status
from app.storage.store import Store

log = logger(__name__)
Sleep = Callable[[float], Awaitable[None]]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 2.0


def growing_pauses() -> Iterator[float]:
    """Yield the seconds to wait before each further try, without end."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


class OutcomeWriter:
    """Turns outcomes into rows; a picture on the disk waits for its row."""

    def __init__(self, library: Library, store: Store, sleep: Sleep = asyncio.sleep) -> None:
        self._library = library
        self._store = store
        self._sleep = sleep
        # each try may take the database's one thread for as long as somebody else's lock lasts
        self._one_tries_again = asyncio.Lock()

    async def finish(
        self, claimed: Generation, outcome: Outcome, ended_at: float, pauses: Iterable[float]
    ) -> None:
        """Write an outcome; its pictures are removed if the row has moved on since.

        Raises `StorageFailed` where no pause is left (the pictures stay where they were), and
        `Unkeepable` where no try can help.
        """
        try:
            written = await self._until_written(claimed, outcome, ended_at, pauses)
        except asyncio.CancelledError:
            with contextlib.suppress(StorageFailed):
                row = await self._library.generations.one(claimed.id)
                is_ending = row.status is Status.RUNNING and row.attempt == claimed.attempt
                if not is_ending:
                    self.forget(outcome)
            raise
        if not written:
            self.forget(outcome)

    def forget(self, outcome: Outcome) -> None:
        """Remove the pictures of an outcome that no row will name."""
        for picture in outcome.kept:
            self._store.forget(picture)

    async def _until_written(
        self, claimed: Generation, outcome: Outcome, ended_at: float, pauses: Iterable[float]
    ) -> bool:
        try:
            return await self._write(claimed, outcome, ended_at)
        except StorageFailed as error:
            if not error.retryable:
                raise
            refused = error
        log.warning('%s: cannot be written down yet: %s', claimed.id, refused)
        async with self._one_tries_again:
            for pause_s in pauses:
                await self._sleep(pause_s)
                try:
                    return await self._write(claimed, outcome, ended_at)
                except StorageFailed as error:
                    if not error.retryable:
                        raise
                    refused = error
        raise refused

    async def _write(self, claimed: Generation, outcome: Outcome, ended_at: float) -> bool:
        """Write once, whole even when the task is cancelled in the middle of it."""
        finishing = self._library.generations.finish(claimed, outcome, ended_at)
        writing = asyncio.ensure_future(finishing)
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            with contextlib.suppress(StorageFailed):
                return await writing
            raise

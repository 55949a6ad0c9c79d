"""Acts on all that waits or failed: a guest's own, or for the owner everybody's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from app.database import Library
from app.errors import InvalidRequest
from app.generation.changes import Changes
from app.providers.registry import Providers

MOST_ANNOUNCED = 200  # of many: as many as a page can wait for


class QueueActs:
    """Pauses the queue, and ends, repeats or puts away many at once; a `guest` of None: all."""

    def __init__(
        self,
        library: Library,
        providers: Providers,
        changes: Changes,
        look_again: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._backlog = library.backlog
        self._providers = providers
        self._changes = changes
        self._look_again = look_again
        self._clock = clock

    async def pause(self, guest: int | None) -> None:
        """Hold back what waits, also after a restart; what runs ends."""
        await self._backlog.pause(guest)
        self._announce(await self._backlog.waiting(guest, MOST_ANNOUNCED))

    async def resume(self, guest: int | None) -> None:
        await self._backlog.resume(guest)
        self._announce(await self._backlog.waiting(guest, MOST_ANNOUNCED))

    async def cancel_all(self, guest: int | None) -> None:
        """End all that wait; what runs goes on."""
        self._announce(await self._backlog.cancel_all(guest, self._clock()))

    async def retry_all(self, guest: int | None, quota_key: str) -> None:
        """Queue again all that failed for want of room or of a server, and still has one to ask.

        Raises `QueueFull` where no room is left for this visitor.
        """
        expected: dict[tuple[str, str | None], str] = {}
        for provider, model in await self._backlog.retryable(guest):
            try:
                expected[provider, model] = self._providers.expected(provider, model)
            except InvalidRequest:  # it is gone, or turned off
                continue
        self._announce(await self._backlog.retry_all(expected, quota_key, guest))

    async def dismiss_all(self, guest: int | None) -> None:
        """Have all that failed leave the Create page."""
        self._announce(await self._backlog.dismiss_all(guest, self._clock()))

    def _announce(self, ids: Iterable[int]) -> None:
        for generation_id in sorted(ids)[-MOST_ANNOUNCED:]:
            self._changes.announce(generation_id)
        self._look_again()

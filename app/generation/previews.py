"""Partial pictures of what is being drawn: in memory, the newest of each position.

They come from outside like any picture, so they go through the decoder child before anybody
sees them; what a page gets is a small WebP that the child wrote.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from app.errors import AppError
from app.generation.changes import Changes
from app.log import logger
from app.models import Received
from app.storage.files import remove
from app.storage.store import Store
from app.tasks import logging_faults

log = logger(__name__)

MOST_GENERATIONS = 64


@dataclass(frozen=True, slots=True)
class Preview:
    """A partial picture; the serial grows with each newer one."""

    serial: int
    webp: bytes


@dataclass(slots=True)
class _Sheet:
    """The previews of one generation, and what is still to be decoded."""

    shown: dict[int, Preview] = field(default_factory=dict)
    waiting: dict[int, Received] = field(default_factory=dict)
    decoding: asyncio.Task[None] | None = None


class Previews:
    """The partial pictures of the generations that run."""

    def __init__(self, store: Store, changes: Changes) -> None:
        self._store = store
        self._changes = changes
        self._sheets: OrderedDict[int, _Sheet] = OrderedDict()
        self._serial = 0

    def begin(self, generation_id: int) -> Callable[[int, Received], None]:
        """Begin a generation's previews anew; returns what adds one at a position as it comes."""
        self.forget(generation_id)
        sheet = self._sheets[generation_id] = _Sheet()
        while len(self._sheets) > MOST_GENERATIONS:
            self.forget(next(iter(self._sheets)))

        def add(position: int, received: Received) -> None:
            older = sheet.waiting.pop(position, None)
            if older:
                remove(older.path)
            sheet.waiting[position] = received
            if sheet.decoding is None or sheet.decoding.done():
                decoding = logging_faults(partial(self._decode, generation_id, sheet))
                sheet.decoding = asyncio.create_task(decoding)

        return add

    def of(self, generation_id: int) -> dict[int, Preview]:
        sheet = self._sheets.get(generation_id)
        return dict(sheet.shown) if sheet else {}

    def forget(self, generation_id: int) -> None:
        sheet = self._sheets.pop(generation_id, None)
        if sheet is None:
            return
        if sheet.decoding:
            sheet.decoding.cancel()
        remove(*(received.path for received in sheet.waiting.values()))

    async def _decode(self, generation_id: int, sheet: _Sheet) -> None:
        while sheet.waiting:
            position, received = sheet.waiting.popitem()
            try:
                webp = await self._store.small(received)
            except AppError as error:
                log.info('%s: a preview cannot be shown: %s', generation_id, error)
                continue
            self._serial += 1
            sheet.shown[position] = Preview(self._serial, webp)
            self._changes.announce(generation_id)

"""Reads what a picture's file says of how it was made, apart from all that is drawn."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from app.errors import N_, QueueFull
from app.models import Received
from app.storage.decoding.decoder import Decoder, Settings
from app.storage.files import complete
from app.storage.metadata.mime import mime_of

READ_TIMEOUT_S = 8.0  # with the child's start; of its processor it may use 3 s
TURN_TIMEOUT_S = 5.0


class SettingsReader:
    """Reads in a child of its own, one at a time for each visitor, so that nobody holds others."""

    def __init__(self, decoder: Decoder, turn_timeout_s: float = TURN_TIMEOUT_S) -> None:
        self._decoder = decoder
        self._turn_timeout_s = turn_timeout_s
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def read(self, received: Received, who: str) -> Settings:
        """Read a picture for a visitor.

        Raise `QueueFull` while an earlier one takes too long, `StorageFailed` where the disk holds
        no picture even for that time.
        """
        mime = mime_of(received.head)
        if mime is None:
            return {}
        turn = self._turns.setdefault(who, asyncio.Lock())
        try:
            async with asyncio.timeout(self._turn_timeout_s):
                await turn.acquire()
        except TimeoutError as error:
            sentence = N_('Another picture of yours is still being read. Try again in a moment.')
            raise QueueFull(sentence) from error
        try:
            await asyncio.to_thread(complete, received)
            return await self._decoder.read(received.path, mime)
        finally:
            turn.release()

    async def close(self) -> None:
        await self._decoder.close()

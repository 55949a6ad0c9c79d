"""The parts of editing, which share one decoder of their own."""

from __future__ import annotations

from app.database import Library
from app.editing.protection import Protection
from app.editing.sent_files import Seen, SentFiles, everything
from app.storage.decoding.decoder import Decoder
from app.storage.store import Store


class Editing:
    """What edits need of kept pictures and masks."""

    def __init__(
        self, library: Library, store: Store, decoder: Decoder, seen: Seen = everything
    ) -> None:
        self._decoder = decoder
        self.sent_files = SentFiles(library, store, decoder, seen)
        self.protection = Protection(library, store, decoder)

    async def close(self) -> None:
        await self._decoder.close()

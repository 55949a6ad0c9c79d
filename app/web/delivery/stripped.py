"""A kept picture for others: its pixels, and nothing else that its file says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from starlette.responses import Response, StreamingResponse

from app.models import Image, KeptFile
from app.storage.inventory import DamagedFile, open_kept
from app.web.context import Services
from app.web.delivery.files import BLOCK_BYTES, FILE_POLICY

if TYPE_CHECKING:
    from app.storage.metadata.container import Piece


@dataclass(frozen=True, slots=True)
class StrippedPicture:
    """An open picture, and what of it is shown; whoever reads it closes it."""

    mime: str
    opened: BinaryIO
    pieces: list[Piece]
    size_bytes: int

    def blocks(self) -> Iterator[bytes]:
        """Read the picture to its end, and close it."""
        from app.storage.metadata.container import blocks

        with self.opened:
            yield from blocks(self.opened, self.pieces)

    async def response(self, headers: Mapping[str, str]) -> Response:
        own = {
            'Content-Length': str(self.size_bytes),
            'Content-Security-Policy': FILE_POLICY,
            **headers,
        }
        if self.size_bytes <= BLOCK_BYTES:
            content = await asyncio.to_thread(lambda: b''.join(self.blocks()))
            return Response(content, headers=own, media_type=self.mime)
        return StreamingResponse(self.blocks(), headers=own, media_type=self.mime)


async def open_stripped(services: Services, image: Image) -> StrippedPicture | None:
    """Open a picture; None where it is gone or damaged, or what it says can't be taken out."""
    kept = await services.library.files.one(image.id)
    return await asyncio.to_thread(_open, services, kept, image) if kept else None


def _open(services: Services, kept: KeptFile, image: Image) -> StrippedPicture | None:
    from app.storage.metadata.container import DamagedContainer
    from app.storage.metadata.copies import stripped  # 8 ms that no start needs

    try:
        handle = open_kept(services.config.data, services.store.original(image.file), kept)
    except (OSError, DamagedFile):
        return None
    opened = os.fdopen(handle, 'rb')
    try:
        pieces = stripped(opened, image.mime)
    except (OSError, DamagedContainer):
        opened.close()
        return None
    return StrippedPicture(image.mime, opened, pieces, sum(map(len, pieces)))

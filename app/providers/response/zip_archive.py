"""The pictures of a response that is a zip, unpacked within bounds."""

from __future__ import annotations

import asyncio
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable
from typing import IO

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.models import Received
from app.storage.metadata.mime import mime_of
from app.storage.temp_file import HEAD_BYTES, TempFile

ZIP = b'PK\x03\x04'
BLOCK_BYTES = 256 * 1024
MOST_MEMBERS = 64
MOST_BYTES = 640 * 1024 * 1024  # ten pictures at their cap
FREE_BYTES = 1024 * 1024
MOST_TIMES = 100  # a picture is packed already; what swells more than this is no picture

# All that `zipfile` and the modules it unpacks with raise for bytes that are not as they should be.
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError),
    *(EOFError, ValueError, OverflowError),
)


class Damaged(Exception):
    """It is no zip, or one that cannot be unpacked."""


async def unzipped(raw: Received, incoming: Callable[[], TempFile]) -> list[Received]:
    """Unpack the pictures in their order; raise Damaged, or ProviderError where it is too large."""
    work = asyncio.create_task(asyncio.to_thread(_unzipped, raw, incoming))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])  # a thread can't be stopped, and makes files
        remove(work.result() if not work.exception() else ())
        raise


def remove(pictures: Iterable[Received]) -> None:
    """Delete files that nobody takes."""
    for picture in pictures:
        picture.path.unlink(missing_ok=True)


def _unzipped(raw: Received, incoming: Callable[[], TempFile]) -> list[Received]:
    received: list[Received] = []
    left_bytes = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * raw.size_bytes))
    try:
        with zipfile.ZipFile(raw.path) as packed:
            for member in packed.infolist()[:MOST_MEMBERS]:
                with packed.open(member) as file:
                    head = file.read(HEAD_BYTES)
                    if mime_of(head):
                        received.append(_copied(head, file, incoming(), left_bytes))
                        left_bytes -= received[-1].size_bytes
    except BaseException as error:
        remove(received)
        if isinstance(error, _FAULTS):
            raise Damaged(str(error)) from error
        raise
    return received


def _copied(head: bytes, packed: IO[bytes], file: TempFile, most_bytes: int) -> Received:
    try:
        block = head
        while block:
            if file.size_bytes + len(block) > most_bytes:
                raise ProviderError(Failure(kind=ErrorKind.TOO_LARGE, reason=Reason.SWELLS))
            file.write(block)
            block = packed.read(BLOCK_BYTES)
    except BaseException:
        file.discard()
        raise
    return file.received()

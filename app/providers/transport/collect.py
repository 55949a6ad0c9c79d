"""The pictures of a response as files: inline ones, ones to be downloaded, and those of a zip."""

from __future__ import annotations

import asyncio
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.log import logger
from app.models import GenerationResult, Received
from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import Item, find_items
from app.providers.response.parser import ApiResponse
from app.providers.transport.caller import Caller
from app.providers.transport.download import Fetcher
from app.storage.files import HEAD_BYTES, TempFile
from app.storage.metadata.mime import mime_of

log = logger(__name__)

ZIP = b'PK\x03\x04'
BLOCK_BYTES = 256 * 1024
MOST_MEMBERS = 64
MOST_BYTES = 640 * 1024 * 1024  # ten pictures at their cap
FREE_BYTES = 1024 * 1024
MOST_TIMES = 100  # a picture is packed already; what swells more than this is no picture

# All that `zipfile` and the modules it unpacks with raise for bytes that are not as they should be;
# RuntimeError for a password, its subclass for a method of compression that they lack.
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError),
    *(EOFError, ValueError, OverflowError),
)


class ImageCollector:
    """Collects the pictures of one provider's responses."""

    def __init__(self, caller: Caller, fetcher: Fetcher) -> None:
        self._caller = caller
        self._fetcher = fetcher

    async def collect(self, response: ApiResponse, run: Run) -> GenerationResult | None:
        """Return the pictures, None where none is named; raise if each of them failed."""
        stream = response.stream
        if response.is_success and stream.raw:
            return await self._raw(stream.raw, run)
        try:
            items = find_items(response.tree) if response.is_success else []
            return await self._all(items, response, run) if items else None
        finally:
            stream.discard()

    async def _all(self, items: list[Item], response: ApiResponse, run: Run) -> GenerationResult:
        received: list[Received] = []
        failures: list[Failure] = []
        try:
            for item in items:
                try:
                    received.append(await self._one(item, response, run))
                except ProviderError as error:
                    failure = error.failure
                    log.warning('a picture was lost: %s %s', failure.kind, failure.reason)
                    failures.append(failure)
        except BaseException:
            remove(received)
            raise
        if not received:
            raise ProviderError(failures[0])
        return GenerationResult(received=tuple(received), item_errors=tuple(failures))

    async def _one(self, item: Item, response: ApiResponse, run: Run) -> Received:
        if not item.text:
            kind = ErrorKind.UPSTREAM_ERROR if item.trouble else ErrorKind.EMPTY
            raise self._caller.failed(kind, words=item.trouble)
        source_url: str | None = None
        received = response.stream.pictures.pop(item.text, None)
        try:
            if item.text in response.stream.bad:
                raise Base64Error
            if not received and item.is_address and not item.text.lower().startswith('data:'):
                received, source_url = await self._fetcher.fetch(item.text, run.incoming)
            received = received or inline(item.text, run.incoming)
        except Base64Error as error:
            raise self._caller.failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged') from error
        return replace(
            received, revised_prompt=item.revised_prompt, source_url=source_url, seed=item.seed
        )

    async def _raw(self, raw: Received, run: Run) -> GenerationResult:
        """Take a response that is a picture itself, or a zip of some."""
        if not raw.head.startswith(ZIP):
            return GenerationResult(received=(raw,))
        work = asyncio.create_task(asyncio.to_thread(unzipped, raw, run.incoming))
        try:
            received = await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])  # a thread can't be stopped, and makes files
            remove(work.result() if not work.exception() else ())
            raise
        except _FAULTS as error:
            raise self._caller.failed(ErrorKind.TRUNCATED, 'its zip is damaged') from error
        finally:
            raw.path.unlink(missing_ok=True)
        if not received:
            raise self._caller.failed(ErrorKind.EMPTY, 'a zip without pictures')
        return GenerationResult(received=tuple(received))


def remove(pictures: Iterable[Received]) -> None:
    """Delete files that nobody takes."""
    for picture in pictures:
        picture.path.unlink(missing_ok=True)


def unzipped(raw: Received, incoming: Callable[[], TempFile]) -> list[Received]:
    """Unpack the pictures in their order; raise ProviderError where they are too large."""
    received, files = list[Received](), list[TempFile]()
    left_bytes = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * raw.size_bytes))
    try:
        with zipfile.ZipFile(raw.path) as packed:
            for member in packed.infolist()[:MOST_MEMBERS]:
                with packed.open(member) as opened:
                    block = opened.read(HEAD_BYTES)
                    if not mime_of(block):
                        continue
                    files.append(incoming())
                    while block:
                        left_bytes -= len(block)
                        if left_bytes < 0:
                            failure = Failure(kind=ErrorKind.TOO_LARGE, reason=Reason.SWELLS)
                            raise ProviderError(failure)
                        files[-1].write(block)
                        block = opened.read(BLOCK_BYTES)
                    received.append(files[-1].received())
    except BaseException:
        for file in files:
            file.discard()
        raise
    return received

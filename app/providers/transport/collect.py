"""The pictures of a response as files: inline ones, ones to be downloaded, and those of a zip."""

from __future__ import annotations

import asyncio
import lzma
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import repeat
from operator import add

from app.cost import Cost, read_cost
from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.log import logger
from app.models import GenerationResult, Received
from app.models.request import MOST_COUNT
from app.net.pace import aside
from app.net.urls import MOST_LETTERS
from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import MOST_ITEMS, Item, at, find_items
from app.providers.response.parser import ApiResponse
from app.providers.transport.caller import Caller
from app.providers.transport.download import Fetcher
from app.providers.transport.repeats import addressed_once, kept_once
from app.storage.files import HEAD_BYTES, TempFile, complete
from app.storage.files import remove as remove_files
from app.storage.metadata.mime import mime_of

log = logger(__name__)

ZIP = b'PK\x03\x04'
BLOCK_BYTES = 256 * 1024
MOST_MEMBERS = 64
MOST_DIRECTORY_BYTES = 256 * 1024
MOST_ENDING_BYTES = 22 + 65_535  # with the longest comment
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

    async def collect(
        self, response: ApiResponse, run: Run, alike: int = MOST_ITEMS
    ) -> GenerationResult | None:
        """Return the pictures, None where none is named; raise if each of them failed.

        Of more than `alike`, or in a chat, those that are the same as one before are left out.
        """
        stream = response.stream
        if response.is_success and stream.raw:
            return _with_costs(await self._raw(stream.raw, run), response.cost)
        try:
            items = find_items(response.tree) if response.is_success else []
            if not items:
                return None
            alike = 1 if at(response.tree, 'choices') else alike
            result = await self._all(addressed_once(items, alike), response, run)
            kept = await kept_once(result.received, alike)
            if len(kept) == len(result.received):
                return result
            costs = [one.cost for one in result.received if one.cost]
            return _with_costs(
                replace(result, received=kept), reduce(add, costs) if costs else None
            )
        finally:
            stream.discard()

    async def _all(self, items: list[Item], response: ApiResponse, run: Run) -> GenerationResult:
        received: list[Received] = []
        failures: list[Failure] = []
        waiting = deque(_priced(items, response.cost))
        try:
            while waiting and len(received) < MOST_COUNT and len(failures) < MOST_COUNT:
                item = waiting.popleft()
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
            raise ProviderError(*failures)
        left_out = _left_out(len(waiting))
        return GenerationResult(received=tuple(received), item_errors=(*failures, *left_out))

    async def fetch(self, lost: Sequence[Failure], run: Run) -> GenerationResult:
        """Fetch pictures that could not be fetched; what still cannot is among the errors."""
        fetched = await asyncio.gather(*(self._again(failure, run) for failure in lost))
        return GenerationResult(
            received=tuple(one for one in fetched if isinstance(one, Received)),
            item_errors=tuple(one for one in fetched if isinstance(one, Failure)),
        )

    async def _again(self, lost: Failure, run: Run) -> Received | Failure:
        item = Item(
            lost.picture_url or '',
            is_address=True,
            revised_prompt=lost.revised_prompt,
            seed=lost.seed,
            cost=read_cost(lost.cost),
        )
        try:
            return await self._fetched(item, run)
        except ProviderError as error:
            return error.failure

    async def _fetched(self, item: Item, run: Run) -> Received:
        """Fetch a picture; the failure of one that cannot be fetched names its address."""
        try:
            received, source_url = await self._fetcher.fetch(item.text, run.incoming)
        except ProviderError as error:
            lost = replace(
                error.failure,
                picture_url=item.text[:MOST_LETTERS],
                revised_prompt=item.revised_prompt,
                seed=item.seed,
                cost=str(item.cost or ''),
            )
            raise ProviderError(lost) from error
        return replace(_told(received, item), source_url=source_url)

    async def _one(self, item: Item, response: ApiResponse, run: Run) -> Received:
        if not item.text:
            kind = ErrorKind.UPSTREAM_ERROR if item.trouble else ErrorKind.EMPTY
            raise self._caller.failed(kind, words=item.trouble)
        stream = response.stream
        received, is_bad = stream.pictures.pop(item.text, None), item.text in stream.bad
        is_named = item.is_address and not item.text.lower().startswith('data:')
        if is_named and not received and not is_bad:
            return await self._fetched(item, run)
        try:
            if is_bad:
                raise Base64Error
            if not received:
                received = await aside(item.text, lambda: inline(item.text, run.incoming))
        except Base64Error as error:
            raise self._caller.failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged') from error
        return _told(received, item)

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
            remove_files(raw.path)
        if not received:
            raise self._caller.failed(ErrorKind.EMPTY, Reason.ZIP_WITHOUT_PICTURES)
        kept, rest = received[:MOST_COUNT], received[MOST_COUNT:]
        remove(rest)
        return GenerationResult(received=tuple(kept), item_errors=_left_out(len(rest)))


def _told(received: Received, item: Item) -> Received:
    return replace(received, revised_prompt=item.revised_prompt, seed=item.seed, cost=item.cost)


def _priced(items: list[Item], cost: Cost | None) -> Iterator[Item]:
    """Give each picture that was made its share of what the answer cost."""
    shares = iter(cost.shares(sum(1 for item in items if item.text)) if cost else ())
    for item in items:
        yield replace(item, cost=next(shares, None)) if item.text else item


def _with_costs(result: GenerationResult, cost: Cost | None) -> GenerationResult:
    shares = cost.shares(len(result.received)) if cost else repeat(None)
    received = zip(result.received, shares, strict=False)
    return replace(result, received=tuple(replace(one, cost=share) for one, share in received))


def _left_out(count: int) -> tuple[Failure, ...]:
    return (Failure(kind=ErrorKind.SURPLUS, reason=str(count)),) if count else ()


def remove(pictures: Iterable[Received]) -> None:
    """Delete files that nobody takes."""
    remove_files(*(picture.path for picture in pictures))


def unzipped(raw: Received, incoming: Callable[[], TempFile]) -> list[Received]:
    """Unpack the pictures in their order.

    Raises ProviderError where they are too large, StorageFailed where the zip is not on the disk.
    """
    received, files = list[Received](), list[TempFile]()
    left_bytes = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * raw.size_bytes))
    complete(raw)
    try:
        _check_directory(raw)
        with zipfile.ZipFile(raw.path) as packed:
            for member in packed.infolist()[:MOST_MEMBERS]:
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise zipfile.BadZipFile('a method that may take any memory')
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


def _check_directory(raw: Received) -> None:
    """Raise BadZipFile where the list of members is long: each takes a kilobyte once it is read.

    Source: APPNOTE.TXT 4.3.16, the end of the central directory
    """
    with raw.path.open('rb') as file:
        file.seek(max(0, raw.size_bytes - MOST_ENDING_BYTES))
        ending = file.read()
    at = ending.rfind(b'PK\5\6')
    size_bytes = int.from_bytes(ending[at + 12 : at + 16], 'little')
    if at >= 0 and size_bytes > MOST_DIRECTORY_BYTES:
        raise zipfile.BadZipFile('too many members')

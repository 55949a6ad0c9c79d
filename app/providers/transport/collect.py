"""The pictures of a response as files: inline ones, ones to be downloaded, and those of a zip."""

from __future__ import annotations

from dataclasses import replace

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import GenerationResult, Received
from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import Item, find_items
from app.providers.response.parser import ApiResponse
from app.providers.response.zip_archive import ZIP, Damaged, remove, unzipped
from app.providers.transport.client import Caller
from app.providers.transport.download import Fetcher

log = logger(__name__)


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
        try:
            received = await unzipped(raw, run.incoming)
        except Damaged as error:
            raise self._caller.failed(ErrorKind.TRUNCATED, 'its zip is damaged') from error
        finally:
            raw.path.unlink(missing_ok=True)
        if not received:
            raise self._caller.failed(ErrorKind.EMPTY, 'a zip without pictures')
        return GenerationResult(received=tuple(received))

"""Turns what an answer names into files: pictures inline, to be fetched, or in a zip."""

from __future__ import annotations

from dataclasses import replace

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import GenerationResult, Received
from app.providers.core.base import Run
from app.providers.response.base64_stream import Base64Error, inline
from app.providers.response.images import Item, find_items
from app.providers.response.messages import scrub
from app.providers.response.zip_archive import ZIP, Damaged, remove, unzipped
from app.providers.transport.client import Caller, Exchange
from app.providers.transport.download import Fetcher

log = logger(__name__)


class ImageCollector:
    """Takes the pictures out of the answers of one provider."""

    def __init__(self, caller: Caller, fetcher: Fetcher) -> None:
        self._caller = caller
        self._fetcher = fetcher

    async def take(self, exchange: Exchange, run: Run) -> GenerationResult | None:
        """Give the pictures of an answer as files, None where it names none.

        Good ones are kept whatever becomes of the others.

        Raises:
            ProviderError: Each of them failed; no file is left behind.
        """
        spool = exchange.spool
        if not exchange.is_success:
            spool.discard()
            return None
        if spool.raw:
            return await self._raw(spool.raw, run)
        items = find_items(exchange.tree)
        try:
            return await self._all(items, exchange, run) if items else None
        finally:
            spool.discard()

    async def _all(self, items: list[Item], exchange: Exchange, run: Run) -> GenerationResult:
        received: list[Received] = []
        failures: list[Failure] = []
        try:
            for item in items:
                try:
                    received.append(await self._one(item, exchange, run))
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

    async def _one(self, item: Item, exchange: Exchange, run: Run) -> Received:
        spool = exchange.spool
        if item.text in spool.bad:
            raise self._caller.failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged')
        came = spool.take(item.text)
        if came:
            return _labelled(came, item, None)
        if not item.text:
            kind = ErrorKind.UPSTREAM_ERROR if item.trouble else ErrorKind.EMPTY
            raise self._caller.failed(kind, words=scrub(item.trouble, self._caller.secrets))
        if item.is_address and not item.text.lower().startswith('data:'):
            fetched, address = await self._fetcher.fetch(item.text, run.incoming)
            return _labelled(fetched, item, address)
        try:
            return _labelled(inline(item.text, run.incoming), item, None)
        except Base64Error as error:
            raise self._caller.failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged') from error

    async def _raw(self, raw: Received, run: Run) -> GenerationResult:
        """Take an answer that is a picture itself, or a zip of some."""
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


def _labelled(received: Received, item: Item, source_url: str | None) -> Received:
    return replace(
        received, revised_prompt=item.revised_prompt, source_url=source_url, seed=item.seed
    )

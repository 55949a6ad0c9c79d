"""Turns what an answer names into files: pictures inline, to be fetched, or in a zip."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace

from app.errors import ErrorKind, Failure, ProviderError
from app.formats import mime_of
from app.incoming import HEAD_BYTES
from app.log import logger
from app.models import Answer, Received
from app.providers.base import Run
from app.providers.base64_reader import Base64Error, inline
from app.providers.call import Caller, Exchange
from app.providers.fetching import Fetcher
from app.providers.items import Item, find_items
from app.providers.reply import MOST_PICTURES, ZIP
from app.providers.words import scrub

log = logger(__name__)

BLOCK_BYTES = 256 * 1024


class Taker:
    """Takes the pictures out of the answers of one provider."""

    def __init__(self, caller: Caller, fetcher: Fetcher) -> None:
        self._caller = caller
        self._fetcher = fetcher

    async def take(self, exchange: Exchange, run: Run) -> Answer | None:
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

    async def _all(self, items: list[Item], exchange: Exchange, run: Run) -> Answer:
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
        return Answer(received=tuple(received), item_errors=tuple(failures))

    async def _one(self, item: Item, exchange: Exchange, run: Run) -> Received:
        spool = exchange.spool
        if item.text in spool.bad:
            raise self._caller.failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged')
        came = spool.take(item.text)
        if came:
            return _labelled(came, item, None)
        if not item.text:
            kind = ErrorKind.UPSTREAM_ERROR if item.trouble else ErrorKind.EMPTY
            raise self._caller.failed(kind, words=scrub(item.trouble))
        if item.is_address and not item.text.lower().startswith('data:'):
            fetched, address = await self._fetcher.fetch(item.text, run.incoming)
            return _labelled(fetched, item, address)
        try:
            return _labelled(inline(item.text, run.incoming), item, None)
        except Base64Error as error:
            raise self._caller.failed(ErrorKind.BAD_IMAGE, 'its base64 is damaged') from error

    async def _raw(self, raw: Received, run: Run) -> Answer:
        """Take an answer that is a picture itself, or a zip of some."""
        if not raw.head.startswith(ZIP):
            return Answer(received=(raw,))
        try:
            received = await asyncio.to_thread(_unzipped, raw, run)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise self._caller.failed(ErrorKind.TRUNCATED, 'its zip is damaged') from error
        finally:
            raw.path.unlink(missing_ok=True)
        if not received:
            raise self._caller.failed(ErrorKind.EMPTY, 'a zip without pictures')
        return Answer(received=tuple(received))


def remove(pictures: Iterable[Received]) -> None:
    """Throw files away that nobody takes."""
    for picture in pictures:
        picture.path.unlink(missing_ok=True)


def _unzipped(raw: Received, run: Run) -> list[Received]:
    """Unpack the pictures of a zip in their order; what is none is left in it.

    Raises:
        zipfile.BadZipFile: It is damaged.
        NotImplementedError: It is packed in a way that Python does not know.
        RuntimeError: It asks for a password.
        ProviderError: `too_large`.
    """
    received: list[Received] = []
    try:
        with zipfile.ZipFile(raw.path) as packed:
            received.extend(_members(packed, run))
    except BaseException:
        remove(received)
        raise
    return received


def _members(packed: zipfile.ZipFile, run: Run) -> Iterator[Received]:
    for member in packed.infolist()[:MOST_PICTURES]:
        with packed.open(member) as file:
            head = file.read(HEAD_BYTES)
            if not mime_of(head):
                continue
            incoming = run.incoming()
            try:
                incoming.write(head)
                while block := file.read(BLOCK_BYTES):
                    incoming.write(block)
            except BaseException:
                incoming.discard()
                raise
            yield incoming.received()


def _labelled(received: Received, item: Item, source_url: str | None) -> Received:
    return replace(
        received, revised_prompt=item.revised_prompt, source_url=source_url, seed=item.seed
    )

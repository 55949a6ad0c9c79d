"""Asks one provider for pictures: at which endpoint, with what was learned of it, how patiently."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import GenerationResult
from app.models.request import MOST_SEED, GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import Dialect, ProviderSettings, Run
from app.providers.core.capabilities import CapabilityStore
from app.providers.dialects.asker import Asker, may_be_elsewhere
from app.providers.dialects.base import ApiDialect
from app.providers.dialects.openai import ChatApi, ImagesApi
from app.providers.dialects.openrouter import SecondImagesApi
from app.providers.dialects.sdapi import SdApi
from app.providers.endpoints import Endpoint, configured_endpoint, known_endpoint, other_endpoints
from app.providers.transport.caller import Caller
from app.providers.transport.client import own_headers
from app.providers.transport.collect import ImageCollector, remove
from app.providers.transport.download import Fetcher
from app.providers.transport.redaction import SecretRedactor

if TYPE_CHECKING:
    from app.providers.edits.editor import Editor

log = logger(__name__)

LONGEST_WAIT_S = 120.0
UNTOLD_WAIT_S = 30.0
MOST_WAITS = 5


class Generator:
    """Asks one server for pictures."""

    def __init__(
        self, settings: ProviderSettings, http_client: HttpClient, memory: CapabilityStore
    ) -> None:
        self.settings = settings
        self._memory = memory
        self._redactor = SecretRedactor(settings)
        self._caller = Caller(settings, http_client)
        fetcher = Fetcher(
            http_client,
            self._caller.origin,
            own_headers(settings),
            trusted=lambda: memory.trusted(settings.base_url),
            base_path=urlsplit(settings.base_url).path,
        )
        self._collector = collector = ImageCollector(self._caller, fetcher)
        self._asker = Asker(self._caller, memory)
        self._dialects: dict[Dialect, ApiDialect] = {
            Dialect.OPENAI: ImagesApi(self._caller, collector),
            Dialect.SDAPI: SdApi(self._caller, collector),
            Dialect.CHAT: ChatApi(self._caller, collector),
            Dialect.OPENROUTER: SecondImagesApi(self._caller, collector),
        }

    @cached_property
    def _editor(self) -> Editor:
        from app.providers.edits.editor import Editor  # which words alone do not need

        return Editor(self._caller, self._collector, self._memory, self._dialects)

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        redactor = self._redactor
        redacted = replace(run, tried=lambda call: run.tried(redactor.call(call)))
        try:
            result = await self._patiently(request, redacted)
            missing = request.count - len(result.received) - len(result.item_errors)
            if missing > 0 and self.settings.tops_up:
                result = await self._topped_up(result, request, redacted)
            return redactor.result(result)
        except ProviderError as error:
            raise ProviderError(*map(redactor.failure, (error.failure, *error.others))) from error

    async def fetch(self, lost: Sequence[Failure], run: Run) -> GenerationResult:
        return self._redactor.result(await self._collector.fetch(lost, run))

    async def _patiently(self, request: GenerationRequest, run: Run) -> GenerationResult:
        """Ask again after the time that the server asks for, where the settings say so."""
        for _ in range(MOST_WAITS if self.settings.waits else 0):
            try:
                return await self._anywhere(request, run)
            except ProviderError as error:
                wait_s = _wait_of(error.failure)
                if wait_s is None:
                    raise
                log.info('%s asks to wait %.0f s', self.settings.name, wait_s)
                await asyncio.sleep(wait_s)
        return await self._anywhere(request, run)

    async def _anywhere(self, request: GenerationRequest, run: Run) -> GenerationResult:
        """Ask the endpoint that is known, then those that its response shows."""
        if run.edit:
            return await self._editor.edit(request, run, run.edit)
        model = request.model or self.settings.model
        configured = configured_endpoint(self.settings)
        known = known_endpoint(self.settings, self._memory, model)
        try:
            return await self._at(known, request, run)
        except ProviderError as error:
            if self.settings.dialect is not Dialect.AUTO or not may_be_elsewhere(error.failure):
                raise
            others = await other_endpoints(self._caller, model, error.failure)
            for other in (configured, *others) if known != configured else others:
                if other == known:
                    continue
                try:
                    result = await self._at(other, request, run)
                except ProviderError as refused:
                    if not may_be_elsewhere(refused.failure):
                        raise
                    continue
                if other != configured:
                    learned = self._memory.of(self.settings.base_url, model)
                    learned = replace(learned, dialect=other.dialect, base_url=other.base_url)
                    await self._memory.learn(self.settings.base_url, model, learned)
                return result
            raise

    async def _at(self, at: Endpoint, request: GenerationRequest, run: Run) -> GenerationResult:
        return await self._asker.ask(self._dialects[at.dialect], request, run, at.base_url)

    async def _topped_up(
        self, result: GenerationResult, request: GenerationRequest, run: Run
    ) -> GenerationResult:
        """Ask for each missing picture by a call of its own, one after the other."""
        received, failures = list(result.received), list(result.item_errors)
        try:
            for number in range(len(received) + len(failures), request.count):
                seed = None if request.seed is None else (request.seed + number) & MOST_SEED
                one = await self._patiently(replace(request, n=None, seed=seed), run)
                received += (
                    replace(got, seed=seed if got.seed is None else got.seed)
                    for got in one.received[:1]
                )
                remove(one.received[1:])
        except ProviderError as error:
            failures += (error.failure, *error.others)
        except BaseException:
            remove(received)
            raise
        dropped = tuple(name for name in result.dropped if name != 'n')
        return GenerationResult(
            received=tuple(received), item_errors=tuple(failures), dropped=dropped
        )


def _wait_of(failure: Failure) -> float | None:
    """Return how many seconds to wait before asking the same again; None: it may not be."""
    if failure.kind is ErrorKind.RATE_LIMITED:
        asked_s = failure.retry_after_s
        return min(UNTOLD_WAIT_S if asked_s is None else asked_s, LONGEST_WAIT_S)
    if failure.http_status == 503 and failure.retry_after_s is not None:
        return min(failure.retry_after_s, LONGEST_WAIT_S)
    return None

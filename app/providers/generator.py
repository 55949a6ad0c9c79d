"""Asks one provider for pictures: at which endpoint, with what was learned of it, how patiently."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from app.errors import ErrorKind, Failure, ProviderError
from app.log import logger
from app.models import GenerationResult
from app.models.request import MOST_SEED, GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import Dialect, ProviderSettings, Run
from app.providers.core.capabilities import ABSENT, CapabilityStore, with_refused
from app.providers.dialects.base import FORMAT, ApiDialect, ParameterFallback
from app.providers.dialects.openai import ChatApi, ImagesApi
from app.providers.dialects.openrouter import SecondImagesApi
from app.providers.dialects.sdapi import SdApi
from app.providers.endpoints import (
    Endpoint,
    configured_endpoint,
    known_endpoint,
    may_be_elsewhere,
    other_endpoints,
)
from app.providers.transport.caller import Caller
from app.providers.transport.client import own_headers
from app.providers.transport.collect import ImageCollector, remove
from app.providers.transport.download import Fetcher
from app.providers.transport.redaction import SecretRedactor

log = logger(__name__)

LONGEST_WAIT_S = 120.0
UNTOLD_WAIT_S = 30.0
MOST_WAITS = 5
UNUSABLE = (
    ErrorKind.UNSUPPORTED_PARAM,
    ErrorKind.INVALID_REQUEST,
    ErrorKind.UPSTREAM_ERROR,
    ErrorKind.EMPTY,
)


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
        self._dialects: dict[Dialect, ApiDialect] = {
            Dialect.OPENAI: ImagesApi(self._caller, collector),
            Dialect.SDAPI: SdApi(self._caller, collector),
            Dialect.CHAT: ChatApi(self._caller, collector),
            Dialect.OPENROUTER: SecondImagesApi(self._caller, collector),
        }

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
        """Ask one endpoint with what is known of it, and keep what is learned."""
        base_url, model = self.settings.base_url, request.model or self.settings.model
        known = self._memory.of(base_url, model)
        dialect = self._dialects[at.dialect]
        body = await dialect.body(request, at.base_url)
        fallback = ParameterFallback(body, known, dialect.second_values)
        try:
            result = await dialect.generate(fallback, request, run, at.base_url)
        except ProviderError as error:
            failure = error.failure
            learned = fallback.learned()
            if learned == known and (failure.kind in UNUSABLE or may_be_elsewhere(failure)):
                await self._memory.forget(base_url, model)  # it did not help: start over
            else:
                await self._memory.learn(base_url, model, learned)
            await self._prefer_inline(failure, model, request.response_format or ABSENT)
            raise
        await self._memory.learn(base_url, model, fallback.learned())
        return result

    async def _prefer_inline(self, failure: Failure, model: str, form: str) -> None:
        """Ask for base64 the next time where a picture's address was of no use."""
        base_url = self.settings.base_url
        own = f'{urlsplit(base_url).scheme}://{self._caller.origin}/'
        leads_nowhere = (
            failure.kind is ErrorKind.IMAGE_FETCH_FAILED
            and failure.http_status == 404
            and (failure.url or '').startswith(own)
        )
        if failure.kind is ErrorKind.BLOCKED_URL or leads_nowhere:
            learned = with_refused(self._memory.of(base_url, model), (f'{FORMAT}={form}',))
            await self._memory.learn(base_url, model, replace(learned, response_format='b64_json'))

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

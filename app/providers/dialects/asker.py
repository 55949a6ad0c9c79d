"""Asks by one dialect with what is known of a model, and keeps what the answer teaches."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from app.errors import ErrorKind, Failure, ProviderError, Reason
from app.models import GenerationResult
from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.providers.core.capabilities import ABSENT, Capabilities, CapabilityStore, Use, with_refused
from app.providers.dialects.base import FORMAT, ApiDialect
from app.providers.dialects.openai import CHAT_COMPLETIONS
from app.providers.transport.caller import Caller

UNUSABLE = (
    ErrorKind.UNSUPPORTED_PARAM,
    ErrorKind.INVALID_REQUEST,
    ErrorKind.UPSTREAM_ERROR,
    ErrorKind.EMPTY,
)
TOLD_TO = (ErrorKind.INVALID_REQUEST, ErrorKind.MODEL_NOT_FOUND, ErrorKind.UNSUPPORTED_PARAM)


def may_be_elsewhere(failure: Failure) -> bool:
    """Return whether a failure shows that there is no images API there, and nothing was done.

    A response that cannot be read is no such sign, unless it is a web page: it may have been paid.
    """
    if failure.kind is ErrorKind.NOT_JSON:
        return failure.reason == Reason.HTML
    return failure.kind is ErrorKind.ENDPOINT_NOT_FOUND or names_the_chat(failure)


def names_the_chat(failure: Failure) -> bool:
    refused = failure.kind in TOLD_TO and (failure.http_status or 0) < 500
    return CHAT_COMPLETIONS in failure.words and (
        refused or failure.kind is ErrorKind.ENDPOINT_NOT_FOUND
    )


class Asker:
    """Asks one provider."""

    def __init__(self, caller: Caller, memory: CapabilityStore) -> None:
        self._caller = caller
        self._memory = memory
        self._base_url = caller.settings.base_url

    def known(self, model: str, use: Use) -> Capabilities:
        """Return what is known; how pictures are handed over counts for every use."""
        known = self._memory.of(self._base_url, model, use)
        if use is Use.IMAGES or known.response_format:
            return known
        images = self._memory.of(self._base_url, model)
        formats = [fact for fact in images.refused if fact.startswith(f'{FORMAT}=')]
        return replace(with_refused(known, formats), response_format=images.response_format)

    async def ask(
        self,
        dialect: ApiDialect,
        request: GenerationRequest,
        run: Run,
        base_url: str,
        use: Use = Use.IMAGES,
    ) -> GenerationResult:
        """Ask at an API's root; raises as `ApiDialect.generate`."""
        model = request.model or self._caller.settings.model
        known, own_url = self.known(model, use), self._base_url
        fallback = dialect.fallback(await dialect.body(request, run, base_url), known)
        try:
            result = await dialect.generate(fallback, request, run, base_url)
        except ProviderError as error:
            failure = error.failure
            learned = fallback.learned()
            if learned == known and (failure.kind in UNUSABLE or may_be_elsewhere(failure)):
                await self._memory.forget_use(own_url, model, use)  # it did not help: start over
            else:
                await self._memory.learn(own_url, model, learned, use)
            await self._prefer_inline(failure, model, request.response_format or ABSENT)
            raise
        await self._memory.learn(own_url, model, fallback.learned(), use)
        return result

    async def _prefer_inline(self, failure: Failure, model: str, form: str) -> None:
        """Ask for base64 the next time, whatever for, where a picture's address was of no use."""
        base_url = self._base_url
        own = f'{urlsplit(base_url).scheme}://{self._caller.origin}/'
        leads_nowhere = (
            failure.kind is ErrorKind.IMAGE_FETCH_FAILED
            and failure.http_status == 404
            and (failure.url or '').startswith(own)
        )
        if failure.kind is ErrorKind.BLOCKED_URL or leads_nowhere:
            learned = with_refused(self._memory.of(base_url, model), (f'{FORMAT}={form}',))
            await self._memory.learn(base_url, model, replace(learned, response_format='b64_json'))

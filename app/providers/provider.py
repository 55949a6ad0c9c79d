"""One configured image API: its list of models, and what asks it for pictures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import httpx

from app.errors import Failure, ProviderError
from app.models import GenerationResult
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.net.urls import Blocked
from app.providers.core.base import Dialect, ProviderSettings, ProviderState, ProviderStatus, Run
from app.providers.core.capabilities import CapabilityStore
from app.providers.core.parameters import ModelParameters
from app.providers.dialects.parameters import listed_parameters
from app.providers.discovery.model_list import are_bare, aside, is_listed, status_of
from app.providers.endpoints import Endpoint, known_endpoint
from app.providers.transport.client import Client, endpoint

if TYPE_CHECKING:
    from app.providers.generator import Generator
    from app.providers.response.json_text import Json

PARAMETERS_FRESH_S = 600.0
LOCALAI = '/.well-known/localai.json'


class ApiProvider:
    """One server that is asked for its models, and for pictures."""

    def __init__(
        self,
        settings: ProviderSettings,
        http_client: HttpClient,
        memory: CapabilityStore | None = None,
    ) -> None:
        self.settings = settings
        self._http_client = http_client
        self._memory = memory or CapabilityStore()
        self._status: ProviderStatus | None = None  # what its list showed last
        self._chosen = ''  # of its list, once it refused to draw without a model
        self._is_localai: bool | None = None
        self._client = Client(settings, http_client)
        self._parameters: dict[str, ModelParameters] = {}
        self._look_again_s = float('-inf')

    @cached_property
    def _generator(self) -> Generator:
        from app.providers.generator import Generator  # 0.8 MB that no list of models needs

        return Generator(self.settings, self._http_client, self._memory)

    async def generate(self, request: GenerationRequest, run: Run) -> GenerationResult:
        request = replace(request, model=request.model or self._default or None)
        began_s = time.monotonic()
        try:
            return await self._generator.generate(request, run)
        except ProviderError as error:
            from app.providers.hints import explained, lacks_model, needs_list

            if self._status is None and (needs_list(error.failure) or not request.model):
                await self.list_models()
            first = self._first_drawing
            if (
                first
                and not request.model
                and lacks_model(error.failure, time.monotonic() - began_s)
            ):
                self._chosen = first
                result = await self.generate(replace(request, model=first), run)
                return replace(result, model=first)
            failure = await asyncio.to_thread(  # among 20,000 names, a second's work
                explained, error.failure, self.settings, request.model, self._status
            )
            raise ProviderError(failure, *error.others) from error

    async def default_model(self) -> str:
        if self.settings.model and self._status is None:
            await self.list_models()
        return self._default

    @property
    def _default(self) -> str:
        lacks_it = self._status is not None and self._status.lacks_default
        return (self.settings.model if not lacks_it else '') or self._chosen

    @property
    def _first_drawing(self) -> str:
        return self._status.models[0] if self._status and self._status.drawing else ''

    async def fetch(self, lost: Sequence[Failure], run: Run) -> GenerationResult:
        return await self._generator.fetch(lost, run)

    async def list_models(self) -> ProviderStatus:
        self._status = await self._list()
        return self._status

    async def _list(self) -> ProviderStatus:
        at = known_endpoint(self.settings, self._memory, self.settings.model)
        path = 'sd-models' if at.dialect is Dialect.SDAPI else 'models'
        try:
            http_status, tree = await self._client.get(endpoint(at.base_url, path))
        except TimeoutError:
            return ProviderStatus(state=ProviderState.NOTHING, reason='no answer')
        except (httpx.HTTPError, httpx.InvalidURL, Blocked, ValueError) as error:
            return ProviderStatus(state=ProviderState.NOTHING, reason=self._client.seen(error))
        status, has_default = await aside(
            tree, lambda tree: (status_of(http_status, tree), is_listed(self.settings.model, tree))
        )
        found = replace(
            status,
            better_url=at.base_url if at.base_url != self.settings.base_url else '',
            bars_split=await self._splits_at_bars(tree),
            lacks_default=bool(status.models) and not has_default,
        )
        return found if at.dialect is Dialect.SDAPI else await self._with_parameters(found, at)

    async def _with_parameters(self, status: ProviderStatus, at: Endpoint) -> ProviderStatus:
        """Add what the second images API lists, of a server that may have one."""
        if status.state not in (ProviderState.LIST, ProviderState.NO_LIST):
            return status
        if time.monotonic() > self._look_again_s:
            self._look_again_s = time.monotonic() + PARAMETERS_FRESH_S
            listed = await listed_parameters(self._client, at.base_url)
            self._parameters = listed or self._parameters
        if not self._parameters:
            return status
        is_in_neither = self.settings.model not in self._parameters and (
            status.lacks_default or not status.models
        )
        return replace(
            status,
            state=ProviderState.LIST,
            models=tuple(dict.fromkeys((*self._parameters, *status.models))),
            drawing=max(status.drawing, len(self._parameters)),
            parameters=self._parameters,
            lacks_default=is_in_neither,
        )

    async def _splits_at_bars(self, tree: Json) -> bool:
        """Return whether this is LocalAI; its bare list is the hint that makes it worth a call.

        Source: core/http/endpoints/openai/image.go of LocalAI.
        """
        if self._is_localai is None and are_bare(tree):
            from app.providers.discovery.fingerprints import describes_localai
            from app.providers.discovery.probe import ProbeResponse

            url = f'{self._client.origin.scheme}://{self._client.origin}{LOCALAI}'
            try:
                status, described = await self._client.get(url)
            except (httpx.HTTPError, TimeoutError, ValueError, Blocked):
                return False
            self._is_localai = describes_localai(ProbeResponse(status, json=described))
        return bool(self._is_localai)

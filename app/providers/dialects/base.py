"""The loop that every dialect shares: call, collect the pictures, mend what is refused."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from app.models import GenerationRequest, GenerationResult
from app.providers.core.base import Run
from app.providers.dialects.fallback import ParameterFallback
from app.providers.response.parser import ApiResponse
from app.providers.transport.client import Caller
from app.providers.transport.collect import ImageCollector


class ApiDialect(ABC):
    """One kind of API: which body it takes, and how a call is made.

    Attributes:
        unsupported: Fields of a request that this API has no name for.
        names: Fields of a request by their names on the wire; empty: not a field of ours.
    """

    unsupported: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[Mapping[str, str]] = {}

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        self._caller = caller
        self._collector = collector

    @abstractmethod
    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
        """Build the whole body of a request."""

    @abstractmethod
    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        """Send what `fallback` has left of the body; raises as `Caller.post` does."""

    async def finished(self, promise: ApiResponse, run: Run, base_url: str) -> ApiResponse | None:
        """Return the response of the job that a response promises, None where there is none."""
        return None

    async def generate(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> GenerationResult:
        """Call until pictures come or the refusal is final; raise it, with no file left behind."""
        while True:
            response = await self.post(fallback, request, run, base_url)
            result = await self._collector.collect(response, run)
            if result is None and response.is_success:
                finished = await self.finished(response, run, base_url)
                if finished:
                    response, result = finished, await self._collector.collect(finished, run)
            if result:
                unused = [n for n in self.unsupported if getattr(request, n) not in (None, '', 1)]
                dropped = (*unused, *(self.names.get(name, name) for name in fallback.dropped))
                return replace(result, dropped=tuple(dict.fromkeys(filter(None, dropped))))
            refused = self._caller.refused(response, fallback.wished)
            if not fallback.mend(refused.failure):
                raise refused


def filled(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that hold something: nothing empty is sent, and no null."""
    return {name: value for name, value in fields.items() if value not in (None, '')}

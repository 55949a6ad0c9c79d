"""The dialect of the second images API, `POST …/images`, which OpenRouter and NanoGPT offer.

Its list says what each model takes, so that nothing is sent that is not.
Sources: OpenRouter's `ImageGenerationRequest`; NanoGPT's page *Generate Images*.
"""

from __future__ import annotations

from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.providers.core.parameters import NAMES, ModelParameters
from app.providers.dialects.base import ApiDialect, ParameterFallback, filled, number
from app.providers.dialects.parameters import listed_parameters
from app.providers.dialects.sizes import size_fields
from app.providers.response.parser import ApiResponse
from app.providers.transport.bodies import data_url
from app.providers.transport.caller import Caller
from app.providers.transport.client import endpoint
from app.providers.transport.collect import ImageCollector

UNLISTED = ('n', 'seed', 'quality')  # fields to send, beside the size, for a model not in the list


class SecondImagesApi(ApiDialect):
    """Asks `POST …/images`."""

    unsupported = (*NAMES, 'mask', 'strength')

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        super().__init__(caller, collector)
        self._listed: dict[str, ModelParameters] = {}

    async def body(self, request: GenerationRequest, run: Run, base_url: str) -> dict[str, object]:
        model = request.model or ''
        if model not in self._listed:
            self._listed |= await listed_parameters(self._caller, base_url)
        taken = self._listed.get(model)
        streams = self._caller.settings.previews and taken and taken.streams
        urls = [{'url': data_url(one)} for one in run.edit.sources] if run.edit else []
        wished = {
            'model': model,
            'prompt': request.prompt,
            'input_references': [{'type': 'image_url', 'image_url': url} for url in urls] or None,
            'stream': True if streams else None,
        }
        return filled(wished | fields_of(request, taken))

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        url, dropped = endpoint(base_url, 'images'), tuple(fallback.refused)
        return await self._caller.post(
            url, fallback.body, run, count=request.count, dropped=dropped
        )

    def unused(self, request: GenerationRequest, run: Run) -> list[str]:
        taken = self._listed.get(request.model or '')
        sent = {self.names.get(name, name) for name in fields_of(request, taken)}
        return [name for name in super().unused(request, run) if name not in sent]


def fields_of(request: GenerationRequest, taken: ModelParameters | None) -> dict[str, object]:
    """Return what to send of a request, by names on the wire; a count is cut to what is taken."""
    values = {
        'n': request.n if request.count > 1 else None,
        'seed': request.seed,
        'response_format': request.response_format,
        'negative_prompt': request.negative_prompt,
        'quality': request.quality,
        'steps': request.steps,
        'guidance': number(request.guidance),
        'sampler': request.sampler,
    }
    found = size_fields(request.size, taken)
    for name, value in filled(values).items():
        parameter = taken.of(name) if taken else None
        if name == 'n' and parameter and parameter.most is not None:
            value = max(1, min(request.count, int(parameter.most)))
        if parameter.takes(value) if parameter else not taken and name in UNLISTED:
            found[taken.name_of(name) if taken else name] = value
    return found

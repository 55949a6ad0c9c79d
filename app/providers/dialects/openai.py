"""The dialects that OpenAI's APIs set and many servers speak, each with an accent.

The images API may only promise a picture; its job is then polled, where it can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.providers.dialects.base import STREAM, ApiDialect, ParameterFallback, filled, number
from app.providers.dialects.parameters import only_draws
from app.providers.dialects.polling import JobPoller
from app.providers.dialects.sizes import nearest_ratio
from app.providers.response.parser import ApiResponse
from app.providers.transport.bodies import Body, data_url, json_body
from app.providers.transport.caller import Caller
from app.providers.transport.client import endpoint
from app.providers.transport.collect import ImageCollector
from app.storage.edit_input import EditInput

GENERATIONS, CHAT_COMPLETIONS = 'images/generations', 'chat/completions'
PARTIAL_IMAGES = 2  # previews a picture, where they are asked for; each may cost
TOGETHER_FORMATS = {'url': 'url', 'b64_json': 'base64'}


class ImagesApi(ApiDialect):
    """Asks `POST …/images/generations`, and waits for a job where the response promises one."""

    unsupported = ('sampler',)
    encode: Callable[[Mapping[str, object]], Body] = staticmethod(json_body)

    async def body(self, request: GenerationRequest, run: Run, base_url: str) -> dict[str, object]:
        body = self.fields(request, run, base_url)
        if self._caller.settings.previews:
            body |= dict(zip(STREAM, (True, PARTIAL_IMAGES), strict=True))
        return body

    def path_of(self, request: GenerationRequest) -> str:
        return GENERATIONS

    def fields(self, request: GenerationRequest, run: Run, base_url: str) -> dict[str, object]:
        return request_body(request, base_url)

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        return await self._caller.post(
            endpoint(base_url, self.path_of(request)),
            fallback.body,
            run,
            count=request.count,
            dropped=tuple(fallback.refused),
            encode=self.encode,
        )

    async def finished(self, promise: ApiResponse, run: Run, base_url: str) -> ApiResponse | None:
        return await JobPoller(self._caller).finished(promise, run, base_url)


class ChatApi(ApiDialect):
    """Asks `POST …/chat/completions` for one picture, as OpenRouter, g4f and others offer it.

    Models that only draw want to be asked for pictures alone, others also for text.
    Source: https://openrouter.ai/docs/guides/overview/multimodal/image-generation
    """

    unsupported = (
        *('n', 'response_format', 'negative_prompt', 'quality', 'steps', 'guidance', 'sampler'),
        *('mask', 'strength'),
    )
    alike = 1  # what it says in words it often shows beside them once more
    names: ClassVar[Mapping[str, str]] = {'image_config': 'size', 'modalities': ''}
    second_values: ClassVar[Mapping[str, object]] = {'modalities': ['image']}

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        super().__init__(caller, collector)
        self._only_draws: dict[str, bool] = {}  # by model

    async def body(self, request: GenerationRequest, run: Run, base_url: str) -> dict[str, object]:
        ratio, model = nearest_ratio(request.size), request.model or ''
        if model not in self._only_draws:
            listed = await self._caller.find(endpoint(base_url, 'models'))
            self._only_draws[model] = only_draws(listed, model)
        fields: dict[str, object] = {
            'model': request.model,
            'messages': [{'role': 'user', 'content': _content(request, run.edit)}],
            'modalities': ['image'] if self._only_draws[model] else ['image', 'text'],
            'image_config': {'aspect_ratio': ratio} if ratio else None,
            'seed': request.seed,
        }
        return filled(fields)

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        return await self._caller.post(endpoint(base_url, CHAT_COMPLETIONS), fallback.body, run)


def _content(request: GenerationRequest, edit: EditInput | None) -> object:
    """Return a prompt, behind the pictures that it speaks of."""
    if not edit:
        return request.prompt
    urls = ({'url': data_url(picture)} for picture in edit.sources)
    pictures = [{'type': 'image_url', 'image_url': url} for url in urls]
    return [*pictures, {'type': 'text', 'text': request.prompt}]


def request_body(request: GenerationRequest, base_url: str = '') -> dict[str, object]:
    """Build the least body that says what is wanted, in the words of the cloud at `base_url`.

    Source: the API references of those clouds; `size` is refused or ignored there.
    """
    fields: dict[str, object] = {
        'model': request.model,
        'prompt': request.prompt,
        'n': request.n if request.count > 1 else None,
        'size': str(request.size) if request.size else None,
        'seed': request.seed,
        'response_format': request.response_format,
        'negative_prompt': request.negative_prompt,
        'quality': request.quality,
        'num_inference_steps': request.steps,
        'guidance_scale': number(request.guidance),
    }
    body = filled(fields)
    host, path = urlsplit(base_url).hostname or '', urlsplit(base_url).path
    if '/openai/deployments/' in path:
        body.pop('model', None)  # the path names it
    for domain, accent in _accents(request).items():
        if f'.{host}'.endswith(f'.{domain}'):
            renamed = [accent.get(name, {name: value}) for name, value in body.items()]
            return {name: value for fields in renamed for name, value in fields.items()}
    return body


def _accents(request: GenerationRequest) -> dict[str, dict[str, dict[str, object]]]:
    """Return, by domain, what a field of the body is replaced by where it is sent."""
    size = request.size
    siliconflow: dict[str, dict[str, object]] = {
        'size': {'image_size': str(size)},
        'n': {'batch_size': request.n},
    }
    together: dict[str, dict[str, object]] = {
        'size': {'width': size.width, 'height': size.height} if size else {},
        'num_inference_steps': {'steps': request.steps},
        'response_format': {'response_format': TOGETHER_FORMATS.get(str(request.response_format))},
    }
    return {
        'siliconflow.cn': siliconflow,
        'siliconflow.com': siliconflow,
        'x.ai': {'size': {'aspect_ratio': nearest_ratio(size)}},
        'together.xyz': together,
        'together.ai': together,
    }

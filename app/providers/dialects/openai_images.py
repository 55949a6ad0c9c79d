"""The dialect that OpenAI's images API set and many servers speak, each with an accent."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from app.models import GenerationRequest
from app.providers.core.base import Run
from app.providers.dialects.base import ApiDialect
from app.providers.dialects.fallback import STREAM, ParameterFallback
from app.providers.dialects.polling import wait_for_job
from app.providers.response.parser import ApiResponse
from app.providers.transport.client import endpoint

PARTIAL_IMAGES = 2  # previews a picture, where they are asked for; each may cost
TOGETHER_FORMATS = {'url': 'url', 'b64_json': 'base64'}
OUR_NAMES = {
    'num_inference_steps': 'steps',
    'guidance_scale': 'guidance',
    'image_size': 'size',
    'aspect_ratio': 'size',
    'width': 'size',
    'height': 'size',
    'batch_size': 'n',
}


class ImagesApi(ApiDialect):
    """Asks `POST …/images/generations`, and waits for a job where the response promises one."""

    unsupported = ('sampler',)
    names = OUR_NAMES

    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
        body = request_body(request, self._caller.settings.model, base_url)
        if self._caller.settings.previews:
            body |= dict(zip(STREAM, (True, PARTIAL_IMAGES), strict=True))
        return body

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        url, dropped = endpoint(base_url, 'images/generations'), tuple(fallback.refused)
        return await self._caller.post(
            url, fallback.body, run, count=request.count, dropped=dropped
        )

    async def finished(self, promise: ApiResponse, run: Run, base_url: str) -> ApiResponse | None:
        return await wait_for_job(self._caller, promise, run, base_url)


def request_body(
    request: GenerationRequest, default_model: str, base_url: str = ''
) -> dict[str, object]:
    """Lay out the least that says what is wanted: nothing automatic, nothing empty, no null."""
    fields: dict[str, object] = {
        'model': request.model or default_model,
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
    body = {name: value for name, value in fields.items() if value not in (None, '')}
    return _in_its_accent(body, request, base_url)


def number(text: str | None) -> int | float | None:
    """Read a number as it was typed: `7` is an int, `7.0` is not."""
    value: int | float | None = json.loads(text) if text else None
    return value


def _in_its_accent(
    body: dict[str, object], request: GenerationRequest, base_url: str
) -> dict[str, object]:
    """Rename what some clouds call otherwise, by their own hosts.

    Source: their API references; `size` is refused or ignored there.
    """
    host, path = urlsplit(base_url).hostname or '', urlsplit(base_url).path
    if '/openai/deployments/' in path:
        body.pop('model', None)  # the path names it
    size, n = body.get('size'), body.get('n')
    siliconflow: dict[str, dict[str, object]] = {
        'size': {'image_size': size},
        'n': {'batch_size': n},
    }
    together: dict[str, dict[str, object]] = {
        'size': {'width': request.size.width, 'height': request.size.height}
        if request.size
        else {},
        'num_inference_steps': {'steps': body.get('num_inference_steps')},
        'response_format': {'response_format': TOGETHER_FORMATS.get(str(request.response_format))},
    }
    accents: dict[str, dict[str, dict[str, object]]] = {
        'siliconflow.cn': siliconflow,
        'siliconflow.com': siliconflow,
        'x.ai': {'size': {'aspect_ratio': ratio_of(request)}},
        'together.xyz': together,
        'together.ai': together,
    }
    for domain, accent in accents.items():
        if host == domain or host.endswith(f'.{domain}'):
            said = [accent.get(name, {name: value}) for name, value in body.items()]
            return {name: value for fields in said for name, value in fields.items()}
    return body


def ratio_of(request: GenerationRequest) -> str | None:
    """Give the nearest of the ratios that clouds know."""
    if not request.size:
        return None
    ratios = ('1:1', '3:2', '2:3', '4:3', '3:4', '16:9', '9:16', '2:1', '1:2')
    wished = request.size.width / request.size.height

    def distance(ratio: str) -> float:
        width, _, height = ratio.partition(':')
        return abs(int(width) / int(height) - wished)

    return min(ratios, key=distance)

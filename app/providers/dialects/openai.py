"""The dialects that OpenAI's APIs set and many servers speak, each with an accent.

The images API may only promise a picture; its job is then polled, where it can be asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote, urljoin, urlsplit

from app.errors import ErrorKind, ProviderError
from app.models import GenerationRequest
from app.net.urls import Blocked, origin_of
from app.providers.core.base import Run
from app.providers.dialects.base import STREAM, ApiDialect, ParameterFallback, filled, number
from app.providers.dialects.sizes import nearest_ratio
from app.providers.response.images import find_items
from app.providers.response.messages import (
    UNDER_WAY,
    failed_in_success,
    poll_address_of,
    state_of,
    task_of,
)
from app.providers.response.parameters import only_draws
from app.providers.response.parser import ApiResponse
from app.providers.transport.caller import Caller
from app.providers.transport.client import endpoint
from app.providers.transport.collect import ImageCollector

PARTIAL_IMAGES = 2  # previews a picture, where they are asked for; each may cost
TOGETHER_FORMATS = {'url': 'url', 'b64_json': 'base64'}
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
MOST_LOST_LOOKS = 5  # in a row; a look costs nothing, and the picture may have been paid for
PASSING = (408, 425, 429, 500, 502, 503, 504)
SDCPP_ROOT = '/sdcpp/'


class ImagesApi(ApiDialect):
    """Asks `POST …/images/generations`, and waits for a job where the response promises one."""

    unsupported = ('sampler',)

    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
        body = request_body(request, base_url)
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
        """Poll a job until it is over; None where it cannot be asked for; raise on a time-out."""
        caller, url = self._caller, self._address_of(promise, base_url)
        if url is None:
            return None
        try:
            async with asyncio.timeout(caller.settings.timeout_s):
                return await self._poll(url, run)
        except TimeoutError as error:
            raise caller.failed(ErrorKind.TIMEOUT, f'{caller.settings.timeout_s:g}') from error
        except asyncio.CancelledError:
            if urlsplit(url).path.startswith(SDCPP_ROOT):  # stable-diffusion.cpp's can stop it
                await caller.notify(f'{url.partition("?")[0]}/cancel')
            raise

    def _address_of(self, promise: ApiResponse, base_url: str) -> str | None:
        """Return the job's address: the one it names, or where such jobs are by custom."""
        job, headers, tree = task_of(promise.tree), promise.headers, promise.tree
        named = poll_address_of(tree)
        if promise.status == 202:
            named = named or headers.get('operation-location') or headers.get('location')
        elif job is None:
            return None
        if failed_in_success(tree) or not (named or job):
            return None
        try:
            url = urljoin(base_url, named or endpoint(base_url, f'tasks/{quote(job or "", "")}'))
            return url if origin_of(url) == self._caller.origin else None
        except (Blocked, ValueError):
            return None

    async def _poll(self, url: str, run: Run) -> ApiResponse | None:
        pause_s, lost = 0.0, 0
        while lost <= MOST_LOST_LOOKS:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s or FIRST_PAUSE_S, LONGEST_PAUSE_S)
            lost += 1
            with contextlib.suppress(ProviderError):
                response = await self._caller.look(url, run)
                tree = response.tree  # one that says nothing of the job is its end
                has_ended = failed_in_success(tree) or bool(find_items(tree))
                goes_on = not has_ended and (response.status == 202 or state_of(tree) in UNDER_WAY)
                if response.stream.raw or (response.is_success and not goes_on):
                    return response
                response.stream.discard()
                if response.is_success:
                    lost = 0
                elif response.status not in PASSING:
                    return None
        return None


class ChatApi(ApiDialect):
    """Asks `POST …/chat/completions` for one picture, as OpenRouter, g4f and others offer it.

    Models that only draw want to be asked for pictures alone, others also for text.
    Source: https://openrouter.ai/docs/guides/overview/multimodal/image-generation
    """

    unsupported = (
        *('n', 'response_format', 'negative_prompt', 'quality', 'steps', 'guidance', 'sampler'),
    )
    names: ClassVar[Mapping[str, str]] = {'image_config': 'size', 'modalities': ''}
    second_values: ClassVar[Mapping[str, object]] = {'modalities': ['image']}

    def __init__(self, caller: Caller, collector: ImageCollector) -> None:
        super().__init__(caller, collector)
        self._only_draws: dict[str, bool] = {}  # by model

    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
        ratio, model = nearest_ratio(request.size), request.model or ''
        if model not in self._only_draws:
            listed = await self._caller.find(endpoint(base_url, 'models'))
            self._only_draws[model] = only_draws(listed, model)
        fields: dict[str, object] = {
            'model': request.model,
            'messages': [{'role': 'user', 'content': request.prompt}],
            'modalities': ['image'] if self._only_draws[model] else ['image', 'text'],
            'image_config': {'aspect_ratio': ratio} if ratio else None,
            'seed': request.seed,
        }
        return filled(fields)

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        return await self._caller.post(endpoint(base_url, 'chat/completions'), fallback.body, run)


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

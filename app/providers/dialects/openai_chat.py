"""Pictures through chat completions, as OpenRouter, g4f and other gateways offer them.

Source: https://openrouter.ai/docs/features/multimodal/image-generation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from app.models import GenerationRequest
from app.providers.core.base import Run
from app.providers.dialects.base import ApiDialect, filled
from app.providers.dialects.fallback import ParameterFallback
from app.providers.dialects.openai_images import ratio_of
from app.providers.response.parser import ApiResponse
from app.providers.transport.client import endpoint


class ChatApi(ApiDialect):
    """Asks `POST …/chat/completions` for one picture."""

    unsupported = (
        *('n', 'response_format', 'negative_prompt', 'quality', 'steps', 'guidance', 'sampler'),
    )
    names: ClassVar[Mapping[str, str]] = {'image_config': 'size', 'modalities': ''}

    async def body(self, request: GenerationRequest, base_url: str) -> dict[str, object]:
        ratio = ratio_of(request)
        fields: dict[str, object] = {
            'model': request.model or self._caller.settings.model,
            'messages': [{'role': 'user', 'content': request.prompt}],
            'modalities': ['image', 'text'],
            'image_config': {'aspect_ratio': ratio} if ratio else None,
            'seed': request.seed,
        }
        return filled(fields)

    async def post(
        self, fallback: ParameterFallback, request: GenerationRequest, run: Run, base_url: str
    ) -> ApiResponse:
        return await self._caller.post(endpoint(base_url, 'chat/completions'), fallback.body, run)

"""Pictures through chat completions, as OpenRouter, g4f and other gateways offer them.

Source: https://openrouter.ai/docs/features/multimodal/image-generation
"""

from __future__ import annotations

from app.models import GenerationRequest, GenerationResult
from app.providers.core.base import Run
from app.providers.core.capabilities import Learned
from app.providers.dialects.fallback import ParameterFallback, Teach, unspoken
from app.providers.dialects.openai_images import ratio_of
from app.providers.transport.client import Caller, endpoint
from app.providers.transport.collect import ImageCollector

SPOKEN = ('model', 'size', 'seed')


class ChatApi:
    """Asks `POST …/chat/completions` for one picture."""

    def __init__(self, caller: Caller, taker: ImageCollector) -> None:
        self._caller = caller
        self._taker = taker

    async def draw(
        self, request: GenerationRequest, run: Run, *, base_url: str, learned: Learned, teach: Teach
    ) -> tuple[GenerationResult, Learned]:
        """Ask for one picture, mending what is refused; as `Speaks` has it."""
        fallback = ParameterFallback(
            chat_body(request, self._caller.settings.model), learned, teach
        )
        url = endpoint(base_url, 'chat/completions')
        while True:
            exchange = await self._caller.post(url, fallback.body, run)
            answer = await self._taker.take(exchange, run)
            if answer:
                return _answer(answer, request, fallback), fallback.learned()
            refused = self._caller.refused(exchange, fallback.wished)
            if not fallback.mend(refused.failure):
                raise refused


def chat_body(request: GenerationRequest, default_model: str) -> dict[str, object]:
    """Lay an ask out as a chat of one message."""
    ratio = ratio_of(request)
    fields: dict[str, object] = {
        'model': request.model or default_model,
        'messages': [{'role': 'user', 'content': request.prompt}],
        'modalities': ['image', 'text'],
        'image_config': {'aspect_ratio': ratio} if ratio else None,
        'seed': request.seed,
    }
    return {name: value for name, value in fields.items() if value not in (None, '')}


def _answer(
    answer: GenerationResult, request: GenerationRequest, fallback: ParameterFallback
) -> GenerationResult:
    """Say what of the ask a chat had no place for."""
    dropped = (
        *unspoken(request, SPOKEN),
        *('size' if n == 'image_config' else n for n in fallback.dropped),
    )
    return GenerationResult(
        received=answer.received,
        item_errors=answer.item_errors,
        dropped=tuple(dict.fromkeys(name for name in dropped if name != 'modalities')),
    )

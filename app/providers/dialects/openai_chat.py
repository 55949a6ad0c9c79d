"""Pictures through chat completions, as OpenRouter, g4f and other gateways offer them.

Source: https://openrouter.ai/docs/features/multimodal/image-generation
"""

from __future__ import annotations

from app.models import Answer, Ask
from app.providers.core.base import Run
from app.providers.core.capabilities import Learned
from app.providers.dialects.fallback import Ladder, Teach
from app.providers.dialects.openai_images import ratio_of
from app.providers.transport.client import Caller, endpoint
from app.providers.transport.collect import Taker

NOT_IN_A_CHAT = (
    *('n', 'response_format', 'negative_prompt', 'quality', 'steps', 'guidance', 'sampler'),
)


class ChatApi:
    """Asks `POST …/chat/completions` for one picture."""

    def __init__(self, caller: Caller, taker: Taker) -> None:
        self._caller = caller
        self._taker = taker

    async def draw(
        self, ask: Ask, run: Run, *, base_url: str, learned: Learned, teach: Teach
    ) -> tuple[Answer, Learned]:
        """Ask for one picture, mending what is refused; as `Speaks` has it."""
        ladder = Ladder(chat_body(ask, self._caller.settings.model), learned, teach)
        url = endpoint(base_url, 'chat/completions')
        while True:
            exchange = await self._caller.post(url, ladder.body, run)
            answer = await self._taker.take(exchange, run)
            if answer:
                return _answer(answer, ask, ladder), ladder.learned()
            refused = self._caller.refused(exchange, ladder.wished)
            if not ladder.mend(refused.failure):
                raise refused


def chat_body(ask: Ask, default_model: str) -> dict[str, object]:
    """Lay an ask out as a chat of one message."""
    ratio = ratio_of(ask)
    fields: dict[str, object] = {
        'model': ask.model or default_model,
        'messages': [{'role': 'user', 'content': ask.prompt}],
        'modalities': ['image', 'text'],
        'image_config': {'aspect_ratio': ratio} if ratio else None,
        'seed': ask.seed,
    }
    return {name: value for name, value in fields.items() if value not in (None, '')}


def _answer(answer: Answer, ask: Ask, ladder: Ladder) -> Answer:
    """Say what of the ask a chat had no place for."""
    unsaid = [name for name in NOT_IN_A_CHAT if getattr(ask, name) not in (None, 1)]
    dropped = (*unsaid, *('size' if n == 'image_config' else n for n in ladder.dropped))
    return Answer(
        received=answer.received,
        item_errors=answer.item_errors,
        dropped=tuple(dict.fromkeys(name for name in dropped if name != 'modalities')),
    )

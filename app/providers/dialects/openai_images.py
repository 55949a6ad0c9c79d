"""The dialect that OpenAI's images API set and many servers speak, each with an accent."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlsplit

from app.models import Answer, Ask
from app.providers.core.base import Run
from app.providers.core.capabilities import Learned
from app.providers.dialects.fallback import STREAM, Ladder, Teach
from app.providers.dialects.polling import wait_for_job
from app.providers.transport.client import Caller, endpoint
from app.providers.transport.collect import Taker

PARTIAL_IMAGES = 2  # previews a picture, where they are asked for; each may cost
UNKNOWN_HERE = ('sampler',)  # this dialect has no name for it
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


class ImagesApi:
    """Asks `POST …/images/generations`, and mends what is refused."""

    def __init__(self, caller: Caller, taker: Taker) -> None:
        self._caller = caller
        self._taker = taker

    async def draw(
        self, ask: Ask, run: Run, *, base_url: str, learned: Learned, teach: Teach
    ) -> tuple[Answer, Learned]:
        """Ask until it is answered with pictures, or refused for good; as `Speaks` has it."""
        settings = self._caller.settings
        body = request_body(ask, settings.model, base_url)
        if settings.previews:
            body |= dict(zip(STREAM, (True, PARTIAL_IMAGES), strict=True))
        ladder = Ladder(body, learned, teach)
        url = endpoint(base_url, 'images/generations')
        while True:
            exchange = await self._caller.post(
                url, ladder.body, run, count=ask.count, dropped=tuple(ladder.refused)
            )
            answer = await self._taker.take(exchange, run)
            if answer is None and exchange.is_success:
                exchange = await wait_for_job(self._caller, exchange, run, base_url) or exchange
                answer = await self._taker.take(exchange, run)
            if answer:
                return replace(answer, dropped=_dropped(ask, ladder)), ladder.learned()
            refused = self._caller.refused(exchange, ladder.wished)
            if not ladder.mend(refused.failure):
                raise refused


def _dropped(ask: Ask, ladder: Ladder) -> tuple[str, ...]:
    """Name what the pictures were made without, in our own words."""
    unsaid = [name for name in UNKNOWN_HERE if getattr(ask, name)]
    return tuple(dict.fromkeys((*unsaid, *(OUR_NAMES.get(n, n) for n in ladder.dropped))))


def request_body(ask: Ask, default_model: str, base_url: str = '') -> dict[str, object]:
    """Lay out the least that says what is wanted: nothing automatic, nothing empty, no null."""
    fields: dict[str, object] = {
        'model': ask.model or default_model,
        'prompt': ask.prompt,
        'n': ask.n if ask.count > 1 else None,
        'size': str(ask.size) if ask.size else None,
        'seed': ask.seed,
        'response_format': ask.response_format,
        'negative_prompt': ask.negative_prompt,
        'quality': ask.quality,
        'num_inference_steps': ask.steps,
        'guidance_scale': number(ask.guidance),
    }
    body = {name: value for name, value in fields.items() if value not in (None, '')}
    return _in_its_accent(body, ask, base_url)


def number(text: str | None) -> int | float | None:
    """Read a number as it was typed: `7` is an int, `7.0` is not."""
    value: int | float | None = json.loads(text) if text else None
    return value


def _in_its_accent(body: dict[str, object], ask: Ask, base_url: str) -> dict[str, object]:
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
        'size': {'width': ask.size.width, 'height': ask.size.height} if ask.size else {},
        'num_inference_steps': {'steps': body.get('num_inference_steps')},
        'response_format': {'response_format': TOGETHER_FORMATS.get(str(ask.response_format))},
    }
    accents: dict[str, dict[str, dict[str, object]]] = {
        'siliconflow.cn': siliconflow,
        'siliconflow.com': siliconflow,
        'x.ai': {'size': {'aspect_ratio': ratio_of(ask)}},
        'together.xyz': together,
        'together.ai': together,
    }
    for domain, accent in accents.items():
        if host == domain or host.endswith(f'.{domain}'):
            said = [accent.get(name, {name: value}) for name, value in body.items()]
            return {name: value for fields in said for name, value in fields.items()}
    return body


def ratio_of(ask: Ask) -> str | None:
    """Give the nearest of the ratios that clouds know."""
    if not ask.size:
        return None
    ratios = ('1:1', '3:2', '2:3', '4:3', '3:4', '16:9', '9:16', '2:1', '1:2')
    wished = ask.size.width / ask.size.height

    def distance(ratio: str) -> float:
        width, _, height = ratio.partition(':')
        return abs(int(width) / int(height) - wished)

    return min(ratios, key=distance)

"""A server of the second images API, as strict as OpenRouter: it refuses what it does not list.

Sources: OpenRouter's `ImageGenerationRequest`, `ImageModelListItem` and `ImageGenerationUsage`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.providers.response.json_text import Json
from tests.support.fakes import Asked, Reply
from tests.support.provider_calls import B64, GONE

ROOT = '/api/v1'
SEEDREAM, FLUX, GEMINI, NANO = 'seedream-4.5', 'flux.2-pro', 'gemini-image', 'gpt-image-2'
LISTED: dict[str, dict[str, Json]] = {
    SEEDREAM: {
        'aspect_ratio': {'type': 'enum', 'values': ['1:1', '3:2', '2:3', '16:9', '9:19.5', 'auto']},
        'resolution': {'type': 'enum', 'values': ['1K', '2K', '4K']},
        'n': {'type': 'range', 'min': 1, 'max': 4},
        'seed': {'type': 'boolean'},
    },
    FLUX: {
        'size': {'type': 'boolean'},
        'seed': {'type': 'range', 'min': 0, 'max': 1000},
        'quality': {'type': 'enum', 'values': ['low', 'high']},
    },
    NANO: {
        'resolution': {
            'type': 'enum',
            'values': ['1024x1024', '1536x1024'],
            'default': '1024x1024',
        },
        'steps': {'type': 'range', 'min': 1, 'max': 50},
    },
}
OUTPUT = {SEEDREAM: ['image'], FLUX: ['image'], GEMINI: ['text', 'image']}


@dataclass
class SecondImagesServer:
    """Answers as the whole server does.

    Attributes:
        bodies: Of the calls for pictures that were charged.
        refused: What was said of the others.
    """

    cost: float = 0.05
    bodies: list[dict[str, Json]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        _, root, target = asked.target.partition(ROOT)
        if not root:
            return GONE
        if asked.method == 'GET' and target == '/models':
            return answer({'data': [_row(name, output) for name, output in OUTPUT.items()]})
        if asked.method == 'GET' and target == '/images/models':
            rows = [
                _row(name, ['image']) | {'supported_parameters': LISTED[name]} for name in LISTED
            ]
            return answer({'data': rows})
        if asked.method == 'POST' and target == '/images':
            return self._draw(json.loads(asked.body))
        if asked.method == 'POST' and target == '/chat/completions':
            return self._chat(json.loads(asked.body))
        return GONE

    def _draw(self, body: dict[str, Json]) -> Reply:
        wrong = _wrong_in(body)
        if wrong:
            self.refused.append(wrong)
            return answer({'error': {'message': wrong, 'code': 400}}, 400)
        self.bodies.append(body)
        count = body.get('n', 1)
        rows = [{'b64_json': B64, 'media_type': 'image/png'}] * (
            count if isinstance(count, int) else 1
        )
        return answer({'created': 1, 'data': rows, 'usage': {'cost': self.cost}})

    def _chat(self, body: dict[str, Json]) -> Reply:
        if body['modalities'] != (['image'] if body['model'] == FLUX else ['image', 'text']):
            asked = str(body['modalities']).strip('[]')
            wrong = f'No endpoints found that support the requested output modalities: {asked}'
            self.refused.append(wrong)
            return answer({'error': {'message': wrong, 'code': 404}}, 404)
        self.bodies.append(body)
        images = [{'type': 'image_url', 'image_url': {'url': f'data:image/png;base64,{B64}'}}]
        choices = [{'message': {'role': 'assistant', 'content': '', 'images': images}}]
        return answer({'choices': choices, 'usage': {'cost': self.cost, 'total_tokens': 1300}})


def answer(tree: object, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(tree).encode())


def _row(name: str, output: list[str]) -> dict[str, object]:
    return {'id': name, 'name': name, 'architecture': {'output_modalities': output}}


def _wrong_in(body: Mapping[str, Json]) -> str:
    """Return why a body is refused, empty where it is not."""
    listed = LISTED.get(str(body['model']))
    if listed is None:
        return f'Model {body["model"]} does not exist'
    if 'x' in str(body.get('size', '')) and {'resolution', 'aspect_ratio'} & body.keys():
        return 'size does not go with resolution or aspect_ratio'
    for name, value in body.items():
        if name in ('model', 'prompt'):
            continue
        told = listed.get(name)
        if not isinstance(told, dict):
            return f'Unknown parameter: {name!r}'
        if told['type'] == 'enum' and value not in told['values']:  # type: ignore[operator]
            return f'Invalid value for {name!r}'
        if told['type'] == 'range' and not told['min'] <= value <= told['max']:  # type: ignore[operator]
            return f'{name!r} is out of range'
    return ''

"""The public JSON of a generation, a picture and a call; absent values are null."""

from __future__ import annotations

import json
import shlex

from app.messages import error_json, item_error_json
from app.models import REQUEST_FIELDS, Call, Generation, Image
from app.web.base_path import BasePath
from app.web.templates import Language

THUMB_WIDTH = 480


def image_json(image: Image, root: BasePath) -> dict[str, object]:
    return {
        'id': image.id,
        'generation_id': image.generation_id,
        'position': image.position,
        'prompt': image.prompt,
        'negative_prompt': image.negative_prompt,
        'revised_prompt': image.revised_prompt,
        'provider': image.provider,
        'model': image.model,
        'asked_size': image.asked_size,
        'width': image.width,
        'height': image.height,
        'mime': image.mime,
        'size_bytes': image.size_bytes,
        'digest': image.digest,
        'seed': image.seed,
        'url': root.address(f'/files/{image.digest}.{image.extension}'),
        'thumb_url': root.address(f'/thumbs/{image.digest}-{THUMB_WIDTH}.webp'),
        'source_url': image.source_url,
        'favourite': image.favourite,
        'tags': list(image.tags),
        'created_at': image.created_at,
    }


def generation_json(generation: Generation, language: Language) -> dict[str, object]:
    request, error = generation.request, generation.error
    asked = {name: getattr(request, name) for name, rule in REQUEST_FIELDS.items() if rule.in_json}
    asked['size'] = str(request.size) if request.size else None
    return {
        'id': generation.id,
        'status': generation.status,
        'attempt': generation.attempt,
        'prompt': request.prompt,
        'provider': generation.provider,
        'model': generation.model,
        **asked,
        'progress': generation.progress,
        'dropped': list(generation.dropped),
        'item_errors': [item_error_json(one, language.translate) for one in generation.item_errors],
        'error': error_json(error, language.translate) if error else None,
        'images': [image_json(image, language.root) for image in generation.images],
        'created_at': generation.created_at,
        'started_at': generation.started_at,
        'finished_at': generation.finished_at,
    }


def attempt_json(attempt: Call) -> dict[str, object]:
    """Return a call as public JSON, with a command that repeats it."""
    return {
        'method': attempt.method,
        'url': attempt.url,
        'headers': dict(attempt.headers),
        'body': _indented(attempt.body),
        'curl': _curl(attempt),
        'status': attempt.status,
        'answer': _indented(attempt.answer),
        'reason': attempt.reason or None,
        'dropped': list(attempt.dropped),
        'began_at': attempt.began_at,
        'took_s': round(attempt.took_s, 3),
    }


def _indented(text: str) -> str:
    """Indent JSON; anything else stays as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _curl(attempt: Call) -> str:
    """Write a call as a shell command; the key's variable is left to the shell."""
    parts = ['curl', '-sS', '-X', attempt.method, shlex.quote(attempt.url)]
    for name, value in attempt.headers:
        line = f'{name}: {value}'
        quoted = f'"{line}"' if '$' in value else shlex.quote(line)
        parts.append(f'\\\n  -H {quoted}')
    if attempt.body:
        parts.append(f'\\\n  --data-raw {shlex.quote(attempt.body)}')
    return ' '.join(parts)

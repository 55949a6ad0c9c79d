"""The public JSON of a generation, a picture and a call; absent values are null."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from app.access.visitors import Visitor
from app.messages import error_json, for_guests, item_error_json
from app.models import Call, Generation, Image
from app.models.request import REQUEST_FIELDS
from app.net.urls import names_a_host
from app.providers.transport.bodies import FORM
from app.web.base_path import BasePath
from app.web.security.permissions import may_open
from app.web.templates import Language

THUMB_WIDTH = 480
SHOWN_PICTURE = re.compile(r'<image [\d.]+ [kM]B>')
IMAGE_FIELDS = (
    *('id', 'generation_id', 'position', 'prompt', 'negative_prompt', 'revised_prompt'),
    *('provider', 'model', 'asked_size', 'width', 'height', 'mime', 'size_bytes', 'digest'),
    *('seed', 'url', 'thumb_url', 'source_url', 'favourite', 'tags', 'created_at', 'albums'),
    *('parent_id', 'sources', 'changed_outside_mask', 'cost'),
)


def image_json(image: Image, root: BasePath, viewer: Visitor) -> dict[str, object]:
    computed = {
        'url': root.address(f'/files/{image.digest}.{image.extension}'),
        'thumb_url': root.address(f'/thumbs/{image.digest}-{THUMB_WIDTH}.webp'),
        'source_url': image.source_url if viewer.owner else None,
        'provider': public_server_name(image.provider, viewer),
        'tags': [],
        'albums': [album for album in image.albums if may_open(viewer, album)],
        'sources': list(image.sources),
        'cost': image.cost.as_json() if image.cost and sees_cost(image, viewer) else None,
    }
    return {
        name: computed[name] if name in computed else getattr(image, name) for name in IMAGE_FIELDS
    }


def sees_cost(image: Image, viewer: Visitor) -> bool:
    """Whether what a picture cost is the visitor's to know: a guest knows it of their own."""
    return viewer.owner or (image.guest is not None and image.guest == viewer.guest_id)


def generation_json(
    generation: Generation, language: Language, viewer: Visitor
) -> dict[str, object]:
    if not viewer.owner:
        generation = replace(
            generation,
            error=generation.error and for_guests(generation.error),
            item_errors=tuple(map(for_guests, generation.item_errors)),
        )
    request, error = generation.request, generation.error
    asked = {name: getattr(request, name) for name, rule in REQUEST_FIELDS.items() if rule.in_json}
    asked['size'] = str(request.size) if request.size else None
    return {
        'id': generation.id,
        'status': generation.status,
        'attempt': generation.attempt,
        'prompt': request.prompt,
        'provider': public_server_name(generation.provider, viewer),
        'model': generation.model,
        **asked,
        'progress': generation.progress,
        'dropped': list(generation.dropped),
        'item_errors': [item_error_json(one, language.translate) for one in generation.item_errors],
        'error': error_json(error, language.translate) if error else None,
        'images': [image_json(image, language.root, viewer) for image in generation.images],
        'created_at': generation.created_at,
        'started_at': generation.started_at,
        'finished_at': generation.finished_at,
    }


def public_server_name(name: str, viewer: Visitor) -> str:
    """Return a provider's name; a guest is not told one that is an address."""
    return name if viewer.owner or not names_a_host(name) else 'server'


def attempt_json(attempt: Call) -> dict[str, object]:
    """Return a call with a command that repeats it."""
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
        'cost': attempt.cost.as_json() if attempt.cost else None,
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
    is_form = dict(attempt.headers).get('Content-Type') == FORM
    for name, value in attempt.headers:
        line = f'{name}: {value}'
        quoted = f'"{line}"' if '$' in value else shlex.quote(line)
        if value != FORM:  # curl writes it, with the boundary that it chooses
            parts.append(f'\\\n  -H {quoted}')
    if is_form:
        parts += (f'\\\n  {part}' for part in _form_parts(attempt.body))
    elif attempt.body:
        parts.append(f'\\\n  --data-raw {shlex.quote(attempt.body)}')
    return ' '.join(parts)


def _form_parts(body: str) -> Iterator[str]:
    """Write the parts of a form; where a picture was, its file is left to be filled in."""
    for name, values in json.loads(body).items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str) and SHOWN_PICTURE.fullmatch(value) and name != 'prompt':
                yield f'-F {shlex.quote(name)}=@…'
            else:
                text = value if isinstance(value, str) else json.dumps(value)
                yield f'--form-string {shlex.quote(f"{name}={text}")}'

"""Read what a request asks the demo for, checked against the rules of the OpenAI images API."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

SKETCH = 'sketch'
RECOLOUR = 'recolour'
IGNORES_MASK = 'ignores-mask'
MODELS = (SKETCH, RECOLOUR, IGNORES_MASK)
MOST_PICTURES = 10
MOST_PIXELS = 40_000_000
SIDES = range(16, 16384 + 1)
_LONGEST_PROMPT = 32_000
_SEEDS = range(-(2**63), 2**64)


@dataclass(eq=False)
class RequestError(Exception):
    """The request cannot be answered; carries what OpenAI puts into its error object."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """A checked request; `size` is None where it is left to the demo, `strength` is 0..1."""

    model: str
    prompt: str
    count: int
    size: tuple[int, int] | None
    seed: int
    inline: bool
    streams: bool
    partials: int
    strength: float

    @property
    def size_or_default(self) -> tuple[int, int]:
        return self.size or (1024, 1024)


def read_model(fields: Mapping[str, object]) -> str:
    """Return the model's name as it was sent; `SKETCH` when there is none."""
    model = fields.get('model')
    return SKETCH if model in (None, '') else _text(model, 'model')


def read_request(fields: Mapping[str, object]) -> DrawRequest:
    form, streams = fields.get('response_format'), fields.get('stream')
    request = DrawRequest(
        seed=_whole(fields, 'seed', _SEEDS, secrets.randbelow(2**31)),
        count=_whole(fields, 'n', range(1, MOST_PICTURES + 1), 1),
        partials=_whole(fields, 'partial_images', range(4), 0),
        model=read_model(fields),
        prompt=_prompt(fields),
        size=_size(fields),
        inline=form == 'b64_json',
        streams=streams is True,
        strength=_strength(fields.get('strength')),
    )
    if form not in (None, 'url', 'b64_json'):
        message = "'response_format' must be 'url' or 'b64_json'."
        raise RequestError(message, 'response_format', 'invalid_value')
    if streams is not None and not isinstance(streams, bool):
        raise RequestError("'stream' must be true or false.", 'stream', 'invalid_type')
    return request


def typed_fields(form: Mapping[str, str]) -> dict[str, object]:
    """Return form fields as JSON would hold them: numbers as numbers, `true` as true."""
    fields: dict[str, object] = {name: text for name, text in form.items() if text != ''}
    for name in ('n', 'seed', 'partial_images'):
        if re.fullmatch(r'-?[0-9]{1,30}', form.get(name, '')):
            fields[name] = int(form[name])
    if re.fullmatch(r'[0-9]{1,2}(\.[0-9]{1,20})?', form.get('strength', '')):
        fields['strength'] = float(form['strength'])
    if form.get('stream') in {'true', 'false'}:
        fields['stream'] = form['stream'] == 'true'
    return fields


def _text(value: object, name: str) -> str:
    """Return a string, without half characters, which UTF-8 cannot encode."""
    if not isinstance(value, str):
        raise RequestError(f"'{name}' must be a string.", name, 'invalid_type')
    return value.encode('utf-8', 'replace').decode()


def _prompt(fields: Mapping[str, object]) -> str:
    if fields.get('prompt') is None:
        raise RequestError("Missing required parameter: 'prompt'.", 'prompt', 'missing_parameter')
    prompt = _text(fields['prompt'], 'prompt')
    if not prompt.strip():
        raise RequestError("'prompt' must not be empty.", 'prompt', 'empty_string')
    if len(prompt) > _LONGEST_PROMPT:
        message = f"'prompt' must have at most {_LONGEST_PROMPT} characters."
        raise RequestError(message, 'prompt', 'string_above_max_length')
    return prompt


def _whole(fields: Mapping[str, object], name: str, allowed: range, otherwise: int) -> int:
    number = fields.get(name)
    if number is None:
        return otherwise
    if not isinstance(number, int) or isinstance(number, bool):
        raise RequestError(f"'{name}' must be an integer.", name, 'invalid_type')
    if number not in allowed:
        message = f"'{name}' must be from {allowed.start} to {allowed.stop - 1}."
        raise RequestError(message, name, 'invalid_value')
    return number


def _strength(strength: object) -> float:
    """Return how much of a change is wanted; all of it where nothing is said."""
    if strength is None:
        return 1.0
    if (
        not isinstance(strength, int | float)
        or isinstance(strength, bool)
        or not 0 <= strength <= 1
    ):
        raise RequestError("'strength' must be from 0 to 1.", 'strength', 'invalid_value')
    return float(strength)


def _size(fields: Mapping[str, object]) -> tuple[int, int] | None:
    size = fields.get('size')
    if size is None or size == 'auto':
        return None
    match = re.fullmatch(r'([0-9]{1,5})x([0-9]{1,5})', size) if isinstance(size, str) else None
    if match is None:
        raise RequestError("'size' must be 'auto' or like '1024x1024'.", 'size', 'invalid_value')
    width, height = int(match[1]), int(match[2])
    if width not in SIDES or height not in SIDES:
        message = f"Each side of 'size' must be from {SIDES.start} to {SIDES.stop - 1} pixels."
        raise RequestError(message, 'size', 'invalid_value')
    if width * height > MOST_PIXELS:
        message = f"'size' must have at most {MOST_PIXELS} pixels in all."
        raise RequestError(message, 'size', 'invalid_value')
    return width, height

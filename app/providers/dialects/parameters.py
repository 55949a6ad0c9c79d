"""Reader of what lists of models tell: what each field may hold, and what comes out.

Sources, for `GET …/images/models`: OpenRouter's `ImageModelListItem` and its `EnumCapability`,
`RangeCapability` and `BooleanCapability`; NanoGPT's page *List Image Models*.
"""

from __future__ import annotations

import asyncio
import math

from app.providers.core.parameters import ModelParameters, Parameter
from app.providers.response.images import at, rows_of
from app.providers.response.json_text import Json
from app.providers.transport.client import Client, endpoint

LIST = 'images/models'
LONGEST_NAME = 200
LONGEST_VALUE = 40
MOST_FIELDS = 60
MOST_VALUES = 100


async def listed_parameters(client: Client, base_url: str) -> dict[str, ModelParameters]:
    """Ask for what each model takes, by name; empty where no such list is."""
    tree = await client.find(endpoint(base_url, LIST))
    return await asyncio.to_thread(parameters_in, tree) if tree else {}  # a tenth of a second


def parameters_in(tree: Json) -> dict[str, ModelParameters]:
    """Return what each model takes, by name; empty for a list of another kind."""
    found = {}
    for row in _rows_in(tree):
        name, listed = at(row, 'id'), at(row, 'supported_parameters')
        if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and isinstance(listed, dict):
            told = [(field, one) for field, one in listed.items() if one not in (None, False)]
            fields = {field: _parameter(one) for field, one in told[:MOST_FIELDS]}
            found[name] = ModelParameters(fields, at(row, 'supports_streaming') is True)
    return found


def names_in(tree: Json) -> tuple[str, ...]:
    """Return the names of all models in such a list, also of those without parameters."""
    names = (at(row, 'id') for row in _rows_in(tree))
    return tuple(name for name in names if isinstance(name, str) and name)


def only_draws(tree: Json, model: str) -> bool:
    """Whether a list of models tells pictures, and no text, as the output of a model."""
    row = next((row for row in rows_of(tree, 'data') if at(row, 'id') == model), None)
    for output in (at(row, 'architecture', 'output_modalities'), at(row, 'output_modalities')):
        if isinstance(output, list):
            return 'image' in output and 'text' not in output
    return False


def _rows_in(tree: Json) -> list[Json]:
    tree = {'data': tree} if isinstance(tree, list) else tree
    return rows_of(tree, 'data') or rows_of(tree, 'models')


def _parameter(told: Json) -> Parameter:
    values = at(told, 'values') or at(told, 'enum')
    listed = values[:MOST_VALUES] if isinstance(values, list) else []
    texts = [str(one) for one in listed if isinstance(one, str | int | float)]
    least, most = (_bound(told, *keys) for keys in (('min', 'minimum'), ('max', 'maximum')))
    if least is not None and most is not None and least > most:
        least = most = None
    kept = (one for one in texts if one.isprintable() and 0 < len(one) <= LONGEST_VALUE)
    return Parameter(tuple(kept), least, most)


def _bound(told: Json, *keys: str) -> float | None:
    return next((one for key in keys if (one := _number(at(told, key))) is not None), None)


def _number(value: Json) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int | float) and math.isfinite(value) else None

"""Reader of a provider's list of models, in all the forms that servers give it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from app.providers.core.base import ProviderState, ProviderStatus

if TYPE_CHECKING:
    from app.providers.response.json_text import Json

MOST_NAMES = 20_000
LONG_ROWS = 500  # whose names take some milliseconds
LONGEST_NAME = 200

T = TypeVar('T')
_DRAWS = re.compile(
    r'flux|sdxl|stable.?diffusion|(^|[^a-z])sd([^a-z]|$)|dall-?e|gpt-image|imagen|qwen-image|z-image|'
    r'seedream|kolors|recraft|ideogram|midjourney|hidream|playground|pixart|kandinsky|image',
    re.IGNORECASE,
)
_IMAGE_WORDS = {'image', 'image_generation', 'text-to-image', 'texttoimage', 'imagetoimage', 't2i'}
_NAME_KEYS = ('id', 'model_name', 'name', 'model')
ROW_KEYS = ('data', 'models', 'image_models')
_FLAGS = (
    *('output_modalities', 'type', 'model_type', 'mode', 'tasks', 'task_type'),
    *('supported_task_types', 'labels', 'capabilities', 'model_ability'),
)


async def aside(tree: Json, read: Callable[[Json], T]) -> T:
    """Read a list of models, a long one in a thread."""
    is_long = len(rows_in(tree) or ()) > LONG_ROWS
    return await asyncio.to_thread(read, tree) if is_long else read(tree)


def status_of(http_status: int, tree: Json) -> ProviderStatus:
    if http_status != 200:
        from app.providers.response.errors import refuses_key  # most lists come without a word

        refused = refuses_key(http_status, tree)
        state = ProviderState.KEY_REFUSED if refused else ProviderState.NO_LIST
        return ProviderStatus(state=state, reason=f'HTTP {http_status}')
    if not isinstance(tree, list | dict):
        return ProviderStatus(state=ProviderState.WEB_PAGE, reason='no list of models')
    models, drawing = models_in(tree), len(drawing_in(tree))
    return ProviderStatus(state=ProviderState.LIST, models=models, drawing=drawing)


def printable(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that a page can show as they are; a half sign came as U+FFFD."""
    return tuple(name for name in names if name.isprintable() and '\ufffd' not in name)


def models_in(tree: Json) -> tuple[str, ...]:
    """List the names to suggest, those that draw first; nothing is hidden."""
    return _names([*_drawing(tree), *(rows_in(tree) or [])])


def drawing_in(tree: Json) -> tuple[str, ...]:
    """List only the names that a flag or the name itself says can draw."""
    return _names(_drawing(tree))


def rows_in(tree: Json) -> list[Json] | None:
    """Return the rows of what may be a list of models; None if it is none."""
    if isinstance(tree, dict):
        inner = (tree.get(key) for key in ROW_KEYS)
        nodes = [tree, *(one for one in inner if isinstance(one, dict))]
        rows = (node.get(key) for node in nodes for key in ROW_KEYS)
        tree = next((one for one in rows if isinstance(one, list)), None)
    return tree if isinstance(tree, list) else None


def are_bare(tree: Json) -> bool:
    """Check that each row has an id and its kind and nothing else, as LocalAI and Jan list them."""
    rows = rows_in(tree) or []
    return bool(rows) and all(isinstance(row, dict) and {*row} == {'id', 'object'} for row in rows)


def is_listed(model: str, tree: Json) -> bool:
    """Check whether a list has a model, under any of the names that its row gives it."""
    return any(model in _all_names(row) for row in rows_in(tree) or [])


def draws_in_chats(tree: Json, model: str) -> bool:
    """Check whether a list flags a model as one with pictures among its output."""
    return _is_flagged(_row_of(tree, model), ('output_modalities',))


def takes_words_alone(tree: Json, model: str) -> bool:
    """Check whether a list tells what a model takes, and no pictures among it."""
    row, key = _row_of(tree, model), 'input_modalities'
    return any(key in node for node in _nodes_of(row)) and not _is_flagged(row, (key,))


def _row_of(tree: Json, model: str) -> Json:
    return next((row for row in rows_in(tree) or [] if model and _name(row) == model), None)


def _drawing(tree: Json) -> list[Json]:
    """List the rows that draw, those with a flag first.

    `image: true` counts only when no row has a better flag, since some servers set it false for
    every model that draws. A row of g4f's may be one of its own providers.
    """
    rows = rows_in(tree) or []
    models = [row for row in rows if not (isinstance(row, dict) and row.get('provider') is True)]
    flagged = [row for row in models if _is_flagged(row, _FLAGS)] or [
        row for row in models if isinstance(row, dict) and row.get('image') is True
    ]
    return [*flagged, *(row for row in rows if _DRAWS.search(_name(row)))]


def _names(rows: list[Json]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_name, rows))))[:MOST_NAMES]


def _name(row: Json) -> str:
    if isinstance(row, dict):
        values = [row.get(key) for key in _NAME_KEYS]
        row = next((value for value in values if isinstance(value, str) and value), '')
    return row[:LONGEST_NAME] if isinstance(row, str) else ''


def _all_names(row: Json) -> tuple[str, ...]:
    values = map(row.get, (*_NAME_KEYS, 'title')) if isinstance(row, dict) else (row,)
    names = [value for value in values if isinstance(value, str)]
    return (*names, *(name.removesuffix(':latest') for name in names))  # as Ollama spells it


def _is_flagged(row: Json, keys: tuple[str, ...]) -> bool:
    """Check whether one of these keys, of the row or its architecture, speaks of pictures."""
    values = [node.get(key) for node in _nodes_of(row) for key in keys]
    words = [word for value in values for word in (value if isinstance(value, list) else [value])]
    return any(isinstance(word, str) and word.lower() in _IMAGE_WORDS for word in words)


def _nodes_of(row: Json) -> list[dict[str, Json]]:
    nodes = (row, row.get('architecture')) if isinstance(row, dict) else ()
    return [node for node in nodes if isinstance(node, dict)]

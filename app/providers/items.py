"""Finds the pictures in an answer's skeleton, whatever the server calls them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeGuard

Json: TypeAlias = 'dict[str, Json] | list[Json] | str | int | float | bool | None'

CONTAINERS = ('data', 'images', 'output_images', 'results', 'output', 'choices', 'result', 'base64')
INSIDE = ('message', 'delta', 'content', 'images', 'output', 'choices', 'result', 'data')
BASE64_KEYS = ('b64_json', 'image_base64', 'base64', 'b64', 'image')
URL_KEYS = ('url', 'image_url')
_PICTURE_KEYS = {*BASE64_KEYS, *URL_KEYS}
TASK_KEYS = ('poll_url', 'task_id', 'job_id')
MOST_DEPTH = 8
DONE = '[DONE]'
MOST_ITEMS = 64

_MARKDOWN_IMAGE = re.compile(r'!\[[^\[\]]{0,500}\]\(([^()\s]{1,8192})\)')
_ADDRESS = re.compile(r'(https?:)?//|data:|[a-z]+://', re.IGNORECASE)
_DATA_FIELD = re.compile(r'^(data|event|id|retry)?:', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture that an answer names.

    Attributes:
        text: Base64, a spool's mark, a data URI or an address; empty where one is missing.
        is_address: Whether the server called it one, or it plainly is one.
        trouble: What the server says of one that it could not make.
    """

    text: str
    is_address: bool
    revised_prompt: str | None = None
    seed: int | None = None
    trouble: str = ''


class Cut(ValueError):
    """A stream of events ended before the picture came."""


def parse(skeleton: str) -> Json:
    """Read the text: JSON, JSON lines, or server-sent events.

    JSON lines and events give what holds pictures, or else the last value of all; previews are
    left out.

    Raises:
        Cut: It is a stream of events, and all that came whole is previews.
        ValueError: It is none of these.
    """
    text = skeleton.strip()
    try:
        return _loads(text)
    except ValueError as error:
        is_stream = bool(_DATA_FIELD.match(text))
        values = list(_events(text) if is_stream else _lines(text))
        finals = [value for value in values if not is_partial(value)]
        if is_stream and not finals:
            raise Cut('only previews came' if values else 'no event is whole') from error
        if not finals:
            raise
    drawn = [value for value in finals if find_items(value)]
    lost = [value for value in finals if _trouble_in(value)]
    return [*drawn, *lost] if drawn else finals[-1]


def find_items(tree: Json) -> list[Item]:
    """List the pictures in their order; each dictionary that holds one is one picture.

    A place in a list that should hold one and does not is an item with an empty text. A sheet of
    all of them, which some servers put first, is none.
    """
    info = _info_of(tree)
    grids = info.get('index_of_first_image')
    items = list(_walk(tree, 0))[grids if isinstance(grids, int) and grids > 0 else 0 :]
    items = items[:MOST_ITEMS]
    if not any(item.text for item in items):
        return []
    seeds = _seeds_of(tree, info)
    return [
        item if item.seed is not None else replace(item, seed=seed)
        for item, seed in zip(items, [*seeds, *[None] * len(items)], strict=False)
    ]


def task_of(tree: Json) -> str | None:
    """Give the job's name when the answer is a promise and not a picture."""
    if not isinstance(tree, dict):
        return None
    for key in TASK_KEYS:
        value = tree.get(key)
        if isinstance(value, str | int) and value:
            return str(tree.get('id') or value)
    if str(tree.get('object', '')).endswith('.task'):
        return str(tree.get('id', ''))
    return None


def _loads(text: str) -> Json:
    try:
        tree: Json = json.loads(text)
        if '\\ud' in text.lower():
            whole = json.dumps(tree, ensure_ascii=False).encode('utf-8', 'replace')
            tree = json.loads(whole)  # half a sign can neither be kept nor be shown
    except RecursionError as error:
        raise ValueError('nested too deep') from error
    return tree


def payloads(event: str) -> Iterator[Json]:
    """Read what the data lines of one event, or of the whole stream's text between blanks, say.

    What is no JSON is passed over; `[DONE]` is given as it is.
    """
    fields = (line.partition(':') for line in re.split(r'\r\n|\r|\n', event))
    payload = '\n'.join(value.removeprefix(' ') for name, _, value in fields if name == 'data')
    if payload.strip() == DONE:
        yield DONE
    elif payload:
        with contextlib.suppress(ValueError):
            yield _loads(payload)


def is_partial(value: Json) -> bool:
    """Whether an event holds a preview and not a finished picture."""
    kind = value.get('type') if isinstance(value, dict) else None
    return isinstance(kind, str) and (kind == 'partial' or kind.endswith('partial_image'))


def _lines(text: str) -> Iterator[Json]:
    """Read JSON lines; the last may be cut, and others may be no JSON."""
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            value = _loads(line)
            if isinstance(value, dict | list):
                yield value


def _events(text: str) -> Iterator[Json]:
    for event in re.split(r'\r?\n\r?\n|\r\r', text):
        yield from (value for value in payloads(event) if value != DONE)


def _walk(node: Json, depth: int) -> Iterator[Item]:
    if depth > MOST_DEPTH:
        return
    if isinstance(node, list):
        for element in node:
            found = list(_walk(element, depth + 1))
            yield from found
            if not found and isinstance(element, dict):
                trouble = _trouble_in(element)
                if trouble or _PICTURE_KEYS & element.keys():
                    yield Item('', is_address=False, trouble=trouble)
    elif isinstance(node, str):
        yield from _item_of_text(node, depth)
    elif isinstance(node, dict):
        item = _item_of(node)
        if item:
            yield item
            return
        for key in dict.fromkeys((*CONTAINERS, *INSIDE)):
            if key in node and node[key] is not None:
                yield from _walk(node[key], depth + 1)


def _trouble_in(value: Json) -> str:
    """Read what is said of one picture that could not be made."""
    error = value.get('error') if isinstance(value, dict) else None
    if isinstance(error, dict):
        error = error.get('message') or error.get('code')
    return error if isinstance(error, str) else ''


def _item_of(node: dict[str, Json]) -> Item | None:
    """Read one item: base64 before an address; blank and null are absent."""
    revised = node.get('revised_prompt')
    seed = node.get('seed')
    known = (
        revised if isinstance(revised, str) and revised.strip() else None,
        seed if _is_seed(seed) else None,
    )
    for key in BASE64_KEYS:
        value = node.get(key)
        if isinstance(value, str) and value.strip():
            return Item(value.strip(), bool(_ADDRESS.match(value.strip())), *known)
    for key in URL_KEYS:
        value = node.get(key)
        if isinstance(value, dict):
            value = value.get('url')
        if isinstance(value, str) and value.strip():
            return Item(value.strip(), True, *known)
    return None


def _is_seed(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _info_of(tree: Json) -> dict[str, Json]:
    """Read what AUTOMATIC1111 says beside its pictures, as JSON within JSON."""
    info = tree.get('info') if isinstance(tree, dict) else None
    if isinstance(info, str):
        try:
            info = _loads(info)
        except ValueError:
            return {}
    return info if isinstance(info, dict) else {}


def _seeds_of(tree: Json, info: dict[str, Json]) -> list[int]:
    """Read seeds that stand beside the pictures and not in them."""
    if not isinstance(tree, dict):
        return []
    for node in (info, tree):
        every = node.get('all_seeds')
        if isinstance(every, list):
            return [seed for seed in every if _is_seed(seed)]
    seed = tree.get('seed')
    return [seed] if _is_seed(seed) else []


def _item_of_text(text: str, depth: int) -> Iterator[Item]:
    """Read a bare string: an address, base64 in a list, or markdown with pictures in it."""
    text = text.strip()
    if not text or depth == 0:
        return
    links = _MARKDOWN_IMAGE.findall(text)
    if links:
        yield from (Item(link, True) for link in links)
    elif _ADDRESS.match(text) or re.search(r'\.(png|jpe?g|webp|gif|avif)$', text, re.IGNORECASE):
        yield Item(text, True)
    elif ' ' not in text and len(text) >= 16:
        yield Item(text, False)

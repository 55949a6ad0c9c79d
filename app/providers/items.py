"""Finds the pictures in an answer's skeleton, whatever the server calls them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = 'dict[str, Json] | list[Json] | str | int | float | bool | None'

CONTAINERS = ('data', 'images', 'output_images', 'results', 'output', 'choices', 'result', 'base64')
INSIDE = ('message', 'delta', 'content', 'images', 'output', 'choices', 'result', 'data')
BASE64_KEYS = ('b64_json', 'image_base64', 'base64', 'b64', 'image')
URL_KEYS = ('url', 'image_url')
TASK_KEYS = ('poll_url', 'task_id', 'job_id')
MOST_DEPTH = 8
MOST_ITEMS = 64

_MARKDOWN_IMAGE = re.compile(r'!\[[^\]]*\]\(([^)\s]+)\)')
_ADDRESS = re.compile(r'(https?:)?//|data:|[a-z]+://', re.IGNORECASE)
_DATA_FIELD = re.compile(r'^(data|event|id|retry)?:', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture that an answer names.

    Attributes:
        text: Base64, a spool's mark, a data URI, or an address.
        is_address: Whether the server called it one, or it plainly is one.
    """

    text: str
    is_address: bool
    revised_prompt: str | None = None
    seed: int | None = None


def parse(skeleton: str) -> Json:
    """Read the text: JSON, JSON lines, or server-sent events.

    JSON lines and events give the last value that holds a picture, or else the last of all.

    Raises:
        ValueError: It is none of these.
    """
    text = skeleton.strip()
    try:
        return _loads(text)
    except ValueError:
        values = list(_events(text)) if _DATA_FIELD.match(text) else list(_lines(text))
        if not values:
            raise
    finals = [value for value in values if not _is_partial(value)]
    drawn = [item for value in finals for item in _drawn(value)]
    return drawn if drawn else (finals or values)[-1]


def find_items(tree: Json) -> list[Item]:
    """List the pictures in their order; each dictionary that holds one is one picture."""
    return list(_walk(tree, 0))[:MOST_ITEMS]


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
    except RecursionError as error:
        raise ValueError('nested too deep') from error
    return tree


def _lines(text: str) -> Iterator[Json]:
    for line in text.splitlines():
        if line.strip():
            yield _loads(line)


def _events(text: str) -> Iterator[Json]:
    for event in re.split(r'\r?\n\r?\n|\r\r', text):
        fields = (line.partition(':') for line in re.split(r'\r\n|\r|\n', event))
        payload = '\n'.join(value.removeprefix(' ') for name, _, value in fields if name == 'data')
        if payload and payload.strip() != '[DONE]':
            yield _loads(payload)


def _is_partial(value: Json) -> bool:
    kind = value.get('type') if isinstance(value, dict) else None
    return isinstance(kind, str) and (kind == 'partial' or kind.endswith('partial_image'))


def _drawn(value: Json) -> list[Json]:
    return [value] if find_items(value) else []


def _walk(node: Json, depth: int) -> Iterator[Item]:
    if depth > MOST_DEPTH:
        return
    if isinstance(node, list):
        for element in node:
            yield from _walk(element, depth + 1)
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


def _item_of(node: dict[str, Json]) -> Item | None:
    """Read one item: base64 before an address; blank and null are absent."""
    revised = node.get('revised_prompt')
    seed = node.get('seed')
    known = (
        revised if isinstance(revised, str) and revised.strip() else None,
        seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
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

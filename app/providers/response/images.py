"""The pictures in the tree of a response, whatever the server calls them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from app.cost import Cost
from app.models.request import MOST_SEED
from app.providers.response.json_text import Json, loads

CONTAINERS = (
    *('data', 'images', 'output_images', 'results', 'output', 'choices', 'result', 'base64'),
    *('outputs', 'candidates', 'artifacts', 'predictions', 'urls', 'image_urls', 'generations'),
    *('generated', 'generated_images', 'task_result', 'resultUrls', 'result_urls', 'output_urls'),
)
INSIDE = (
    *('message', 'delta', 'content', 'parts', 'inlineData', 'inline_data', 'source'),
    *('response', 'item', 'assets', 'generations_by_pk', 'resultJson', 'multi_mod_content'),
)
BASE64_KEYS = ('b64_json', 'image_base64', 'base64', 'b64', 'image', 'bytesBase64Encoded')
URL_KEYS = ('url', 'image_url', 'imageUrl', 'imageURL')
MAY_BE_URL_KEYS = ('sample', 'img', 'uri', 'image_uri', 'output_url', 'download_url', 'file_url')
MOST_DEPTH = 8
MOST_ITEMS = 1_000  # to be counted; few of them are kept
MOST_NODES = 2_000  # of a tree, looked at in search of pictures: some ten microseconds each
MOST_ROWS = 1_000
MOST_PROSE_LETTERS = 20_000
MARK = re.compile(r'picture-[0-9a-f]{16}-\d+')  # in the place of a long picture

_PICTURE_KEYS = {*BASE64_KEYS, *URL_KEYS}
_ANYWHERE = tuple(dict.fromkeys((*CONTAINERS, *INSIDE, *BASE64_KEYS, *URL_KEYS)))
_ADDRESS = re.compile(r'(?i)(https?:)?//|data:|[a-z]+://')
_FILE = re.compile(r'(?i)\.(?:png|jpe?g|webp|gif|avif)(?:\?[^\s?]*+)?$')
_BASE64 = re.compile(r'[A-Za-z0-9+/_=\s-]{16,}')
_OF_A_PICTURE = re.compile(r'iVBORw0KGgo|[/_]9j[/_]|UklGR|R0lGOD[dl]h|AAAA.{4}ZnR5cGF2a[WX]')
_IN_PROSE = (
    re.compile(
        r'!\[(?:[^\[\]]|\[[^\[\]]*\]){0,500}\]\(\s*<?'
        r'([^()\s<>]++(?:\([^()\s<>]*\)[^()\s<>]*+)*+)>?(?:\s+["\'][^"\']*["\'])?\s*\)'
    ),
    re.compile(r'(?i)<img\s[^<>]{0,2000}?src\s*=\s*["\']([^"\'<>\s]+)'),
    re.compile(r'(data:image/[\w.+-]{1,40}(?:;[\w=.-]{1,60}){0,3},[A-Za-z0-9+/_=%-]+)'),
    re.compile(f'({MARK.pattern})'),
)
_LINK = re.compile(
    r'(?i)(https?://[^\s()<>"\'\]]{1,1000}?\.(?:png|jpe?g|webp|gif|avif)'
    r'(?:\?[^\s()<>"\'\]]{0,1000})?)'
)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture that a response names."""

    text: str  # base64, a stream's mark, a data URI or an address; empty where one is missing
    is_address: bool  # the server called it one, or it plainly is one
    revised_prompt: str | None = None
    seed: int | None = None
    trouble: str = ''  # what the server says of one that it could not make
    cost: Cost | None = None  # its share


@dataclass(slots=True)
class _Budget:
    """What may still be looked at in one tree."""

    nodes: int = MOST_NODES
    letters: int = MOST_PROSE_LETTERS  # of prose that has no picture but may have a link to one


def at(node: Json, *path: str | int) -> Json:
    """Return what stands at a path of names and positions, None where nothing does."""
    for key in path:
        if isinstance(node, dict) and isinstance(key, str):
            node = node.get(key)
        elif isinstance(node, list) and isinstance(key, int) and key < len(node) > 0:
            node = node[key]
        else:
            return None
    return node


def rows_of(node: Json, key: str) -> list[Json]:
    """Return the first rows of a list that stands at a key; none where no list does."""
    rows = at(node, key)
    return rows[:MOST_ROWS] if isinstance(rows, list) else []


def find_items(tree: Json) -> list[Item]:
    """List the pictures in their order; one missing in a list is an item without a text."""
    items, info = _within(tree, 0, _Budget()), at(tree, 'info')
    with contextlib.suppress(ValueError):  # AUTOMATIC1111 puts JSON within JSON
        info = loads(info) if isinstance(info, str) else info
    grids = at(info, 'index_of_first_image')
    if _is_number(grids) and grids < len(items):  # sheets of all of them come first
        items = items[grids:]
    items = items[:MOST_ITEMS]
    if not any(item.text for item in items):
        return []
    listed = [at(node, 'all_seeds') for node in (info, tree)]
    seeds = next((every for every in listed if isinstance(every, list)), [at(tree, 'seed')])
    numbers = [seed for seed in seeds if _is_number(seed)]
    return [
        replace(item, seed=numbers[place]) if item.seed is None and place < len(numbers) else item
        for place, item in enumerate(items)
    ]


def tree_of(items: list[Item]) -> Json:
    """Return the least tree in which `find_items` finds the same."""
    rows: list[Json] = [
        {
            'url' if item.is_address else 'b64_json': item.text,
            'revised_prompt': item.revised_prompt,
            'seed': item.seed,
            'error': item.trouble,
        }
        for item in items
    ]
    return {'data': rows}


def trouble_in(value: Json) -> str:
    """Return the server's words about one picture that it could not make."""
    error = at(value, 'error')
    if isinstance(error, dict):
        error = error.get('message') or error.get('code')
    return error if isinstance(error, str) else ''


def is_picture(text: str) -> bool:
    """Check whether a text is base64 that begins as a picture does."""
    return bool(_OF_A_PICTURE.match(text) and _BASE64.fullmatch(text))


def _within(node: Json, depth: int, budget: _Budget, *, is_listed: bool = False) -> list[Item]:
    budget.nodes -= 1
    if depth > MOST_DEPTH or budget.nodes < 0:
        return []
    if isinstance(node, str):
        return list(_in_text(node, budget, is_listed=is_listed))
    if isinstance(node, list):
        rows = node[:MOST_ROWS]
        return [item for row in rows for item in _within(row, depth + 1, budget, is_listed=True)]
    if not isinstance(node, dict):
        return []
    found, trouble = _of_fields(node, depth, budget), trouble_in(node)
    if isinstance(node.get('code'), str) and not trouble:  # as DashScope has it
        message = node.get('message')
        trouble = message if isinstance(message, str) else ''
    if is_listed and not found and (trouble or _PICTURE_KEYS & node.keys()):
        return [Item('', is_address=False, trouble=trouble)]  # a place where a picture is missing
    return found


def _of_fields(node: dict[str, Json], depth: int, budget: _Budget) -> list[Item]:
    """Take a list of pictures, else the picture that this is, else what stands deeper."""
    lost: list[Item] = []
    for key in CONTAINERS:  # the same pictures may stand under two names
        found = _within(rows_of(node, key), depth + 1, budget) if key in node else []
        if any(item.text for item in found):
            return found
        lost += found
    own = [*_item_of(node)]
    if own:
        return own
    for key in _ANYWHERE:
        value = node.get(key)
        if not value or (key in CONTAINERS and isinstance(value, list)):
            continue
        found = _within(value, depth + 1, budget)
        if any(item.text for item in found):
            return found
        lost += found
    return lost


def _item_of(node: dict[str, Json]) -> Iterator[Item]:
    """Read the one picture that this is: base64 before an address; blank and null are absent."""
    revised, seed = node.get('revised_prompt'), node.get('seed')
    for key in (*BASE64_KEYS, *URL_KEYS, *MAY_BE_URL_KEYS):
        value = node.get(key)
        if key in URL_KEYS:
            value = at(value, 'url') or value
        text = value.strip() if isinstance(value, str) else ''
        if not text or (key in MAY_BE_URL_KEYS and not _ADDRESS.match(text)):
            continue
        is_address = not is_picture(text)
        if key in BASE64_KEYS:
            is_address = bool(_ADDRESS.match(text) or _FILE.search(text))
        revised_prompt = revised if isinstance(revised, str) and revised.strip() else None
        yield Item(text, is_address, revised_prompt, seed if _is_number(seed) else None)
        return


def _is_number(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_SEED


def _in_text(text: str, budget: _Budget, *, is_listed: bool) -> Iterator[Item]:
    """Read a bare string: an address, base64, or prose with pictures in it.

    Prose and names can be written in base64's letters alone, so that only a string in a list may be
    any base64; elsewhere it has to begin as a picture does.
    """
    text = text.strip()
    is_one_word = not re.search(r'\s', text)
    if MARK.fullmatch(text) or is_picture(text):
        yield Item(text, is_address=False)
    elif (is_one_word and _ADDRESS.match(text)) or (
        (is_one_word or is_listed) and '](' not in text and _FILE.search(text)
    ):
        yield Item(text, is_address=True)
    elif is_listed and _BASE64.fullmatch(text) and is_one_word:
        yield Item(text, is_address=False)
    else:
        found = next(filter(None, (pattern.findall(text) for pattern in _IN_PROSE)), [])
        links = found or dict.fromkeys(_LINK.findall(text[: budget.letters]))
        budget.letters = max(0, budget.letters - len(text))
        yield from (Item(link, is_address=True) for link in links)

"""Reads what programs write in words: lines of settings, and descriptions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypeAlias

Pair: TypeAlias = tuple[str, object]

NEGATIVE = 'Negative prompt:'
LONGEST_LAST_LINE = 2_000
ITEM = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
ITEMS = {name.capitalize(): name for name in ('steps', 'sampler', 'seed', 'size', 'model')}
ITEMS |= {'CFG scale': 'guidance', 'Guidance Scale': 'guidance', 'Base model': 'model'}
MIDJOURNEY = 'Job ID: '
MOCHI = {
    'Include in Image': 'prompt',
    'Exclude from Image': 'negative_prompt',
    'Guidance Scale': 'guidance',
    'Scheduler': 'sampler',
    **{name.capitalize(): name for name in ('model', 'steps', 'seed', 'size')},
}
MOCHI_ITEM = re.compile(rf'(?:^|; )({"|".join(MOCHI)}|Upscale|ML Compute Unit|Generator): ')
# Draw Things marks a negative prompt, the line before its settings, only by a hyphen.
DRAW_THINGS = re.compile(r'\n-(?=[^\n]*\nSteps: [^\n]*Guidance Scale: )')


def from_parameters(parameters: str) -> Iterator[Pair]:
    """Read prompt, negative prompt and a last line of settings, as AUTOMATIC1111 does."""
    lines = parameters.strip().split('\n')
    items = ITEM.findall(lines[-1]) if len(lines[-1]) <= LONGEST_LAST_LINE else []
    known = {name: _unquoted(value) for name, value in items if name in (*ITEMS, 'Version')}
    if len(known) < 2:
        return
    rest = '\n' + '\n'.join(lines[:-1])
    prompt, _, negative = rest.partition(f'\n{NEGATIVE}')
    yield 'prompt', prompt.strip() or None
    yield 'negative_prompt', negative.strip() or None
    yield from ((ours, known.get(theirs)) for theirs, ours in ITEMS.items())


def from_midjourney(given: str) -> Iterator[Pair]:
    told, mark, _ = given.partition(MIDJOURNEY)
    if mark:
        prompt, *options = re.split(r'\s--(?=\w)', told)
        yield 'prompt', prompt.strip() or None
        yield from (('seed', one[5:].strip()) for one in options if one.startswith('seed '))


def from_mochi(given: str) -> Iterator[Pair]:
    """Yield the items of Mochi Diffusion: a name, a colon, a value, a semicolon."""
    _, *items = MOCHI_ITEM.split(given)
    if 'Generator' in items:
        pairs = zip(items[::2], items[1::2], strict=True)
        yield from ((MOCHI[name], value.strip() or None) for name, value in pairs if name in MOCHI)


def negative_marked(given: str) -> str:
    """Mark a negative prompt of Draw Things as AUTOMATIC1111 does."""
    return DRAW_THINGS.sub(f'\n{NEGATIVE} ', given)


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value.strip()
    except ValueError:
        return value

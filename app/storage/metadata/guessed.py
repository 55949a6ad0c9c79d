"""What `sd-parsers` 0.6 does not find, for it asks for a sampler and for names of 2024.

Pictures of Easel, of Flux and of every service without samplers name none, and their prompt is
there all the same; InvokeAI has called a model's name otherwise since 4.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from app.storage.metadata.found import Found, Settings, real, text, whole

NEGATIVE = 'Negative prompt:'
LONGEST_LAST_LINE = 2_000
ITEM = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
SIZE = re.compile(r'\d{1,5}x\d{1,5}')

Reading = tuple[str, Callable[[object], Iterator[Found]]]
ITEMS: dict[str, Reading] = {
    'Steps': ('steps', whole),
    'Sampler': ('sampler', text),
    'CFG scale': ('guidance', real),
    'Seed': ('seed', whole),
    'Size': ('size', text),
    'Model': ('model', text),
}
INPUTS: dict[str, Reading] = {
    'noise_seed': ('seed', whole),
    'seed': ('seed', whole),
    'steps': ('steps', whole),
    'guidance': ('guidance', real),
    'cfg': ('guidance', real),
    'sampler_name': ('sampler', text),
    'unet_name': ('model', text),
    'ckpt_name': ('model', text),
}
INVOKEAI: dict[str, Reading] = {
    'positive_prompt': ('prompt', text),
    'negative_prompt': ('negative_prompt', text),
    'seed': ('seed', whole),
    'steps': ('steps', whole),
    'guidance': ('guidance', real),
    'cfg_scale': ('guidance', real),
    'scheduler': ('sampler', text),
}


def guessed_settings(texts: Mapping[str, str]) -> Settings:
    """Read what can be told without a sampler; empty where no such text is there."""
    if found := _of_parameters(texts.get('parameters', '')):
        return found | {'generator': 'AUTOMATIC1111'}
    if found := _of_graph(texts.get('prompt', '')):
        return found | {'generator': 'ComfyUI'}
    if found := _of_invokeai(texts.get('invokeai_metadata', '')):
        return found | {'generator': 'InvokeAI'}
    return {}


def _of_parameters(parameters: str) -> Settings:
    """Read prompt, negative prompt and a last line of settings, as AUTOMATIC1111 does."""
    lines = parameters.strip().split('\n')
    items = ITEM.findall(lines[-1]) if len(lines[-1]) <= LONGEST_LAST_LINE else []
    known = {name: value for name, value in items if name in ITEMS or name == 'Version'}
    if len(known) < 2:
        return {}
    rest = '\n' + '\n'.join(lines[:-1])
    prompt, _, negative = rest.partition(f'\n{NEGATIVE}')
    found: Settings = {}
    _keep(found, 'prompt', text(prompt.strip() or None))
    _keep(found, 'negative_prompt', text(negative.strip() or None))
    for name, value in known.items():
        if name in ITEMS:
            ours, reader = ITEMS[name]
            _keep(found, ours, reader(_unquoted(value)))
    if not SIZE.fullmatch(str(found.get('size', ''))):
        found.pop('size', None)
    return found


def _of_graph(prompt: str) -> Settings:
    """Read the first of each input in the order of the nodes; good for the usual Flux workflow."""
    found: Settings = {}
    try:
        nodes = json.loads(prompt)
        inputs = [(str(node['class_type']), dict(node['inputs'])) for node in nodes.values()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    for kind, values in inputs:
        if 'TextEncode' in kind:
            words = values.get('text') or values.get('t5xxl') or values.get('prompt')
            _keep(found, 'prompt', text(words))
        for name, (ours, reader) in INPUTS.items():
            _keep(found, ours, reader(values.get(name)))
    return found if 'prompt' in found else {}


def _of_invokeai(metadata: str) -> Settings:
    found: Settings = {}
    try:
        said = dict(json.loads(metadata))
    except (ValueError, TypeError, RecursionError):
        return {}
    for name, (ours, reader) in INVOKEAI.items():
        if said.get(name) != '':
            _keep(found, ours, reader(said.get(name)))
    if isinstance(said.get('model'), dict):
        _keep(found, 'model', text(said['model'].get('name')))
    sides = [side for name in ('width', 'height') for side in whole(said.get(name))]
    if len(sides) == 2:
        found['size'] = f'{sides[0]}x{sides[1]}'
    return found if 'prompt' in found else {}


def _keep(found: Settings, name: str, values: Iterable[Found]) -> None:
    """Add a value where there is none of that name yet."""
    for value in values:
        found.setdefault(name, value)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value.strip()
    try:
        return str(json.loads(value))
    except ValueError:
        return value

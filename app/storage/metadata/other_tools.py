"""Reads the settings in pictures of other tools.

`sd-parsers` gets texts and not the picture: so they are capped, EXIF of either byte order is read,
and ComfyUI's graph is there where ComfyUI left it out. What it does not find, since it asks for a
sampler and for names of 2024, is read here: Flux, services without samplers, InvokeAI since 4.0.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping

from PIL import ExifTags, Image
from sd_parsers.data import PromptInfo
from sd_parsers.parsers import MANAGED_PARSERS, ComfyUIParser, Parser

Value = str | int | float
Settings = dict[str, Value]
Reader = Callable[[object], Value | None]
Pair = tuple[str, object]  # Easel's name of a setting, and what is to be read as it

MOST_CHARACTERS = 32_000
WHOLE = re.compile('-?[0-9]{1,20}')

PARAMETERS, PROMPT, WORKFLOW = 'parameters', 'prompt', 'workflow'
PARSERS: tuple[type[Parser], ...] = tuple(MANAGED_PARSERS)
MOST_TEXT_CHARACTERS = {PROMPT: 4_000_000, WORKFLOW: 4_000_000}
MOST_OTHER_CHARACTERS = 100_000
COMFYUIS_TAGS = (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.ImageDescription)
MOST_NODES = 2_000
NEGATIVE = 'Negative prompt:'
LONGEST_LAST_LINE = 2_000
ITEM = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
SIZE = re.compile(r'\d{1,5}x\d{1,5}')


def text(value: object) -> str | None:
    """Return a text, cut at 32,000 characters."""
    return value[:MOST_CHARACTERS] if isinstance(value, str) else None


def whole(value: object) -> int | None:
    """Return a whole number that a seed, a count or an id can be."""
    if isinstance(value, str) and WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**64:
        return None
    return value


def real(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _size(value: object) -> str | None:
    return value if isinstance(value, str) and SIZE.fullmatch(value) else None


READERS: dict[str, Reader] = {
    **dict.fromkeys(('prompt', 'negative_prompt', 'sampler', 'model'), text),
    **dict.fromkeys(('seed', 'steps'), whole),
    'guidance': real,
    'size': _size,
}
# What a tool calls a setting, and what Easel calls it.
SAMPLER = {'seed': 'seed', 'noise_seed': 'seed', 'steps': 'steps', 'cfg_scale': 'guidance'}
ITEMS = {name.capitalize(): name for name in ('steps', 'sampler', 'seed', 'size', 'model')}
ITEMS |= {'CFG scale': 'guidance'}
INPUTS = {'noise_seed': 'seed', 'seed': 'seed', 'steps': 'steps', 'guidance': 'guidance'}
INPUTS |= {'cfg': 'guidance', 'sampler_name': 'sampler', 'unet_name': 'model', 'ckpt_name': 'model'}
INVOKEAI = {'positive_prompt': 'prompt', 'negative_prompt': 'negative_prompt', 'seed': 'seed'}
INVOKEAI |= {'steps': 'steps', 'guidance': 'guidance', 'cfg_scale': 'guidance'}
INVOKEAI |= {'scheduler': 'sampler'}


def foreign_settings(picture: Image.Image) -> Settings:
    """Read what a known tool wrote; empty where none did."""
    found = _settings(dict(_texts(picture)))
    if found or picture.format != 'PNG':
        return found
    return _settings(getattr(picture, 'text', {}))  # also behind the pixels: costs a decoding


def _settings(given: Mapping[str, str]) -> Settings:
    # Nothing longer than any tool writes: the time that the parser of `parameters` needs grows
    # with the square of a line's length.
    texts = {
        name: value
        for name, value in given.items()
        if len(value) <= MOST_TEXT_CHARACTERS.get(name, MOST_OTHER_CHARACTERS)
    }
    for parser in PARSERS:
        try:
            info = parser().parse(_with_graph(texts) if parser is ComfyUIParser else dict(texts))
        except Exception:  # noqa: S112 (not only its own error, on a text it does not expect)
            continue
        found = _parsed(info)
        if found.get('prompt') or found.get('seed') is not None:
            return _without_sampler(texts) | found | {'generator': info.generator.value}
    return _without_sampler(texts)


def _parsed(info: PromptInfo) -> Settings:
    """Take over what was parsed about the sampler with a prompt, or the first one."""
    sampler = next((one for one in info.samplers if one.prompts), next(iter(info.samplers), None))
    if sampler is None:
        return {}
    pairs = list[Pair]()
    prompts = {'prompt': sampler.prompts, 'negative_prompt': sampler.negative_prompts}
    for name, parts in prompts.items():
        unique = dict.fromkeys(part.value for part in parts if isinstance(part.value, str))
        pairs.append((name, ', '.join(filter(None, unique)) or None))
    return _first_valid(
        *pairs,
        *_renamed(sampler.parameters, SAMPLER),
        ('sampler', sampler.name),
        ('model', sampler.model and sampler.model.name),
        ('size', info.metadata.get('Size') or info.metadata.get('resolution')),
        ('size', _sides(info.metadata)),
    )


def _sides(values: Mapping[object, object]) -> str | None:
    width, height = whole(values.get('width')), whole(values.get('height'))
    return None if width is None or height is None else f'{width}x{height}'


def _texts(picture: Image.Image) -> Iterator[tuple[str, str]]:
    for name, value in picture.info.items():
        if isinstance(name, str) and isinstance(value, str):
            yield name, value
    if picture.format not in ('JPEG', 'MPO', 'WEBP', 'AVIF'):
        return
    exif = picture.getexif()
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    if isinstance(comment, bytes):
        content, coding = comment[8:], 'utf-8'
        if comment.startswith(b'UNICODE'):  # without a mark, plain letters' zeros tell the order
            little = content[1::2].count(0) > content[::2].count(0)
            coding = 'utf-16-le' if little else 'utf-16-be'
        yield PARAMETERS, content.decode(coding, 'replace').strip('\0\ufeff')
    for tag in COMFYUIS_TAGS:
        name, _, value = str(exif.get(tag, '')).partition(':')
        if name.lower() in (PROMPT, WORKFLOW):
            yield name.lower(), value


def _with_graph(texts: Mapping[str, str]) -> dict[str, object]:
    """Derive the links of a ComfyUI workflow from its prompt, which alone is always there.

    What is run by ComfyUI's API has no workflow, and one with subgraphs has other node ids. The
    parser only needs to know which link is a CLIP. Raise ValueError at no graph, or one so large
    that walking it from every sampler takes minutes.
    """
    nodes = json.loads(texts.get(PROMPT, ''))
    if len(nodes) > MOST_NODES:
        raise ValueError('too many nodes')
    links = [
        [0, value[0], 0, name, 0, key.upper()]
        for name, node in nodes.items()
        if isinstance(node, dict) and isinstance(node.get('inputs'), dict)
        for key, value in node['inputs'].items()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)
    ]
    return {**texts, PROMPT: nodes, WORKFLOW: {'links': links}}


def _without_sampler(texts: Mapping[str, str]) -> Settings:
    """Read texts that need not name a sampler; empty where there are none."""
    for generator, name, read in (
        ('AUTOMATIC1111', PARAMETERS, _from_parameters),
        ('ComfyUI', PROMPT, _from_graph),
        ('InvokeAI', 'invokeai_metadata', _from_invokeai),
    ):
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            found = _first_valid(*read(texts.get(name, '')))
            if found and (name == PARAMETERS or 'prompt' in found):
                return found | {'generator': generator}
    return {}


def _from_parameters(parameters: str) -> Iterator[Pair]:
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
    yield from _renamed(known, ITEMS)


def _from_graph(prompt: str) -> Iterator[Pair]:
    """Read the first of each input in the order of the nodes; good for the usual Flux workflow."""
    nodes = json.loads(prompt)
    inputs = [(str(node['class_type']), dict(node['inputs'])) for node in nodes.values()]
    for kind, values in inputs:
        if 'TextEncode' in kind:
            yield 'prompt', values.get('text') or values.get('t5xxl') or values.get('prompt')
        yield from _renamed(values, INPUTS)


def _from_invokeai(metadata: str) -> Iterator[Pair]:
    values = {name: value for name, value in dict(json.loads(metadata)).items() if value != ''}
    yield from _renamed(values, INVOKEAI)
    if isinstance(values.get('model'), dict):
        yield 'model', values['model'].get('name')
    yield 'size', _sides(values)


def _renamed(values: Mapping[str, object], names: Mapping[str, str]) -> Iterator[Pair]:
    return ((ours, values.get(theirs)) for theirs, ours in names.items())


def _first_valid(*pairs: Pair) -> Settings:
    """Return the first value of each name that can be one of it."""
    found: Settings = {}
    for name, given in pairs:
        value = READERS[name](given)
        if value is not None:
            found.setdefault(name, value)
    return found


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value.strip()
    except ValueError:
        return value

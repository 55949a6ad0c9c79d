"""Reads the settings in pictures of other tools.

`sd-parsers` gets texts and not the picture: so they are capped, EXIF of either byte order is read,
and ComfyUI's graph is there where ComfyUI left it out. What it does not find, since it asks for a
sampler and for names of 2024, is read here: Flux, services without samplers, InvokeAI since 4.0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from PIL import ExifTags, Image
from sd_parsers.data import PromptInfo
from sd_parsers.parsers import (
    AUTOMATIC1111Parser,
    ComfyUIParser,
    FooocusParser,
    InvokeAIParser,
    NovelAIParser,
    Parser,
)

Value = str | int | float
Settings = dict[str, Value]
Reader = Callable[[object], Iterator[Value]]
Names = dict[str, tuple[str, Reader]]

MOST_CHARACTERS = 32_000
WHOLE = re.compile('-?[0-9]{1,20}')

PARAMETERS, PROMPT, WORKFLOW = 'parameters', 'prompt', 'workflow'
PARSERS: tuple[type[Parser], ...] = (
    FooocusParser,
    AUTOMATIC1111Parser,
    ComfyUIParser,
    InvokeAIParser,
    NovelAIParser,
)
MOST_TEXT_CHARACTERS = {PROMPT: 4_000_000, WORKFLOW: 4_000_000}
MOST_OTHER_CHARACTERS = 100_000
COMFYUIS_TAGS = (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.ImageDescription)
MOST_NODES = 2_000
NEGATIVE = 'Negative prompt:'
LONGEST_LAST_LINE = 2_000
ITEM = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
SIZE = re.compile(r'\d{1,5}x\d{1,5}')


def text(value: object) -> Iterator[str]:
    """Yield a text, cut at 32,000 characters; nothing for any other value."""
    if isinstance(value, str):
        yield value[:MOST_CHARACTERS]


def whole(value: object) -> Iterator[int]:
    """Yield a whole number that a seed, a count or an id can be; nothing for any other value."""
    if isinstance(value, str) and WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
        yield value


def real(value: object) -> Iterator[float]:
    """Yield a finite number; nothing for any other value."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return
    try:
        number = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return
    if math.isfinite(number):
        yield number


def _size(value: object) -> Iterator[str]:
    return (size for size in text(value) if SIZE.fullmatch(size))


# What the tool calls a setting, what Easel calls it, and how its value is read.
SAMPLER: Names = {
    'seed': ('seed', whole),
    'noise_seed': ('seed', whole),
    'steps': ('steps', whole),
    'cfg_scale': ('guidance', real),
}
ITEMS: Names = {
    'Steps': ('steps', whole),
    'Sampler': ('sampler', text),
    'CFG scale': ('guidance', real),
    'Seed': ('seed', whole),
    'Size': ('size', _size),
    'Model': ('model', text),
}
INPUTS: Names = {
    'noise_seed': ('seed', whole),
    'seed': ('seed', whole),
    'steps': ('steps', whole),
    'guidance': ('guidance', real),
    'cfg': ('guidance', real),
    'sampler_name': ('sampler', text),
    'unet_name': ('model', text),
    'ckpt_name': ('model', text),
}
INVOKEAI: Names = {
    'positive_prompt': ('prompt', text),
    'negative_prompt': ('negative_prompt', text),
    'seed': ('seed', whole),
    'steps': ('steps', whole),
    'guidance': ('guidance', real),
    'cfg_scale': ('guidance', real),
    'scheduler': ('sampler', text),
}


def foreign_settings(picture: Image.Image) -> Settings:
    """Read what a known tool wrote; empty where none did.

    Texts behind a PNG's pixels are looked at only where those ahead of them gave nothing: they
    cost a decoding.
    """
    found = _settings(_capped(dict(_texts(picture))))
    if found or picture.format != 'PNG':
        return found
    return _settings(_capped(getattr(picture, 'text', {})))


def _settings(texts: Mapping[str, str]) -> Settings:
    for parser in PARSERS:
        try:
            given = _with_graph(texts) if parser is ComfyUIParser else dict(texts)
            info = parser().parse(given)
        except Exception:  # noqa: S112 (not only its own error, on a text it does not expect)
            continue
        found = _parsed(info)
        if found.get('prompt') or found.get('seed') is not None:
            return _without_sampler(texts) | found | {'generator': info.generator.value}
    return _without_sampler(texts)


def _parsed(info: PromptInfo) -> Settings:
    """Take over what was parsed about the sampler with a prompt, or the first one."""
    found: Settings = {}
    sampler = next((one for one in info.samplers if one.prompts), next(iter(info.samplers), None))
    if sampler is None:
        return found
    prompts = {'prompt': sampler.prompts, 'negative_prompt': sampler.negative_prompts}
    for name, parts in prompts.items():
        unique = dict.fromkeys(part.value for part in parts if isinstance(part.value, str))
        _keep(found, name, text(', '.join(part for part in unique if part) or None))
    _keep_all(found, sampler.parameters, SAMPLER)
    _keep(found, 'sampler', text(sampler.name))
    _keep(found, 'model', text(sampler.model and sampler.model.name))
    _keep(found, 'size', _size(info.metadata.get('Size') or info.metadata.get('resolution')))
    _keep(found, 'size', _sides(info.metadata))
    return found


def _sides(values: Mapping[object, object]) -> Iterator[str]:
    sides = [number for name in ('width', 'height') for number in whole(values.get(name))]
    if len(sides) == 2:
        yield f'{sides[0]}x{sides[1]}'


def _texts(picture: Image.Image) -> Iterator[tuple[str, str]]:
    for name, value in picture.info.items():
        if isinstance(name, str) and isinstance(value, str):
            yield name, value
    if picture.format not in ('JPEG', 'WEBP', 'AVIF'):
        return
    exif = picture.getexif()
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    if isinstance(comment, bytes):
        yield PARAMETERS, _comment(comment)
    for tag in COMFYUIS_TAGS:
        name, _, value = str(exif.get(tag, '')).partition(':')
        if name.lower() in (PROMPT, WORKFLOW):
            yield name.lower(), value


def _comment(comment: bytes) -> str:
    """Read a UserComment; where UTF-16 has no mark, the zeros of plain letters tell its order."""
    name, content = comment[:8], comment[8:]
    if not name.startswith(b'UNICODE'):
        return content.decode('utf-8', 'replace').strip('\0')
    little = content[1::2].count(0) > content[::2].count(0)
    return content.decode('utf-16-le' if little else 'utf-16-be', 'replace').strip('\0\ufeff')


def _capped(texts: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is longer than any tool writes.

    The time that the parser of `parameters` needs grows with the square of a line's length.
    """
    return {
        name: value
        for name, value in texts.items()
        if len(value) <= MOST_TEXT_CHARACTERS.get(name, MOST_OTHER_CHARACTERS)
    }


def _with_graph(texts: Mapping[str, str]) -> dict[str, object]:
    """Derive the links of a ComfyUI workflow from its prompt, which alone is always there.

    What is run by ComfyUI's API has no workflow, and a workflow with subgraphs has other node ids
    than its prompt. The parser only needs to know which link is a CLIP.

    Raises:
        ValueError: No graph, or one so large that walking it from every sampler takes minutes.
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
        if found := read(texts.get(name, '')):
            return found | {'generator': generator}
    return {}


def _from_parameters(parameters: str) -> Settings:
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
    _keep_all(found, {name: _unquoted(value) for name, value in known.items()}, ITEMS)
    return found


def _from_graph(prompt: str) -> Settings:
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
        _keep_all(found, values, INPUTS)
    return found if 'prompt' in found else {}


def _from_invokeai(metadata: str) -> Settings:
    found: Settings = {}
    try:
        values = {name: value for name, value in dict(json.loads(metadata)).items() if value != ''}
    except (ValueError, TypeError, RecursionError):
        return {}
    _keep_all(found, values, INVOKEAI)
    if isinstance(values.get('model'), dict):
        _keep(found, 'model', text(values['model'].get('name')))
    _keep(found, 'size', _sides(values))
    return found if 'prompt' in found else {}


def _keep_all(found: Settings, values: Mapping[str, object], names: Names) -> None:
    for name, (ours, reader) in names.items():
        _keep(found, ours, reader(values.get(name)))


def _keep(found: Settings, name: str, values: Iterable[Value]) -> None:
    """Add a value where there is none of that name yet."""
    for value in values:
        found.setdefault(name, value)


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value.strip()
    except ValueError:
        return value

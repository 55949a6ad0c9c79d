"""Reads the settings in pictures of other tools.

`sd-parsers` gets texts and not the picture: so they are capped, and found in more places. What it
does not find, since it asks for a sampler and for names of 2024, is read here: ComfyUI's graphs by
their links, JSON by the names that programs give their settings, services without samplers.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from PIL import Image
from sd_parsers.data import PromptInfo
from sd_parsers.parsers import (
    AUTOMATIC1111Parser,
    FooocusParser,
    InvokeAIParser,
    NovelAIParser,
    Parser,
)

from app.models.request import MOST_SEED
from app.storage.metadata.foreign.comfyui import UNTOLD, from_graph
from app.storage.metadata.foreign.descriptions import (
    from_midjourney,
    from_mochi,
    from_parameters,
    negative_marked,
)
from app.storage.metadata.foreign.texts import texts_of

Value = str | int | float
Settings = dict[str, Value]
Reader = Callable[[object], Value | None]
Pair = tuple[str, object]  # Easel's name of a setting, and what is to be read as it

MOST_CHARACTERS = 32_000
WHOLE = re.compile('-?[0-9]{1,20}')

PARAMETERS, PROMPT, WORKFLOW = 'parameters', 'prompt', 'workflow'
PARSERS: tuple[type[Parser], ...] = (InvokeAIParser, NovelAIParser)
TEXT_PARSERS: tuple[type[Parser], ...] = (FooocusParser, AUTOMATIC1111Parser)  # of any one text
MOST_TEXT_CHARACTERS = {PROMPT: 4_000_000, WORKFLOW: 4_000_000}
MOST_OTHER_CHARACTERS = 100_000
MOST_TEXTS = 30
JSON_NAMES = (PARAMETERS, 'Comment', 'invokeai_metadata')  # more of what is parsed may be in them
GRAPH_MARK, XMP_COMMENT = '"class_type"', 'XMP UserComment'
SIZE = re.compile(r'\(?\s*(\d{1,5})\s*[x×,]\s*(\d{1,5})\s*\)?')


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


def _seed(value: object) -> int | None:
    seed = whole(value)
    return seed if seed is not None and 0 <= seed <= MOST_SEED else None


def _size(value: object) -> str | None:
    sides = SIZE.fullmatch(value[:40]) if isinstance(value, str) else None
    return f'{sides[1]}x{sides[2]}' if sides else None


READERS: dict[str, Reader] = {
    **dict.fromkeys(('prompt', 'negative_prompt', 'sampler', 'model', UNTOLD), text),
    'seed': _seed,
    'steps': whole,
    'guidance': real,
    'size': _size,
}
# What a tool calls a setting, and what Easel calls it.
SAMPLER = {'seed': 'seed', 'noise_seed': 'seed', 'steps': 'steps', 'cfg_scale': 'guidance'}
# The same of JSON and of single texts, without capitals, blanks and signs between words.
NAMES = {
    'prompt': ('prompt', 'positiveprompt', 'positive', 'rawprompt', 'c', 'fullprompt'),
    'negative_prompt': ('negativeprompt', 'negative', 'uc', 'undesiredcontent'),
    'seed': ('seed', 'noiseseed'),
    'steps': ('steps', 'numinferencesteps', 'inferencesteps', 'samplingsteps'),
    'guidance': ('guidance', 'cfgscale', 'guidancescale', 'cfg', 'scale'),
    'sampler': ('sampler', 'samplername', 'scheduler'),
    'model': (
        *('model', 'modelname', 'basemodel', 'basemodelname', 'checkpoint'),
        *('usestablediffusionmodel', 'stablediffusionmodel'),
    ),
    'size': ('size', 'resolution'),
}
# Who writes JSON of this kind, by a name in it; otherwise it is only JSON.
PROGRAMS = {
    'suiimageparams': 'SwarmUI',
    'swarmversion': 'SwarmUI',
    'appversion': 'InvokeAI',
    'generationmode': 'InvokeAI',
    'sharpness': 'Fooocus',
    'basemodelname': 'RuinedFooocus',
    'signedhash': 'NovelAI',
    'c': 'Draw Things',
    'usestablediffusionmodel': 'Easy Diffusion',
    'numinferencesteps': 'Easy Diffusion',
}


def foreign_settings(picture: Image.Image) -> Settings:
    """Read what a known tool wrote; empty where none did."""
    found = _settings(dict(texts_of(picture)))
    if found or picture.format != 'PNG':
        return found
    return _settings(getattr(picture, 'text', {}))  # also behind the pixels: costs a decoding


def _settings(given: Mapping[str, str]) -> Settings:
    # Nothing longer than any tool writes: the time that the parser of `parameters` needs grows
    # with the square of a line's length.
    texts = {
        name: value
        for name, value in islice(given.items(), MOST_TEXTS)
        if len(value) <= MOST_TEXT_CHARACTERS.get(name, MOST_OTHER_CHARACTERS)
    }
    graph = _graph(texts)
    if 'prompt' in graph:
        return graph
    for found in _each(texts):
        if found.get('prompt') or found.get('seed') is not None:
            return found
    return graph


def _graph(texts: Mapping[str, str]) -> Settings:
    """Read ComfyUI's two texts, or the first other one that is such a graph."""
    graph = _read('ComfyUI', from_graph, texts.get(PROMPT, ''), texts.get(WORKFLOW, ''))
    others = (value for name, value in texts.items() if name not in (PROMPT, WORKFLOW))
    found = (_read('ComfyUI', from_graph, value) for value in others if GRAPH_MARK in value)
    return graph or next(filter(None, found), {})


def _each(texts: dict[str, str]) -> Iterator[Settings]:
    """Yield what each reader makes of the texts, those that know most of a tool first."""
    others = {
        name: negative_marked(value)
        for name, value in texts.items()
        if name not in (PROMPT, WORKFLOW)
    }
    yield _from_json(others.get(XMP_COMMENT, ''))  # Draw Things has less in its description
    for value in others.values():
        yield from (_by_parser(parser, {PARAMETERS: value}, value) for parser in TEXT_PARSERS)
    yield from (_by_parser(parser, texts, '') for parser in PARSERS)
    for value in others.values():
        yield _from_json(value)
    yield _from_single(texts)
    for value in others.values():
        yield _read('AUTOMATIC1111', from_parameters, value)
        yield _read('Midjourney', from_midjourney, value)
        yield _read('Mochi Diffusion', from_mochi, value)


def _read(generator: str, read: Callable[..., Iterator[Pair]], *texts: str) -> Settings:
    with contextlib.suppress(ValueError, TypeError, LookupError, AttributeError, RecursionError):
        found = _first_valid(*read(*texts))
        if found:
            return found | {'generator': generator}
    return {}


def _by_parser(parser: type[Parser], texts: dict[str, str], parameters: str) -> Settings:
    try:
        info = parser().parse(dict(texts))
    except Exception:  # not only its own error, on a text it does not expect
        return {}
    found = _parsed(info)
    if str(found.get('model')).startswith('"'):
        del found['model']  # cut at a comma between its quotes
    more = _read('', from_parameters, parameters)
    for name in JSON_NAMES:
        more |= _from_json(texts.get(name, ''))
    return more | found | {'generator': info.generator.value} if found else {}


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
        ('size', _sides({str(name): value for name, value in info.metadata.items()})),
    )


def _sides(values: Mapping[str, object]) -> str | None:
    width, height = whole(values.get('width')), whole(values.get('height'))
    return None if width is None or height is None else f'{width}x{height}'


def _from_json(given: str) -> Settings:
    """Read settings by their names, at the top of an object or one level below."""
    with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
        tree = json.loads(given)
        for name, values in (('', tree), *((key, _inner(one)) for key, one in tree.items())):
            if isinstance(values, dict):
                found = _first_valid(*_named(values))
                marks = (_bare(one) for one in (name, *tree, *values))
                program = next((PROGRAMS[mark] for mark in marks if mark in PROGRAMS), '')
                if found.get('prompt') or (program and 'seed' in found):
                    return found | {'generator': program or 'JSON'}
    return {}


def _inner(value: object) -> object:
    """Return a value, or the object that is written in it as a text."""
    with contextlib.suppress(ValueError):
        return json.loads(value) if isinstance(value, str) and value[:1] == '{' else value
    return value


def _from_single(texts: Mapping[str, str]) -> Settings:
    """Read settings that are a text each, as Easy Diffusion writes them."""
    found = _first_valid(*_named(texts))
    return found | {'generator': 'Easy Diffusion'} if 'prompt' in found and len(found) > 1 else {}


def _named(values: Mapping[str, object]) -> Iterator[Pair]:
    bare = {_bare(name): value for name, value in values.items() if value != ''}
    for ours, names in NAMES.items():
        for given in (bare[name] for name in names if name in bare):
            if isinstance(given, dict):  # of a model or a prompt, with more about it
                yield from ((ours, given[key]) for key in ('name', 'model_name') if key in given)
            yield ours, given
    yield 'size', _sides(bare)


def _bare(name: str) -> str:
    return re.sub(r'[\W_]', '', name).lower()


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

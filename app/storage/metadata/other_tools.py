"""The settings in pictures of other tools, read by `sd-parsers` from texts that we hand it.

It gets the texts and not the picture: so they are capped first, EXIF of either byte order is read,
and ComfyUI's graph is there where ComfyUI left it out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from PIL import ExifTags, Image
from sd_parsers.data import PromptInfo, Sampler
from sd_parsers.parsers import (
    AUTOMATIC1111Parser,
    ComfyUIParser,
    FooocusParser,
    InvokeAIParser,
    NovelAIParser,
    Parser,
)

from app.storage.metadata.found import Settings, real, text, whole
from app.storage.metadata.guessed import guessed_settings

PARAMETERS, PROMPT, WORKFLOW = 'parameters', 'prompt', 'workflow'
PARSERS: tuple[type[Parser], ...] = (
    FooocusParser,
    AUTOMATIC1111Parser,
    ComfyUIParser,
    InvokeAIParser,
    NovelAIParser,
)
MOST_CHARACTERS = {PROMPT: 4_000_000, WORKFLOW: 4_000_000}
MOST_OTHER_CHARACTERS = 100_000
COMFYUIS_TAGS = (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.ImageDescription)
COMMENT_NAME_BYTES = 8
MOST_NODES = 2_000
SIZE = re.compile(r'(\d{1,5})x(\d{1,5})')


def foreign_settings(picture: Image.Image) -> Settings:
    """Read what a known tool wrote; empty where none did.

    Texts behind a PNG's pixels are looked at only where those ahead of them gave nothing: they
    cost a decoding.
    """
    found = _settings(_capped(dict(_texts(picture))))
    if not found and picture.format == 'PNG':
        found = _settings(_capped(getattr(picture, 'text', {})))
    return found


def _settings(texts: Mapping[str, str]) -> Settings:
    for parser in PARSERS:
        try:
            given = _with_graph(texts) if parser is ComfyUIParser else dict(texts)
            info = parser().parse(given)
        except Exception:  # noqa: S112 (not only its own error, on a text it does not expect)
            continue
        found = _of(info)
        if found.get('prompt') or found.get('seed') is not None:
            return guessed_settings(texts) | found | {'generator': info.generator.value}
    return guessed_settings(texts)


def _of(info: PromptInfo) -> Settings:
    found: Settings = {}
    sampler = next((one for one in info.samplers if one.prompts), None)
    sampler = sampler or next(iter(info.samplers), None)
    if sampler is None:
        return found
    for name, value in _said(info, sampler):
        found.setdefault(name, value)
    return found


def _said(info: PromptInfo, sampler: Sampler) -> Iterator[tuple[str, str | int | float]]:
    """Name what was said in our words; the first of a name counts."""
    settings = sampler.parameters
    prompts = {
        'prompt': sampler.prompts,
        'negative_prompt': sampler.negative_prompts,
    }
    for name, said in prompts.items():
        unique = dict.fromkeys(one.value for one in said if isinstance(one.value, str))
        for value in text(', '.join(one for one in unique if one)):
            if value:
                yield name, value
    for name in ('seed', 'noise_seed'):
        for number in whole(settings.get(name)):
            yield 'seed', number
    for number in whole(settings.get('steps')):
        yield 'steps', number
    for amount in real(settings.get('cfg_scale')):
        yield 'guidance', amount
    for value in text(sampler.name):
        yield 'sampler', value
    if sampler.model:
        for value in text(sampler.model.name):
            yield 'model', value
    for size in _sizes(info.metadata):
        yield 'size', size


def _sizes(metadata: Mapping[object, object]) -> Iterator[str]:
    size = metadata.get('Size') or metadata.get('resolution')
    if isinstance(size, str) and (match := SIZE.fullmatch(size)):
        yield f'{match[1]}x{match[2]}'
    sides = [number for name in ('width', 'height') for number in whole(metadata.get(name))]
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
    name, content = comment[:COMMENT_NAME_BYTES], comment[COMMENT_NAME_BYTES:]
    if not name.startswith(b'UNICODE'):
        return content.decode('utf-8', 'replace').strip('\0')
    little = content[1::2].count(0) > content[::2].count(0)
    read = content.decode('utf-16-le' if little else 'utf-16-be', 'replace')
    return read.strip('\0\ufeff')


def _capped(texts: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is longer than any tool writes.

    The parser of `parameters` needs time that grows with the square of a line's length.
    """
    return {
        name: value
        for name, value in texts.items()
        if len(value) <= MOST_CHARACTERS.get(name, MOST_OTHER_CHARACTERS)
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

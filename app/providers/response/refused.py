"""Which field a refusal means, whether all of it or one value only, and what would be taken."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from app.errors import Failure, Reason
from app.models.request import Size
from app.providers.core.base import WIRE_NAMES
from app.providers.response.images import at, rows_of
from app.providers.response.json_text import Json
from app.providers.response.limits import MOST_OFFERS, choices_in, limits_in

MUST_BE = ('prompt', 'model', 'messages')
OPTIONAL = (
    *('size', 'n', 'quality', 'style', 'seed', 'response_format', 'negative_prompt'),
    *('guidance_scale', 'num_inference_steps'),
)
REASONS = {'size': Reason.SIZE, 'n': Reason.COUNT}
NUMBERS = ('n', 'steps', 'guidance', 'seed')
MOST_READ_LETTERS = 4_000  # of a refusal
_SIDES = (
    r'(?:image_|output_|(?<!batch[\s_-]))size|width|height|resolution|dimensions?|aspect[\s_-]?ratio|'
    r'(?:mega)?pixels?|sizes of tensors'
)
_ALSO_CALLED = {
    **dict.fromkeys(('size', 'width', 'height', 'image_size'), _SIDES),
    **dict.fromkeys(
        ('n', 'batch_size'),
        r'number of (?:images|pictures)|num_images|n ?= ?\d+|n\W{1,2}(?:must|should)|n to \d|'
        r'batch[\s_-]size|'
        r'images? (?:per|at|can be generated at)',
    ),
    'num_inference_steps': '(?:num_)?steps',
    **dict.fromkeys(('guidance_scale', 'cfg_scale'), 'guidance|cfg'),
    'stream': 'streaming',
    'sampler_name': r'sampler|scheduler|sampl(?:e|ing)[\s_-]?method',
}
_OWN = {'size': r'(?<!batch[\s_-])size'}
_NAMED_PARAM = re.compile(
    r"""(?ix)(?:unknown\ parameter|unhandled\ parameter|argument\ not\ supported|setting|parameter
    |unrecognized\ (?:request\ )?argument(?:\ supplied)?|invalid\ value\ for|field)
    \s*:?\s*['"`]?([a-z][a-z0-9_]*)['"`]?"""
)
_REJECTS = re.compile(
    r'(?i)unknown|unhandled|unsupported|not supported|not (a|an|valid|permitted)|invalid|unrecogni|'
    r'unexpected|requires|must (be|provide|use|match)|should be|extra|divisible|multiples? of'
)
_BOUNDS = (
    r'exceed|too (?:large|big|small|high|low|many|long|wide|tall|few)|at (?:least|most)|one of|'
    r'out of range|(?:greater|larger|more|less|smaller|lower|higher|fewer) than|'
    r'\bm(?:ax|in)(?:imum)?\b|not (?:found|in|available)|unavailable|no such|does(?:n.t| not) exist'
)
# A refusal says this of a field; a server that broke may say it of its memory.
_OUT_OF_BOUNDS = re.compile(
    rf'(?i){_BOUNDS}|\ballowed\b|does(?:n.t| not) support|\b(?:bad|limit|only)\b'
)
_SAMPLER = re.compile(r'(?i)\bsampler\b.{0,60}not found')
_MODALITIES = re.compile(r'(?i)(?<![a-z])modalit(y|ies)\b')
_OF_A_NAME = re.compile(
    r"""(?ix)(?:unknown|unhandled|unrecogni[sz]ed|unexpected|unsupported|extra|additional)\W+
    (?:(?:request|body|json|keyword|input)\W+)?
    (?:param(?:eter)?|arg(?:ument)?|field|key|option|setting|input|propert(?:y|ie)|attribute)s?\b
    (?!\W+values?\b)|argument\ not\ supported|got\ an\ unexpected"""
)
_OF_A_VALUE = re.compile(
    rf'(?i){_BOUNDS}|\bvalues?\b|must be|should be|between|multiple|divisible|'
    r'must (?:match|provide|use)|not (?:a )?valid|'
    r'(?:invalid|unknown|bad|wrong)\W+(?!param|arg|field|key|option|setting|input|propert|attribute)'
)
_NAME_CODE = re.compile(r'(?i)(unknown|unsupported|unexpected|unrecogni[sz]ed)_?(param|arg|field)')
_BARE = re.compile(r'(?i)(not|n.t) (support|allow|permit)\w*|unsupported|\bonly\b')


def refused_param(tree: Json, text: str, sent: Collection[str], status: int = 400) -> str | None:
    """Return the field that a refusal means: one that was sent, or a server's own default."""
    droppable = [name for name in sent if name not in MUST_BE]
    plain = [*droppable, *(name for name in OPTIONAL if name not in droppable)]
    rows = rows_of(tree, 'detail')
    named = [at(tree, 'error', 'param')]
    named += [at(row, 'loc', place) for row in rows for place in (-1, 1)]
    named += _NAMED_PARAM.findall(text)
    named += ['sampler_name'] if _SAMPLER.search(text) else []
    named += ['modalities'] if _MODALITIES.search(text) else []
    for name in named:
        found = [one for one in plain if one == name] or [
            one for one in droppable if _is_one_wish(one, name)
        ]
        if found:
            return found[0]
    if not _REJECTS.search(text) and (status >= 500 or not _OUT_OF_BOUNDS.search(text)):
        return None
    own = {  # as a word, joined in any way: `response format`
        name: _OWN.get(name, name.replace('_', r'[\s_-]?'))
        for name in plain
        if len(name) > 1 and (name in droppable or '_' in name) and not _is_of_an_edit(name)
    }
    also = {name: _ALSO_CALLED[name] for name in droppable if name in _ALSO_CALLED}
    return next(
        (name for name, called in (*own.items(), *also.items()) if _has(text, called)), None
    )


def _is_one_wish(name: str, other: object) -> bool:
    return isinstance(other, str) and WIRE_NAMES.get(name, name) == WIRE_NAMES.get(other, other)


def _is_of_an_edit(name: str) -> bool:
    """Check for a field whose name is said of much else: `Invalid image size`."""
    return WIRE_NAMES.get(name, name) in ('sources', 'mask')


def _has(text: str, words: str) -> bool:
    return re.search(rf'(?i)(?<![a-z0-9_])(?:{words})(?![a-z0-9_])', text) is not None


def with_refused_value(failure: Failure, codes: str, sent: Mapping[str, object]) -> Failure:
    """Add to the failure of a field the value that is refused, where it is not the whole field.

    `codes` are the short words of the error, `sent` are the fields as they were wished for.
    """
    param, words = failure.param or '', failure.words[:MOST_READ_LETTERS]
    wish = WIRE_NAMES.get(param, param)
    value = _wished(param, sent)
    if not value or not _is_of_value(words, codes, value):
        return failure
    reason = REASONS.get(wish, '')
    return replace(failure, value=value, reason=reason, offers=_offers(words, wish, value))


def _is_of_value(words: str, codes: str, value: str) -> bool:
    if _OF_A_NAME.search(words) or _NAME_CODE.search(codes):
        return False
    is_said = len(value) > 1 and re.search(rf'(?<!\w){re.escape(value)}(?!\w)', words) is not None
    is_said |= bool(_size_of(value) and limits_in(words).sizes)
    if is_said or 'value' in codes or choices_in(words):
        return True
    return bool(_OF_A_VALUE.search(words)) and not _BARE.search(words)


def _wished(param: str, sent: Mapping[str, object]) -> str:
    if param in ('width', 'height') and sent.get('width') and sent.get('height'):
        return f'{sent["width"]}x{sent["height"]}'
    value = sent.get(param)
    return str(value) if isinstance(value, str | int | float) else ''


def _offers(words: str, wish: str, value: str) -> tuple[str, ...]:
    if wish == 'size':
        wished = _size_of(value)
        return tuple(map(str, limits_in(words, wished).sizes_near(wished))) if wished else ()
    if wish in NUMBERS:
        number = limits_in(words).number_near(float(value))
        return () if number is None else (str(number),)
    return tuple(one for one in choices_in(words) if one != value)[:MOST_OFFERS]


def _size_of(value: str) -> Size | None:
    try:
        return Size.parse(value)
    except ValueError:
        return None

"""Makes sense of an answer that is no picture: what kind of refusal, in whose words."""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from app.errors import ErrorKind, Failure
from app.providers.items import Json, task_of
from app.providers.words import words_of

LONGEST_WAIT_S = 3_600.0
OPTIONAL = (
    'size',
    'n',
    'quality',
    'style',
    'seed',
    'response_format',
    'negative_prompt',
    'guidance_scale',
    'num_inference_steps',
)

_NAMED_PARAM = re.compile(
    r"""(?:unknown\ parameter|unhandled\ parameter|argument\ not\ supported|setting|parameter
    |unrecognized\ (?:request\ )?argument(?:\ supplied)?|invalid\ value\ for|field)
    \s*:?\s*['"`]?([a-z][a-z0-9_]*)['"`]?""",
    re.IGNORECASE | re.VERBOSE,
)
_REJECTS = re.compile(
    r'unknown|unhandled|unsupported|not supported|not (a|an|valid|permitted)|invalid|unrecogni|'
    r'unexpected|requires|must be|should be|extra',
    re.IGNORECASE,
)
_MODERATION = re.compile(
    r'moderation|content.?policy|content.?filter|ResponsibleAI|Sensitive\w*Content|SensitiveContent|'
    r'safety system|flagged',
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r'insufficient.?(quota|balance|credit)|exceeded your current quota|billing|'
    r'payment required|余额不足',
    re.IGNORECASE,
)
_KEY = re.compile(r'api.?key|token|credential|authenticat|unauthori[sz]ed', re.IGNORECASE)
_MODEL = re.compile(
    r'model.{0,80}?(not found|does not exist|not exist|unknown|no longer)|(unknown|no such|invalid)'
    r' model|no router for|DeploymentNotFound|provider not found|deployment.{0,60}does not exist',
    re.IGNORECASE | re.DOTALL,
)
_ENDPOINT = re.compile(
    r'unexpected endpoint|invalid url|not implemented|page not found', re.IGNORECASE
)
_NOT_READY = re.compile(r'loading|not ready|no (image )?model loaded|worker exited', re.IGNORECASE)
_CANCELLED = re.compile(r'cancel', re.IGNORECASE)
_OUR_TYPES = re.compile(r'type_error|invalid_input')


def failed_in_success(tree: Json) -> bool:
    """Whether a 2xx answer says itself that it is none."""
    if not isinstance(tree, dict):
        return False
    error = tree.get('error')
    if error not in (None, '', {}, []) or tree.get('success') is False or tree.get('error_code'):
        return True
    if tree.get('detail') or tree.get('status') == 'failed':
        return True
    return tree.get('code') not in (None, 0, '0', 200, '200', '') and not tree.get('data')


def refusal(
    status: int,
    headers: Mapping[str, str],
    tree: Json,
    text: str,
    *,
    where: str,
    sent: Collection[str],
) -> Failure:
    """Classify an answer that holds no picture.

    Args:
        status: Of the answer.
        headers: Of the answer, names in lower case.
        tree: The parsed body, None where it is no JSON.
        text: The body.
        where: The address asked.
        sent: The names of the fields that were sent, which may be named in passing.
    """
    words = words_of(tree, text)
    everything = f'{words} {text[:4000]}'
    param = refused_param(tree, everything, sent)
    signs = _Signs(
        status=status,
        text=everything,
        codes=_codes(tree),
        promises=task_of(tree) is not None and not failed_in_success(tree),
        is_html=_is_html(text),
        param=param,
    )
    kind = _kind(signs)
    return Failure(
        kind=kind,
        where=where,
        words=words,
        http_status=status,
        param=param if kind is ErrorKind.UNSUPPORTED_PARAM else None,
        retry_after_s=retry_after_s(headers),
        job_id=task_of(tree) if kind is ErrorKind.PENDING else None,
    )


def refused_param(tree: Json, text: str, sent: Collection[str]) -> str | None:
    """Name the field that a refusal means: one that was sent, or plainly named one that was not.

    Some servers refuse their own default, for which only a value of ours would help.
    """
    droppable = [name for name in sent if name not in ('prompt', 'model')]
    plain = [*droppable, *(name for name in OPTIONAL if name not in droppable)]
    error = tree.get('error') if isinstance(tree, dict) else None
    named = [error.get('param')] if isinstance(error, dict) else []
    detail = tree.get('detail') if isinstance(tree, dict) else None
    for entry in detail if isinstance(detail, list) else []:
        loc = entry.get('loc') if isinstance(entry, dict) else None
        named.append(loc[-1] if isinstance(loc, list) and loc else None)
    named += _NAMED_PARAM.findall(text)
    for name in named:
        if name in plain:
            return str(name)
    if not _REJECTS.search(text):
        return None
    words = [name for name in plain if name in droppable or '_' in name]
    return next((name for name in words if len(name) > 1 and _names(text, name)), None)


def _names(text: str, field: str) -> bool:
    """Whether a text holds a field's name as a word, however it is joined: `response format`."""
    spelt = field.replace('_', r'[\s_-]?')
    return re.search(rf'(?<![a-z0-9_]){spelt}(?![a-z0-9_])', text, re.IGNORECASE) is not None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read when to come back, in seconds from now; capped at an hour."""
    plain = headers.get('retry-after', '')
    for text, unit in ((headers.get('retry-after-ms', ''), 1000), (plain, 1)):
        with contextlib.suppress(ValueError):
            seconds = float(text) / unit
            if math.isfinite(seconds):
                return min(max(seconds, 0.0), LONGEST_WAIT_S)
    with contextlib.suppress(ValueError, TypeError):
        return min(max(parsedate_to_datetime(plain).timestamp() - time.time(), 0.0), LONGEST_WAIT_S)
    return None


def _kind(signs: _Signs) -> ErrorKind:
    """Follow the order in which one sign outweighs the other."""
    return next((kind for kind, holds in _RULES if holds(signs)), ErrorKind.UPSTREAM_ERROR)


def _codes(tree: Json) -> str:
    """Collect the short code words that an answer holds."""
    if not isinstance(tree, dict):
        return ''
    inner = tree.get('error')
    nodes = [tree, inner] if isinstance(inner, dict) else [tree]
    deeper = inner.get('inner_error') if isinstance(inner, dict) else None
    nodes += [deeper] if isinstance(deeper, dict) else []
    keys = ('code', 'type', 'error_id', 'error_code')
    return ' '.join(str(node[key]) for node in nodes for key in keys if node.get(key))


def _is_html(text: str) -> bool:
    return text.lstrip()[:200].lower().startswith(('<!doctype', '<html', '<head', '<body'))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """What an answer is classified by."""

    status: int
    text: str
    codes: str
    promises: bool
    is_html: bool
    param: str | None

    def say(self, pattern: re.Pattern[str]) -> bool:
        return pattern.search(f'{self.codes} {self.text}') is not None


_RULES: tuple[tuple[ErrorKind, Callable[[_Signs], bool]], ...] = (
    (ErrorKind.PENDING, lambda s: s.status == 202 or (s.status < 300 and s.promises)),
    (ErrorKind.REDIRECT, lambda s: 300 <= s.status < 400),
    (ErrorKind.MODERATION, lambda s: s.status < 500 and s.say(_MODERATION)),
    (ErrorKind.QUOTA, lambda s: s.status == 402 or (s.status in (403, 429) and s.say(_QUOTA))),
    (ErrorKind.AUTH, lambda s: s.status == 401 or (s.status == 403 and s.say(_KEY))),
    (ErrorKind.FORBIDDEN, lambda s: s.status == 403),
    (ErrorKind.RATE_LIMITED, lambda s: s.status == 429),
    (ErrorKind.TOO_LARGE, lambda s: s.status == 413),
    (ErrorKind.GATEWAY_TIMEOUT, lambda s: s.status in (408, 504, 522, 524)),
    (ErrorKind.MODEL_NOT_FOUND, lambda s: s.status in (400, 404, 421, 422) and s.say(_MODEL)),
    (
        ErrorKind.ENDPOINT_NOT_FOUND,
        lambda s: s.status in (404, 405, 501) or (s.status < 500 and s.say(_ENDPOINT)),
    ),
    (ErrorKind.CANCELLED, lambda s: s.status == 409 and s.say(_CANCELLED)),
    (ErrorKind.NOT_READY, lambda s: s.status == 503 and s.say(_NOT_READY)),
    (ErrorKind.UNSUPPORTED_PARAM, lambda s: s.status >= 400 and s.param is not None),
    (ErrorKind.INVALID_REQUEST, lambda s: 400 <= s.status < 500 or s.say(_OUR_TYPES)),
    (ErrorKind.NOT_JSON, lambda s: s.status < 300 and s.is_html),
)

"""What a parsed response says of itself: that it failed, that it only promises, and its words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import islice

from app.models.request import MOST_COUNT
from app.providers.response.images import MARK, at, rows_of
from app.providers.response.job_states import JobState, job_state_of
from app.providers.response.json_text import Json, loads

LONGEST_WORDS = 500
MOST_DEPTH = 6
MOST_PAGE_LETTERS = 200_000
MOST_CLEANED_LETTERS = 40_000  # more is never shown, and looking for secrets takes its time
MOST_NODES = 1_000  # looked at in search of words
MOST_ENTRIES = 50  # of a list in which words may be
LONGEST_NAME = 500  # of a job
DEEPER = ('data', 'images', 'choices', 'output', 'result', 'response', 'Response', 'base_resp')
OTHER_NAMES = ('error_msg', 'error_message', 'error_description', 'status_msg', 'Message')

_ROOTS = (
    'home|root|usr|opt|var|app|mnt|tmp|workspace|srv|Users|etc|data|content|private|Volumes|code|'
    'sgl-workspace|kaggle|nix|proc|run|snap'
)
_SECRETS = {
    r'data:[\w.+/-]+(;[\w=.-]+)*,[^\s"\')]{16,}': 'data:…',
    r'\bBasic\s+(?=\S*[0-9=])[A-Za-z0-9+/]{6,}={0,2}': 'Basic …',
    r'(?i)\bBearer\s+[^\s"\',]+': 'Bearer …',
    r'\b(sk|pk|rk|r8|hf|gsk|xai|nvapi)[-_][A-Za-z0-9_*-]{6,}': r'\1-…',
    r'\beyJ[\w-]{5,500}\.[\w-]{5,}(\.[\w-]*)?': '…',
    r'\bAIza[\w-]{20,}|\b(AKIA|ASIA)[A-Z0-9]{12,}|\bgh[pousr]_\w{20,}': '…',
    r'(?i)\b((?:api[-_ ]?key|access[-_]?token|token|secret|password|sig|signature)'
    r'["\']?\s*[=:]\s*["\']?)[A-Za-z0-9._~+/%=-]{8,}': r'\1…',
    r'(?<![\w-])(?:[0-9a-f]{32}|[0-9A-F]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![\w-])': '…',
    r'[A-Za-z0-9+/_=-]{120,}': '…',
    MARK.pattern: '…',
    rf'(?<![\w/.])(?:file://)?/(?:{_ROOTS})/[^\s"\',)]*': '…',
    r'(?<![\w/.-])/[\w./-]{1,300}\.(?:py|safetensors|ckpt|gguf|pth?|onnx|so|sock)\b': '…',
    r'(?<!\w)[A-Za-z]:\\{1,2}[^\s"\',)]+|(?<![\w\\])\\\\[\w.-]+\\[^\s"\',)]+': '…',
}
_PATTERNS = [(re.compile(pattern), instead) for pattern, instead in _SECRETS.items()]
_TITLE = re.compile(r'(?i)<title[^<>]{0,200}>([^<]{0,1000})</title>')
_UNSEEN = re.compile(r'(?i)<(script|style)\b[^<]{0,100000}</\1\s*>')
_TAG = re.compile(r'<[^<>]+>')
_FINE = (None, 0, '0', 200, '200', '', 'success', 'ok', 'OK', 'Success', 'SUCCESS')
_POLL_KEYS = (
    *('poll_url', 'polling_url', 'status_url', 'pollUrl', 'pollingUrl', 'statusUrl'),
    *('operation_location', 'operationLocation', 'operation_url', 'get_url', 'fetch_result'),
    *('fetch_url', 'check_url', 'query_url', 'task_url'),
)
_RESULT_KEYS = ('response_url', 'result_url', 'responseUrl', 'resultUrl', 'result_location')
_TASK_KEYS = (*_POLL_KEYS, 'task_id', 'taskId', 'job_id', 'jobId')
_BESIDE_ID = {'id', 'request_id', 'object', 'created', 'created_at', 'kudos', 'message'}
_INNER = ('data', 'output', 'result', 'task', 'job')


def failed_in_success(tree: Json) -> bool:
    """Check whether a 2xx response says itself that it is none."""
    if not isinstance(tree, dict):
        return False
    code, data = tree.get('code'), tree.get('data')
    return bool(
        tree.get('error') not in (None, '', {}, [], False)
        or tree.get('success') in (False, 'false')
        or tree.get('error_code')
        or at(tree, 'base_resp', 'status_code')
        or tree.get('detail')
        or tree.get('ok') is False
        or state_of(tree) is JobState.FAILED
        or 'error' in (tree.get('object'), tree.get('type'))
        or (tree.get('errors') and not data)
        or errors_of_items(tree)
        or ((code not in _FINE or code is False) and not data)
    )


def errors_of_items(tree: Json) -> list[Json]:
    """List the first errors that stand in the place of each picture; empty where one has none."""
    for key in ('data', 'images', 'choices'):
        errors = [at(row, 'error') for row in rows_of(tree, key)]
        if errors and all(errors):
            return errors[:MOST_COUNT]
    return []


def status_within(tree: Json) -> int | None:
    """Return the HTTP status that a response says it should have had; None where it says none."""
    for node in (at(tree, 'error'), tree):
        for key in ('code', 'status', 'status_code'):
            code = at(node, key)
            if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) == 3:
                code = int(code)
            if isinstance(code, int) and 400 <= code < 600:
                return code
    return None


def state_of(tree: Json) -> JobState:
    """Return the state of the job that a response describes."""
    states = [one for one in map(job_state_of, _nodes(tree)) if one is not JobState.UNTOLD]
    first = next(iter(states), JobState.UNTOLD)
    if first is JobState.SUCCEEDED:  # which may be that of the call: the job's own counts
        return next((one for one in states if one is not first), first)
    return first


def task_of(tree: Json) -> str | None:
    """Return the job's name when the response is a promise and not a picture."""
    nodes = _nodes(tree)
    for node in nodes:
        for value in map(node.get, _TASK_KEYS):
            if _is_name(value):
                return str(node['id'] if _is_name(node.get('id')) else value)
    for node in nodes:
        name = node.get('id') or node.get('request_id')
        if str(node.get('object', '')).endswith('.task'):
            return str(name or '')
        if _is_name(name) and ({*node} <= _BESIDE_ID or job_state_of(node) is JobState.GOES_ON):
            return str(name)
    return None


def poll_address_of(tree: Json) -> str | None:
    """Return the address at which a response says that its job can be asked for."""
    addresses = [
        _address_in(node, _POLL_KEYS)
        or _address_in(at(node, 'urls'), ('get',))
        or _address_in(at(node, 'links'), ('status', 'self'))
        or _address_in(at(node, '_links', 'self'), ('href',))
        for node in _nodes(tree)
    ]
    return next(filter(None, addresses), None)


def result_address_of(tree: Json) -> str | None:
    """Return the address at which a job that is over says that its pictures are."""
    return next(filter(None, (_address_in(node, _RESULT_KEYS) for node in _nodes(tree))), None)


def _address_in(node: Json, keys: tuple[str, ...]) -> str | None:
    values = (at(node, key) for key in keys)
    return next((one.strip() for one in values if isinstance(one, str) and one.strip()), None)


def _is_name(value: Json) -> bool:
    is_one = isinstance(value, str | int) and not isinstance(value, bool) and bool(value)
    return is_one and len(str(value)) <= LONGEST_NAME


def _nodes(tree: Json) -> list[dict[str, Json]]:
    """Return the response, and what of it may describe a job."""
    tree = tree[0] if isinstance(tree, list) and len(tree) == 1 else tree
    inner = [at(tree, key) for key in _INNER]
    inner = [one[0] if isinstance(one, list) and len(one) == 1 else one for one in inner]
    return [node for node in (tree, *inner) if isinstance(node, dict)]


def words_of(tree: Json, text: str) -> str:
    """Return the provider's own words in its response, as they came; empty if it gave none."""
    if isinstance(tree, dict | list):
        return next(filter(None, islice(_words_in(tree), MOST_NODES)), '')
    if isinstance(tree, str) and tree:
        return tree
    text = text[:MOST_PAGE_LETTERS]
    title = _TITLE.search(text)
    lines = map(str.strip, _TAG.sub(' ', _UNSEEN.sub(' ', text)).splitlines())
    words = (title and title[1].strip()) or next(filter(None, lines), '')
    return html.unescape(words[: MOST_CLEANED_LETTERS + 1])


def chat_text_of(tree: Json) -> str:
    """Return what a model says in the place of a picture; empty where it says nothing."""
    for key in ('refusal', 'content', 'reasoning'):
        text = at(tree, 'choices', 0, 'message', key)
        if isinstance(text, list):
            text = ' '.join(words for part in text for words in _texts(part, 'text'))
        if isinstance(text, str) and text.strip():
            return text
    return ''


def clean(text: str) -> str:
    """Remove what must not be shown: pictures, paths, and what looks like a key."""
    text = text[:MOST_CLEANED_LETTERS]
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def scrub(text: str) -> str:
    """Clean a text for one line: blanks folded, cut to 500 letters."""
    text = ' '.join(clean(text).split())
    return text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1] + '…'


def _words_in(tree: Json, depth: int = 0) -> Iterator[str]:
    """Walk through what may be the provider's words, the likeliest first."""
    if depth > MOST_DEPTH:
        return
    if isinstance(tree, str):
        yield tree
    if isinstance(tree, list):
        for node in tree[:MOST_ENTRIES]:
            if depth < 2 or isinstance(node, dict):
                yield from _words_in(node, depth + 1)
    if not isinstance(tree, dict):
        return
    error = tree.get('error')
    if isinstance(error, dict | list):
        yield from map(_unwrapped, _texts(error, 'message', 'msg', 'detail'))
        yield from _words_in(error, depth + 1)
    for detail in (tree.get('detail'), tree.get('errors')):  # FastAPI's and its imitators'
        for entry in detail[:MOST_ENTRIES] if isinstance(detail, list) else [detail]:
            field = at(entry, 'loc', -1)
            for text in _texts(entry, 'msg', 'message')[:1]:
                yield text if field is None else f'{field}: {text}'
    yield _unwrapped(
        max(_texts(tree, 'errors', 'message', 'detail', 'msg', 'error'), key=len, default='')
    )
    for key in ('errors', 'message', 'detail', *DEEPER):
        node = tree.get(key)
        if isinstance(node, list) and key in DEEPER:
            node = [row for row in node[:MOST_ENTRIES] if isinstance(row, dict)]
        if isinstance(node, dict | list):
            yield from _words_in(node, depth + 1)
    yield from _texts(tree, 'title', *OTHER_NAMES)


def _texts(node: Json, *names: str) -> list[str]:
    texts = [at(node, name) for name in names]
    return [text for text in texts if isinstance(text, str) and text.strip()]


def _unwrapped(message: str) -> str:
    """Return the words within a message that is the whole response of another server."""
    if not message.lstrip().startswith('{'):
        return message
    try:
        return next(filter(None, _words_in(loads(message))), message)
    except ValueError:
        return message

"""Finds the provider's own words in an answer that is no picture, fit to be shown."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection

from app.providers.response.images import MARK, Json

LONGEST_WORDS = 500
MOST_DEPTH = 6
MOST_PAGE_LETTERS = 200_000
MOST_CLEANED_LETTERS = 100_000  # more is never shown, and looking for secrets takes its time
DEEPER = ('data', 'images', 'choices', 'output', 'result', 'response', 'Response', 'base_resp')
OTHER_NAMES = ('error_msg', 'error_message', 'error_description', 'status_msg', 'Message')

_ROOTS = (
    'home|root|usr|opt|var|app|mnt|tmp|workspace|srv|Users|etc|data|content|private|Volumes|code|'
    'sgl-workspace|kaggle|nix|proc|run|snap'
)
_SECRETS = (
    (re.compile(r'data:[\w.+/-]+(;[\w=.-]+)*,[^\s"\')]{16,}'), 'data:…'),
    (re.compile(r'\bBasic\s+(?=\S*[0-9=])[A-Za-z0-9+/]{6,}={0,2}'), 'Basic …'),
    (re.compile(r'\bBearer\s+[^\s"\',]+', re.IGNORECASE), 'Bearer …'),
    (re.compile(r'\b(sk|pk|rk|r8|hf|gsk|xai|nvapi)[-_][A-Za-z0-9_*-]{6,}'), r'\1-…'),
    (re.compile(r'\beyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?'), '…'),
    (re.compile(r'\bAIza[\w-]{20,}|\b(AKIA|ASIA)[A-Z0-9]{12,}|\bgh[pousr]_\w{20,}'), '…'),
    (
        re.compile(
            r'\b((?:api[-_ ]?key|access[-_]?token|token|secret|password|sig|signature)'
            r'["\']?\s*[=:]\s*["\']?)[A-Za-z0-9._~+/%=-]{8,}',
            re.IGNORECASE,
        ),
        r'\1…',
    ),
    (
        re.compile(r'(?<![\w-])(?:[0-9a-f]{32}|[0-9A-F]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![\w-])'),
        '…',
    ),
    (re.compile(r'[A-Za-z0-9+/_=-]{120,}'), '…'),
    (MARK, '…'),
    (re.compile(rf'(?<![\w/.])(?:file://)?/(?:{_ROOTS})/[^\s"\',)]*'), '…'),
    (
        re.compile(r'(?<![\w/.])/[\w./-]{1,300}\.(?:py|safetensors|ckpt|gguf|pth?|onnx|so|sock)\b'),
        '…',
    ),
    (re.compile(r'(?<!\w)[A-Za-z]:\\{1,2}[^\s"\',)]+|(?<![\w\\])\\\\[\w.-]+\\[^\s"\',)]+'), '…'),
)
_TITLE = re.compile(r'<title[^<>]{0,200}>([^<]{0,1000})</title>', re.IGNORECASE)
_UNSEEN = re.compile(r'<(script|style)\b[^<]{0,100000}</\1\s*>', re.IGNORECASE)
_TAG = re.compile(r'<[^<>]+>')


def words_of(tree: Json, text: str, secrets: Collection[str] = ()) -> str:
    """Find the provider's own words in its answer, scrubbed and short; empty if it gave none."""
    found = _words_in(tree, 0) if isinstance(tree, dict | list) else ''
    if not found and isinstance(tree, str):
        found = tree
    if not found and not isinstance(tree, dict | list):
        text = text[:MOST_PAGE_LETTERS]
        title = _TITLE.search(text)
        plain = _TAG.sub(' ', _UNSEEN.sub(' ', text))
        lines = [line.strip() for line in plain.splitlines() if line.strip()]
        first = lines[0] if lines else ''
        found = html.unescape((title and title.group(1).strip()) or first)
    return scrub(found, secrets)


def said_in_chat(tree: Json) -> str:
    """Give what a model said in the place of a picture; empty where it said nothing."""
    choices = tree.get('choices') if isinstance(tree, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get('message') if isinstance(first, dict) else None
    if not isinstance(message, dict):
        return ''
    for key in ('refusal', 'content', 'reasoning'):
        said = message.get(key)
        parts = said if isinstance(said, list) else []
        texts = [part.get('text') for part in parts if isinstance(part, dict)]
        said = ' '.join(text for text in texts if isinstance(text, str)) if parts else said
        if isinstance(said, str) and said.strip():
            return said
    return ''


def clean(text: str, secrets: Collection[str] = ()) -> str:
    """Take out what must not be shown or logged: pictures, keys, paths, and these secrets."""
    for secret in secrets:
        text = text.replace(secret, '…')
    text = text[:MOST_CLEANED_LETTERS]
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def scrub(text: str, secrets: Collection[str] = ()) -> str:
    """Clean a text for one line: blanks folded, cut to 500 letters."""
    text = ' '.join(clean(text, secrets).split())
    return text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1] + '…'


def _words_in(tree: Json, depth: int) -> str:
    if depth > MOST_DEPTH:
        return ''
    if isinstance(tree, list):
        nodes = tree if depth < 2 else [node for node in tree if isinstance(node, dict)]
        return next(
            (words for words in (_words_in(node, depth + 1) for node in nodes) if words), ''
        )
    if not isinstance(tree, dict):
        return tree if isinstance(tree, str) else ''
    error = tree.get('error')
    if isinstance(error, dict | list):
        words = _words_of_error(error, depth)
        if words:
            return words
    for key in ('detail', 'errors'):
        words = _words_of_detail(tree.get(key))
        if words:
            return words
    texts = [tree.get(key) for key in ('errors', 'message', 'detail', 'msg', 'error')]
    said = [text for text in texts if isinstance(text, str) and text.strip()]
    if said:
        return _unwrapped(max(said, key=len))
    for key in ('errors', 'message', 'detail', *DEEPER):
        node = tree.get(key)
        if isinstance(node, list) and key in DEEPER:
            node = [row for row in node if isinstance(row, dict)]
        words = _words_in(node, depth + 1) if isinstance(node, dict | list) else ''
        if words:
            return words
    named = (tree.get(key) for key in ('title', *OTHER_NAMES))
    return next((text for text in named if isinstance(text, str) and text), '')


def _words_of_error(error: Json, depth: int) -> str:
    if isinstance(error, dict):
        for key in ('message', 'msg', 'detail'):
            said = error.get(key)
            if isinstance(said, str) and said.strip():
                return _unwrapped(said)
    return _words_in(error, depth + 1)


def _words_of_detail(detail: Json) -> str:
    """Read FastAPI's and its imitators' `detail`."""
    entries = detail if isinstance(detail, list) else [detail]
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        said = entry.get('msg') or entry.get('message')
        loc = entry.get('loc')
        if isinstance(said, str) and said.strip():
            return f'{loc[-1]}: {said}' if isinstance(loc, list) and loc else said
    return ''


def _unwrapped(message: str) -> str:
    """Relays put the whole answer of another server into their message."""
    if not message.lstrip().startswith('{'):
        return message
    try:
        inner = json.loads(message)
    except (ValueError, RecursionError):
        return message
    return _words_in(inner, 0) or message

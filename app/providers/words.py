"""Finds the provider's own words in an answer that is no picture, fit to be shown."""

from __future__ import annotations

import json
import re

from app.providers.items import Json

LONGEST_WORDS = 500

_SECRETS = (
    (re.compile(r'data:[\w.+/-]+(;[\w=.-]+)*,[^\s"\')]{16,}'), 'data:…'),
    (re.compile(r'\bBearer\s+[^\s"\',]+', re.IGNORECASE), 'Bearer …'),
    (re.compile(r'\b(sk|pk|r8|hf|gsk|xai)[-_][A-Za-z0-9_*-]{6,}'), r'\1-…'),
    (re.compile(r'[A-Za-z0-9+/_=-]{120,}'), '…'),
    (
        re.compile(r'(?<![\w:/.])/(?:home|root|usr|opt|var|app|mnt|tmp|workspace|srv)/[^\s"\',)]*'),
        '…',
    ),
)
_TITLE = re.compile(r'<title[^<>]{0,200}>([^<]{0,1000})</title>', re.IGNORECASE)
_TAG = re.compile(r'<[^<>]+>')


def words_of(tree: Json, text: str) -> str:
    """Find the provider's own words in its answer, scrubbed and short; empty if it gave none."""
    found = _words_in(tree) if isinstance(tree, dict | list) else ''
    if not found and isinstance(tree, str):
        found = tree
    if not found and not isinstance(tree, dict | list):
        title = _TITLE.search(text)
        lines = [line.strip() for line in _TAG.sub(' ', text).splitlines() if line.strip()]
        found = title.group(1) if title else (lines[0] if lines else '')
    return scrub(found)


def clean(text: str) -> str:
    """Take out what must not be shown or logged: pictures, keys, paths."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def scrub(text: str) -> str:
    """Clean a text for one line: blanks folded, cut to 500 letters."""
    text = ' '.join(clean(text).split())
    return text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1] + '…'


def _words_in(tree: Json) -> str:
    if isinstance(tree, list):
        return next((words for words in (_words_in(node) for node in tree) if words), '')
    if not isinstance(tree, dict):
        return tree if isinstance(tree, str) else ''
    error = tree.get('error')
    if isinstance(error, dict):
        message = error.get('message') or error.get('msg') or error.get('detail')
        if isinstance(message, str) and message.strip():
            return _unwrapped(message)
    for key in ('detail', 'errors'):
        words = _words_of_detail(tree.get(key))
        if words:
            return words
    texts = [tree.get(key) for key in ('errors', 'message', 'detail', 'msg', 'error')]
    said = [text for text in texts if isinstance(text, str) and text.strip()]
    if said:
        return _unwrapped(max(said, key=len))
    title = tree.get('title')
    return title if isinstance(title, str) else ''


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
    return _words_in(inner) or message

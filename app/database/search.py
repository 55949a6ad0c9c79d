"""The words of the search index.

Folded in Python, so that the index and the query agree whatever SQLite's tokenizer does:
case and accents go, and each CJK sign is a word of its own, since those scripts write no blanks.
"""

from __future__ import annotations

import re
import unicodedata

MOST_QUERY_WORDS = 24

_WORD = re.compile(r'[^\W_]+', re.UNICODE)
# not compiled here: that takes a start 3 ms
_CJK = r'([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])'


def index_words(text: str) -> str:
    """Return the words to index, separated by blanks."""
    return ' '.join(word for run in _runs(text) for word in run)


def fts_query(text: str) -> str | None:
    """Build an FTS5 query of what a person typed, None if it holds no word.

    Every word must occur; the last may be the beginning of one; neighbouring CJK signs stay
    neighbours. Whatever else was typed has no meaning to FTS5, since all is quoted.
    """
    runs = _runs(text)[:MOST_QUERY_WORDS]
    if not runs:
        return None
    phrases = ['"' + ' '.join(run) + '"' for run in runs]
    return ' '.join(phrases) + '*'


def _runs(text: str) -> list[list[str]]:
    """Split into words; a run of CJK signs is one list of them, any other word stands alone."""
    plain = unicodedata.normalize('NFKD', text.casefold())
    plain = ''.join(sign for sign in plain if not unicodedata.combining(sign))
    plain = unicodedata.normalize('NFKC', plain)
    runs: list[list[str]] = []
    for word in _WORD.findall(plain):
        pieces = [piece for piece in re.split(_CJK, word) if piece]
        runs.append(pieces)
    return runs

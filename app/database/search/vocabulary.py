"""The words that pictures have: their forms, those that begin alike, those that are nearly alike.

The index holds words as they were written. A searched word becomes the few written ones that it may
mean, since the index merges every occurrence of a beginning longer than its own before it answers,
and goes through single words from the newest on.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Protocol, cast

import apsw

from app.database.sqlite.connection import select

WORD, MODEL, SERVER, SIZE = 'word', 'model', 'server', 'size'  # kinds
LONGEST_WORD = 64  # letters; longer ones are found as they are
INDEXED_BEGINNING = 3  # letters: as the index has `prefix`
MOST_FORMS = 250
ABOVE_ALL = '\U0010ffff'
ALPHABET = 128  # signs that stand together in Unicode
_OR_BEGUN = """
  union
  select word from vocabulary where kind = 'word' and word >= :word and word < :word || :end
"""


class Stemmer(Protocol):
    """A stemmer of PyStemmer, which has no types."""

    def stemWord(self, word: str) -> str: ...  # noqa: N802


def word_stem(word: str) -> str | None:
    """Return what the forms of an English or a Russian word have in common; None: unknown."""
    if not word.isalpha() or len(word) > LONGEST_WORD:
        return None
    if word.isascii():
        return _stemmer('english').stemWord(word)
    is_russian = all('а' <= letter <= 'я' for letter in word)
    return _stemmer('russian').stemWord(word) if is_russian else None


def forms_of(db: apsw.Connection, word: str, most: int, *, begins: bool) -> list[str] | None:
    """Return what a searched word may mean besides itself; None where there are too many.

    `begins`: it may be the beginning of a word.
    """
    rows = select(
        db,
        f"""
        select word from vocabulary where stem = :stem
        {_OR_BEGUN if begins else ''}
        limit :most + 1
        """,  # noqa: S608 (ours)
        word=word,
        stem=word_stem(word),
        end=ABOVE_ALL,
        most=most,
    )
    return None if len(rows) > most else [cast('str', row['word']) for row in rows]


def names_of(db: apsw.Connection, kind: str) -> list[str]:
    """Return the models, servers or sizes that pictures have, the most used first."""
    rows = select(
        db,
        """
        select word
        from vocabulary
        where kind = :kind
        order by uses desc
        """,
        kind=kind,
    )
    return [cast('str', row['word']) for row in rows]


def words_beginning(db: apsw.Connection, beginning: str, most: int) -> list[str]:
    """Return the written words that begin so, the most used first."""
    rows = select(
        db,
        """
        select word
        from vocabulary
        where kind = 'word' and word >= :word and word < :word || :end
        order by uses desc
        limit :most
        """,
        word=beginning,
        end=ABOVE_ALL,
        most=most,
    )
    return [cast('str', row['word']) for row in rows]


def near_words(db: apsw.Connection, word: str) -> list[str]:
    """Return the written words that are one letter away, or two that changed places."""
    if len(word) > LONGEST_WORD:
        return []
    first = ord(word[0]) // ALPHABET * ALPHABET
    letters = [
        letter
        for letter in map(chr, range(first, first + ALPHABET))
        if letter.isalnum() and letter == letter.lower()
    ]
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    edits = {left + right[1:] for left, right in splits if right}
    edits |= {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    edits |= {left + letter + right for left, right in splits for letter in letters}
    edits |= {left + letter + right[1:] for left, right in splits if right for letter in letters}
    rows = select(
        db,
        """
        select word
        from vocabulary
        where kind = 'word' and word <> :word and word in (select value from json_each(:edits))
        order by word
        """,
        word=word,
        edits=json.dumps([*edits]),
    )
    return [cast('str', row['word']) for row in rows]


@cache
def _stemmer(language: str) -> Stemmer:
    from Stemmer import Stemmer as Snowball  # few starts meet a new word

    return cast('Stemmer', Snowball(language))

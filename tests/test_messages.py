"""The words of a provider: which of them count, how deep they may stand, and how long they are."""

from __future__ import annotations

import json

import pytest

from app.providers.response.json_text import Json
from app.providers.response.messages import LONGEST_WORDS, chat_text_of, scrub, words_of


def nested(levels: int) -> Json:
    tree: Json = json.loads('{"message":' * levels + '{"message":"deep"}' + '}' * levels)
    return tree


@pytest.mark.parametrize(
    ('tree', 'words'),
    [
        ({'error': {'message': 'said', 'detail': 'longer and said less'}}, 'said'),
        ([{'message': 'in a list'}], 'in a list'),
        ([['in two']], 'in two'),
        ([[['in three']]], ''),
        ({'detail': [{'loc': ['body', 'n'], 'msg': 'bad'}]}, 'n: bad'),
        (nested(6), 'deep'),
        (nested(7), ''),
    ],
    ids=['message first', 'list', 'two lists', 'three lists', 'field', 'in reach', 'out of reach'],
)
def test_words_are_found_where_a_server_may_put_them(tree: Json, words: str) -> None:
    assert words_of(tree, '') == words


def test_a_models_first_choice_is_what_it_says() -> None:
    assert chat_text_of({'choices': [{'message': {'content': 'no, sorry'}}]}) == 'no, sorry'


def test_words_just_as_long_as_they_may_be_are_shown_whole() -> None:
    words = ('word ' * LONGEST_WORDS)[: LONGEST_WORDS - 1] + '!'

    assert scrub(words) == words
    assert scrub(f'{words}!').endswith('…')


@pytest.mark.parametrize(
    ('page', 'words'),
    [('<title>Bad Gateway</title><p>nginx', 'Bad Gateway'), ('<p>Bad Gateway', 'Bad Gateway')],
)
def test_a_page_is_told_by_its_title_before_its_text(page: str, words: str) -> None:
    assert words_of(None, page) == words

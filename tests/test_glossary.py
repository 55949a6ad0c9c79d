"""One word for each thing on the pages, in both languages, and what no sentence says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Message

from tests.test_words import PLACE, ROOT, in_russian, strings_of

CLUMSY = re.compile(
    r'\b(can|can |could |do |does |did |is |are |was |were |has |have |had |would )not\b'
    r'|\b(keys of|whoever|nobody|somebody|everybody|leave out|any shape|let in|time-out)\b'
    r'|\b(mend|drawn|draws(?! demo)|drawing|fetch|blanks|dialect|provider|machine)\b',
    re.IGNORECASE,
)
# Of pictures; the kind of server, of model and of API, and a folder, are called so.
IMAGE = re.compile(r'(?<!`)\bimages?\b(?! (servers?|models?|API)\b)')
OF_AN_API = {'Images', 'OpenAI images', 'OpenRouter images (also NanoGPT)'}  # as these call them
CLUMSY_IN_RUSSIAN = re.compile(
    r'зерн|допрашив|провайдер|изображени|диалект|понято как|следование'
    r'|любая форма|напишите|написанн|не скопировал|подать звук|впустить',
    re.IGNORECASE,
)
OF_HTTP = re.compile(r'request|redirect', re.IGNORECASE)
BY_NAME = ('get_by_label', 'get_by_placeholder')
GIVEN = {'Boats', 'A | C'}  # the name of a test's album, and the letters of pictures
NAMED_ROLES = ('button', 'textbox', 'dialog', 'navigation', 'switch')


def messages() -> list[Message]:
    return [message for message in in_russian() if message.id]


def english_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else '\n'.join(message.id)


def test_no_english_sentence_is_clumsy_or_names_what_only_the_code_knows() -> None:
    said = [PLACE.sub('', english_of(message)) for message in messages()]

    assert [one for one in said if CLUMSY.search(one)] == []
    assert [one for one in said if one not in OF_AN_API and IMAGE.search(one)] == []


def test_no_russian_sentence_is_clumsy() -> None:
    said = [text for message in messages() for text in strings_of(message)]

    assert [one for one in said if CLUMSY_IN_RUSSIAN.search(one)] == []


def test_a_prompt_is_no_request_in_russian() -> None:
    for message in messages():
        english, russian = english_of(message), ' '.join(strings_of(message))

        if 'запрос' in russian.lower():
            assert OF_HTTP.search(english), russian
        if re.search(r'\bprompts?\b', english.lower()):
            assert re.search('промпт|prompt', russian.lower()), russian


def test_what_is_said_outside_the_catalogue_is_not_clumsy_either() -> None:
    sources = [ROOT / 'run.py', *(ROOT / 'app').rglob('*.py')]
    texts = {str(path): strings_in(path) for path in sources}
    texts |= {
        str(path): path.read_text(encoding='utf-8')
        for path in [*ROOT.glob('*.md'), *(ROOT / 'docs').glob('*.md')]
        if path.name != 'CHANGELOG.md'
    }

    assert [path for path, text in texts.items() if re.search(r'\bcan not\b', text)] == []


def strings_in(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    return '\n'.join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_a_test_looks_for_words_that_a_page_says() -> None:
    said = {PLACE.sub('', english_of(message)) for message in messages()}
    said |= {PLACE.sub('', text) for message in messages() for text in strings_of(message)}

    unknown = [
        f'{path.name}:{line}: {words}'
        for path in sorted((ROOT / 'tests').rglob('*.py'))
        for line, words in looked_for(path)
        if words not in GIVEN and not any(re.sub(r'\d+', '', words) in one for one in said)
    ]

    assert unknown == []


def looked_for(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the names of buttons and fields that a browser test asks for."""
    text = path.read_text(encoding='utf-8')
    if 'get_by_' not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        kind = node.args[0]
        words = [kind] if node.func.attr in BY_NAME else []
        if node.func.attr == 'get_by_role' and getattr(kind, 'value', '') in NAMED_ROLES:
            words = [keyword.value for keyword in node.keywords if keyword.arg == 'name']
        for word in words:
            if isinstance(word, ast.Constant) and isinstance(word.value, str):
                yield node.lineno, word.value

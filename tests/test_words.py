"""Every word a visitor sees is marked, and said in Russian too."""

from __future__ import annotations

import ast
import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from jinja2.ext import extract_from_ast

from app import errors
from app.cost import Cost
from app.errors import AppError, ErrorKind, Failure, ProviderError
from app.messages import describe, translations
from app.models.request import REQUEST_FIELDS
from app.web.base_path import BasePath
from app.web.static import Static
from app.web.templates import Renderer

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / 'templates').rglob('*.html'))
CATALOGUE = ROOT / 'app' / 'locale' / 'ru' / 'LC_MESSAGES' / 'easel.po'
PLACE = re.compile(r'%\(\w+\)s|\{\w*\}')
# `easel generate` says what the server it asks said, in that server's own words.
TOLD = [path for path in sorted((ROOT / 'app').rglob('*.py')) if path.name != 'generate.py']
# A ProviderError takes a Failure, whose sentences are all in `app/messages`.
SENTENCED = {
    name
    for name, made in vars(errors).items()
    if isinstance(made, type) and issubclass(made, AppError) and made is not ProviderError
}
READ_ALOUD = ('placeholder', 'aria-label', 'title', 'alt')
SAME_EVERYWHERE = {'cURL', 'localhost:1337', 'api-key: …', 'Easel', '· Easel', 'Ctrl ⏎', '1216x832'}
INSIDE_A_TAG = ('layout', 'describe', 'point', 'within')  # a block and macros that write attributes
UNSPOKEN = ('pre', 'script', 'style')

Id = str | tuple[str, ...]


@cache
def in_russian() -> Catalog:
    with CATALOGUE.open('rb') as file:
        return read_po(file, locale='ru', domain='easel')


def compiled(file: BinaryIO) -> dict[str, list[str]]:
    return {str(message.id): strings_of(message) for message in read_mo(file)}


@cache
def marked() -> dict[Id, str]:
    """What `pybabel extract -F babel.cfg .` finds: each message, and the file it is in."""
    with (ROOT / 'babel.cfg').open(encoding='utf-8') as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]

    def only_sources(folder: str) -> bool:
        return Path(folder).relative_to(ROOT).parts[0] in ('app', 'templates')

    found = extract_from_dir(ROOT, methods, options, directory_filter=only_sources)
    return {message: path for path, _, message, _, _ in found}


def strings_of(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def ids_of(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


@cache
def environment(language: str = 'ru') -> Environment:
    return (
        Renderer(Static(ROOT / 'static'), Path(tempfile.mkdtemp()), BasePath(''))
        .language(language)
        .environment
    )


def tree_of(path: Path) -> nodes.Template:
    return environment().parse(path.read_text(encoding='utf-8'))


def test_every_marked_sentence_has_a_russian_one() -> None:
    catalogue = in_russian()

    missing = [
        f'{path}: {message}'
        for message, path in marked().items()
        if message not in catalogue or not all(strings_of(catalogue[message]))
    ]

    assert missing == []


def test_numbers_have_the_signs_of_the_language() -> None:
    call = '{{ number(12345) }} {{ number(7) }} {{ amount(13700000) }} {{ cost(paid) }}'

    written = environment().from_string(call).render(paid=Cost(Decimal('0.025'), 'USD'))

    assert written == '12\u202f345 7 13,7\xa0МБ 0,025 USD'


def test_the_catalogue_keeps_nothing_that_no_source_says() -> None:
    catalogue = in_russian()

    left = [message.id for message in catalogue if message.id and message.id not in marked()]

    assert left == []
    assert list(catalogue.obsolete) == []


def test_no_russian_sentence_is_a_guess() -> None:
    catalogue = in_russian()

    guessed = [message.id for message in catalogue if message.id and message.fuzzy]

    assert guessed == []


def test_a_counted_thing_has_all_three_russian_forms() -> None:
    catalogue = in_russian()

    forms = {len(strings_of(message)) for message in catalogue if message.pluralizable}

    assert forms == {3} == {catalogue.num_plurals}


def test_a_russian_sentence_has_the_same_places() -> None:
    said = {one.id: [*ids_of(one), *strings_of(one)] for one in in_russian() if one.id}

    places = {one: {frozenset(PLACE.findall(text)) for text in said[one]} for one in said}

    assert [one for one, found in places.items() if len(found) > 1] == []


def test_a_sentence_of_a_template_has_no_lone_per_cent_sign() -> None:
    """Templates format each of them, with values or without: such a sign ends the page."""
    lone = [
        text
        for message in in_russian()
        if message.id and any(path.startswith('templates/') for path, _ in message.locations)
        for text in [*ids_of(message), *strings_of(message)]
        if '%' in re.sub(r'%%|%\(\w+\)s', '', text)
    ]

    assert lone == []


def test_a_count_is_written_as_its_language_writes_numbers() -> None:
    counted = (
        '{% trans count=n %}{{ count }} picture{% pluralize %}{{ count }} pictures{% endtrans %}'
    )

    assert environment('en').from_string(counted).render(n=12345) == '12,345 pictures'
    assert environment('ru').from_string(counted).render(n=12345) == '12\u202f345 картинок'


def test_the_compiled_catalogue_is_the_written_one() -> None:
    fresh = io.BytesIO()
    write_mo(fresh, in_russian())
    fresh.seek(0)

    with CATALOGUE.with_suffix('.mo').open('rb') as file:
        on_disk = compiled(file)

    assert on_disk == compiled(fresh)


def test_a_template_looks_up_what_was_extracted() -> None:
    looked_up = {
        id_of(message): path.name
        for path in TEMPLATES
        for _, _, message in extract_from_ast(tree_of(path), babel_style=False)
    }

    assert {text: name for text, name in looked_up.items() if text not in marked()} == {}


def id_of(message: Sequence[str | None] | str | None) -> Id:
    """A counted message is looked up by two strings, any other by one."""
    strings = [message] if isinstance(message, str) else [part for part in message or () if part]
    return strings[0] if len(strings) == 1 else tuple(strings)


@pytest.mark.parametrize('kind', ErrorKind)
def test_every_failure_is_told_in_both_languages(kind: ErrorKind) -> None:
    failure = Failure(kind=kind)

    english = describe(failure, translations('en').gettext)
    russian = describe(failure, translations('ru').gettext)

    assert english.message
    assert english.hint
    assert english.message != russian.message
    assert english.hint != russian.hint


class Spoken(HTMLParser):
    """Collects the text of a page, and the attributes that are read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unspoken: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in READ_ALOUD and value]
        if tag in UNSPOKEN:
            self._unspoken.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unspoken:
            self._unspoken.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._unspoken:
            self.texts.append(' '.join(data.split()))


def left_as_written(path: Path) -> str:
    """The HTML of a template without what its expressions and `{% trans %}` put in."""
    tree = tree_of(path)
    parts: list[nodes.Block | nodes.Macro] = [*tree.find_all(nodes.Block)]
    parts += tree.find_all(nodes.Macro)
    for part in parts:
        if part.name in INSIDE_A_TAG:
            part.body = []
    return ''.join(
        node.data if isinstance(node, nodes.TemplateData) else ''
        for output in tree.find_all(nodes.Output)
        for node in output.nodes
    )


def texts_of(path: Path) -> set[str]:
    spoken = Spoken()
    spoken.feed(left_as_written(path))
    return {text for text in spoken.texts if any(letter.isalpha() for letter in text)}


def test_a_template_has_no_unmarked_words() -> None:
    unmarked = {(path.name, text) for path in TEMPLATES for text in texts_of(path)}

    assert {(name, text) for name, text in unmarked if text not in SAME_EVERYWHERE} == set()


def is_call_of(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def unmarked_errors(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls of an error whose sentence is neither `N_('…')` nor a name that was given one."""
    named = {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and is_call_of(node.value, {'N_'})
        for target in node.targets
    } | {'rule.sentence'}  # of the table in app/models, which the next test reads
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not is_call_of(node, SENTENCED):
            continue
        sentence = node.args[0]
        if not is_call_of(sentence, {'N_'}) and ast.unparse(sentence) not in named:
            yield node


def test_an_error_takes_a_marked_sentence() -> None:
    sources = {path.name: path.read_text(encoding='utf-8') for path in TOLD}

    unmarked = [
        f'{name}:{call.lineno}'
        for name, source in sources.items()
        if any(f'{error}(' in source for error in SENTENCED)
        for call in unmarked_errors(ast.parse(source))
    ]

    assert unmarked == []


@pytest.mark.parametrize('name', REQUEST_FIELDS)
def test_the_sentence_of_a_field_is_translated(name: str) -> None:
    sentence = REQUEST_FIELDS[name].sentence

    assert translations('ru').gettext(sentence) != sentence

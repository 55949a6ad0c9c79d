"""What templates, style sheets and scripts may hold, as far as a machine can tell."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_MARKUP_LETTERS = 120


def test_every_variable_of_the_style_is_defined_and_used() -> None:
    sheets = '\n'.join(path.read_text() for path in (ROOT / 'static/css').rglob('*.css'))
    drawn = (ROOT / 'templates').rglob('*.html')
    pages = '\n'.join(path.read_text(encoding='utf-8') for path in drawn)

    defined = set(re.findall(r'(--[a-z0-9-]+)\s*:', sheets + pages))
    used = set(re.findall(r'var\((--[a-z0-9-]+)', sheets))

    assert used - defined == set()
    assert defined - used == set()


def test_every_class_of_the_style_is_somewhere() -> None:
    comment, before_brace = re.compile(r'/\*.*?\*/', re.DOTALL), re.compile(r'[^{};]+(?=\{)')
    sheets = comment.sub(
        '', '\n'.join(path.read_text() for path in (ROOT / 'static/css').rglob('*.css'))
    )
    drawn = [*(ROOT / 'templates').rglob('*.html'), *(ROOT / 'static/js').rglob('*.js')]
    words = {
        word for path in drawn for word in re.findall(r'[\w-]+', path.read_text(encoding='utf-8'))
    }

    named = set(re.findall(r'\.([a-z][\w-]*)', ' '.join(before_brace.findall(sheets))))

    assert named - words == set()


def test_no_template_lets_markup_through() -> None:
    way = re.compile(r'\|\s*(safe|xmlattr)|autoescape\s+false|\son[a-z]+=|<script>')

    let_through = {
        path.name: found[0]
        for path in (ROOT / 'templates').rglob('*.html')
        if (found := way.search(path.read_text(encoding='utf-8')))
    }

    assert let_through == {}


def test_a_page_that_is_drawn_late_has_what_it_waits_for() -> None:
    expecting = {
        path.name: (re.findall(r'rel="expect" href="#([^"]+)"', text), text)
        for path in (ROOT / 'templates').rglob('*.html')
        if 'rel="expect"' in (text := path.read_text(encoding='utf-8'))
    }

    assert set(expecting) == {'create.html', 'generations.html'}
    assert all(f' id="{place}"' in text for places, text in expecting.values() for place in places)


def test_no_line_of_a_template_or_a_style_sheet_is_long() -> None:
    written = [*(ROOT / 'templates').rglob('*.html'), *(ROOT / 'static/css').rglob('*.css')]

    too_long = [
        f'{path.relative_to(ROOT).as_posix()}:{number}'
        for path in written
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1)
        if len(line) > MOST_MARKUP_LETTERS
    ]

    assert too_long == []


def test_no_script_names_an_address_from_the_root() -> None:
    named = {
        path.name: found
        for path in (ROOT / 'static/js').rglob('*.js')
        if (found := re.findall(r'[\'"`]/[a-z][^\'"`]*', path.read_text(encoding='utf-8')))
    }

    assert named == {}

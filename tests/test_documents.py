"""The documents: what they must name, and where their links lead."""

from __future__ import annotations

import re

from app.__main__ import KEEPING
from app.models.request import REQUEST_FIELDS
from tests.support.servers import ROOT
from tests.test_glossary import english_of, messages

# In italics, and nothing else is: pages, buttons and sentences of Easel.
QUOTED = re.compile(r'(?<!\*)\*([^*\s][^*]*)\*(?!\*)')
DOCUMENTS = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]


def test_the_documents_name_every_variable_command_and_form_field() -> None:
    config = (ROOT / 'app/config.py').read_text(encoding='utf-8')
    documents = {path.name: path.read_text(encoding='utf-8') for path in DOCUMENTS}
    everything = '\n'.join(documents.values())

    variables = set(re.findall(r"'(EASEL_[A-Z_]+)'", config))
    table = set(re.findall(r'EASEL_[A-Z_]+', documents['variables.md']))
    told = {name.removesuffix('_FILE') for name in re.findall(r'EASEL_[A-Z_]+', everything)}

    assert variables - table == set()
    assert told - variables == set()
    for command in ('generate', 'doctor', 'demo', *KEEPING):
        assert f'run.py {command}' in everything, command
    for field in REQUEST_FIELDS:
        assert re.search(rf'\b{field}\b', documents['programs.md']), field


def test_the_readme_is_short_and_every_link_of_the_documents_leads_somewhere() -> None:
    for path in DOCUMENTS:
        text = path.read_text(encoding='utf-8')
        for target, anchor in re.findall(r'\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)', text):
            linked = (path.parent / target).resolve() if target else path
            assert linked.exists(), f'{path.name}: {target}'
            if anchor:
                heads = re.findall(r'^#+ (.+)$', linked.read_text(encoding='utf-8'), re.MULTILINE)
                assert anchor in {_anchor_of(head) for head in heads}, f'{path.name}: #{anchor}'

    assert len((ROOT / 'README.md').read_text(encoding='utf-8').splitlines()) < 130


def test_the_documents_quote_the_pages_exactly() -> None:
    said = '\n'.join(english_of(message) for message in messages())

    for path in DOCUMENTS:
        for quoted in QUOTED.findall(path.read_text(encoding='utf-8')):
            for words in re.split(r' → |[…()]', ' '.join(quoted.split())):
                assert words.strip(' .,0123456789') in said, f'{path.name}: {words}'


def _anchor_of(head: str) -> str:
    """Return what a heading is linked by, as GitHub makes it."""
    return re.sub(r'[^\w\- ]', '', head.lower()).replace(' ', '-')

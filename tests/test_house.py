"""The house rules that a machine can hold: storeys, homes, sizes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / 'app').rglob('*.py'))
MOST_LINES = 300
MOST_FUNCTION_LINES = 40

# From the ground up; a module imports from lower storeys and from its own, never from above.
STOREYS = (
    ('app', 'app.errors', 'app.addresses', 'app.spelling'),
    (
        'app.log',
        'app.config',
        'app.changes',
        'app.holding',
        'app.keys',
        'app.models',
        'app.sentences',
        'app.listening',
        'app.visitors',
        'app.values',
        *('app.beneath', 'app.private', 'app.passwords', 'app.throttle', 'app.reachable'),
        'app.admission',
    ),
    (
        *('app.network', 'app.inflate', 'app.formats', 'app.incoming'),
        *('app.decoder', 'app.library', 'app.metadata'),
    ),
    ('app.dialing', 'app.outbound', 'app.images', 'app.guests'),
    ('app.providers', 'app.previews'),
    ('app.drawing', 'app.finishing', 'app.turns'),
    ('app.worker',),
    ('app.web',),
    ('app.main',),
    ('app.edge',),
    (
        *('app.serve', 'app.generate', 'app.examining', 'app.doctor'),
        *('app.checked_label', 'app.recovering', 'app.rebuild'),
    ),
    ('app.__main__',),
)
HOMES = {
    'apsw': ('app.library',),
    'httpx': ('app.outbound', 'app.providers', 'app.generate'),
    'httpcore': ('app.network', 'app.dialing', 'app.outbound', 'app.providers.nearby'),
    'pybase64': ('app.providers.base64_reader',),
    'PIL': (
        *('app.decoder.child', 'app.providers.demo'),
        *('app.metadata.reading', 'app.metadata.foreign'),
    ),
    'sd_parsers': ('app.metadata.foreign',),
    'jinja2': ('app.web.render',),
    'fastapi': ('app.web', 'app.main'),
    'starlette': ('app.web', 'app.main', 'app.providers.demo'),
    'uvicorn': ('app.serve', 'app.edge', 'app.__main__'),
    'segno': ('app.web.share',),
    'ifaddr': ('app.reachable',),
    'dotenv': ('app.config',),
    'platformdirs': ('app.config',),
}


def name_of(path: Path) -> str:
    return '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f'{node.module}.{alias.name}' for alias in node.names}
    return found


def is_within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f'{place}.') for place in places)


def storey_of(module: str) -> int:
    exact = [level for level, names in enumerate(STOREYS) if module in names]
    inside = [level for level, names in enumerate(STOREYS) if is_within(module, names[:9])]
    return (exact or inside[-1:] or [-1])[0]


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_nothing_imports_from_a_storey_above(path: Path) -> None:
    module = name_of(path)
    level = storey_of(module)

    above = {
        found
        for found in imports_of(path)
        if found.startswith('app.') and storey_of(found) > level and module != 'app.__main__'
    }

    assert level >= 0
    assert above == set()


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_every_foreign_package_stays_in_its_home(path: Path) -> None:
    module = name_of(path)

    strays = {
        found
        for found in imports_of(path)
        if found.partition('.')[0] in HOMES
        and not is_within(module, HOMES[found.partition('.')[0]])
    }

    assert strays == set()


@pytest.mark.parametrize('path', sorted((ROOT / 'app/web').glob('*.py')), ids=name_of)
def test_pages_never_import_each_other(path: Path) -> None:
    names = (
        *('create', 'gallery', 'inspector', 'install', 'servers', 'settings', 'files'),
        *('share', 'joining', 'shared', 'sign_in'),
    )
    pages = {f'app.web.{page}' for page in names}

    met = imports_of(path) & pages - {name_of(path)}

    assert met == set()


def test_only_the_config_reads_the_environment() -> None:
    readers = {
        name_of(path)
        for path in MODULES
        if re.search(r'os\.(environ|getenv)', path.read_text(encoding='utf-8'))
    }

    assert readers == {'app.config'}


def test_files_and_functions_stay_small() -> None:
    written = list(ROOT.glob('*.py'))
    for folder in ('app', 'tests', 'bench'):
        written += (ROOT / folder).rglob('*.py')
    too_long = []

    for path in written:
        text = path.read_text(encoding='utf-8')
        if text.count('\n') > MOST_LINES:
            too_long.append(f'{path.name}: {text.count(chr(10))} lines')
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MOST_FUNCTION_LINES:
                too_long.append(f'{path.name}: {node.name} has {lines} lines')

    assert too_long == []


def test_every_variable_of_the_style_is_defined_and_used() -> None:
    sheets = '\n'.join(path.read_text() for path in (ROOT / 'static/css').glob('*.css'))
    pages = '\n'.join(
        path.read_text(encoding='utf-8') for path in (ROOT / 'templates').glob('*.html')
    )

    defined = set(re.findall(r'(--[a-z0-9-]+)\s*:', sheets + pages))
    used = set(re.findall(r'var\((--[a-z0-9-]+)', sheets))

    assert used - defined == set()
    assert defined - used == set()


def test_every_partial_and_every_element_is_used() -> None:
    pages = {
        path.name: path.read_text(encoding='utf-8') for path in (ROOT / 'templates').glob('*.html')
    }
    everything = '\n'.join(pages.values()) + '\n'.join(path.read_text() for path in MODULES)

    unused = {name for name in pages if f"'{name}'" not in everything}
    elements = set(re.findall(r'<([a-z]+-[a-z-]+)[\s>{]', '\n'.join(pages.values())))
    scripts = {path.stem for path in (ROOT / 'static/js').glob('*.js')} - {
        'fragment',
        'feed',
        'feed-worker',
        'signal',
    }

    assert unused == set()
    assert elements == scripts


@pytest.mark.parametrize(
    'path', sorted((ROOT / 'templates').glob('*.html')), ids=lambda path: path.name
)
def test_no_template_lets_markup_through(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r'\|\s*(safe|xmlattr)|autoescape\s+false|\son[a-z]+=', text)
    assert '<script>' not in text


def test_readme_names_every_variable_and_command() -> None:
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    config = (ROOT / 'app/config.py').read_text(encoding='utf-8')

    variables = set(re.findall(r"'(EASEL_[A-Z_]+)'", config))
    told = set(re.findall(r'EASEL_[A-Z_]+', readme))

    assert variables - told == set()
    assert {name.removesuffix('_FILE') for name in told} - variables == set()
    for command in ('run.py', 'generate', 'demo', 'run.py test'):
        assert command in readme


@pytest.mark.parametrize(
    'path', sorted((ROOT / 'static/js').glob('*.js')), ids=lambda path: path.name
)
def test_no_script_names_an_address_from_the_root(path: Path) -> None:
    named = re.findall(r'[\'"`]/[a-z][^\'"`]*', path.read_text(encoding='utf-8'))

    assert named == []


def test_no_page_takes_a_typed_path_parameter() -> None:
    """For those FastAPI imports pydantic's first version, which costs 15 ms at the start."""
    everything = '; import sys; print([name for name in sys.modules if "pydantic.v1" in name])'

    done = subprocess.run(
        [sys.executable, '-c', f'import app.serve{everything}'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == '[]'

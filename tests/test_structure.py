"""The structure of the code, as far as a machine can hold it: imports, homes, sizes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / 'app').rglob('*.py'))
MOST_LINES = 300
MOST_FUNCTION_LINES = 40

# What each package may import besides itself, from the commands down to the ground. A package that
# is named stands for its modules and not for the packages inside it.
GROUND = ('app', 'app.errors', 'app.log', 'app.tasks')
NOUNS = ('app.models', 'app.cost', *GROUND)
NET = ('app.net', *NOUNS)
METADATA = ('app.storage.metadata', 'app.storage.metadata.foreign')
STORAGE = ('app.storage', 'app.storage.decoding', *METADATA, *NET)
SEARCH = ('app.database.search', 'app.database.sqlite')
TABLES = ('app.database.gallery', 'app.database.acts', *SEARCH)
DATABASE = ('app.database', *TABLES, *STORAGE)
CONFIG = ('app.config', 'app.env', 'app.messages', *DATABASE)
CORE = ('app.providers.core', 'app.demo', *CONFIG)
RESPONSE = ('app.providers.response', *CORE)
TRANSPORT = ('app.providers.transport', *RESPONSE)
DIALECTS = ('app.providers.dialects', *TRANSPORT)
DISCOVERY = ('app.providers.discovery', *DIALECTS)
PROVIDERS = ('app.providers', 'app.providers.edits', *DISCOVERY)
SERVICES = (
    *('app.gallery', 'app.recovery', 'app.generation', 'app.editing', 'app.access'),
    'app.maintenance',
)
WEB = ('app.web', *SERVICES, *PROVIDERS)
SECURITY = ('app.web.security', *WEB)
VIEWS = ('app.web.views', *SECURITY)
DELIVERY = ('app.web.delivery', 'app.web.receiving', *VIEWS)
MAY_IMPORT = {
    'app.__main__': ('app.cli', 'app.server', 'app.main', *PROVIDERS),
    'app.cli': ('app.server', 'app.main', *DELIVERY),
    'app.server': ('app.access', *SECURITY),
    'app.main': ('app.web.pages', *DELIVERY),
    'app.web.pages': DELIVERY,
    'app.web.pages.gallery': DELIVERY,
    'app.web.delivery': DELIVERY,
    'app.web.receiving': DELIVERY,
    'app.web.views': VIEWS,
    'app.web.security': SECURITY,
    'app.web': WEB,
    'app.gallery': ('app.recovery', 'app.generation', 'app.editing', 'app.maintenance', *PROVIDERS),
    'app.recovery': ('app.generation', 'app.editing', 'app.maintenance', *PROVIDERS),
    'app.generation': ('app.editing', *PROVIDERS),
    'app.editing': DATABASE,
    'app.access': CONFIG,
    'app.maintenance': CONFIG,
    'app.providers': PROVIDERS,
    'app.providers.edits': DISCOVERY,
    'app.providers.discovery': DISCOVERY,
    'app.providers.dialects': DIALECTS,
    'app.providers.transport': TRANSPORT,
    'app.providers.response': RESPONSE,
    'app.providers.core': CORE,
    'app.demo': ('app.demo.painter',),
    'app.demo.painter': (),
    'app.config': ('app.env', 'app.net', *NOUNS),
    'app.env': NET,
    'app.messages': NET,
    'app.database': (*TABLES, *NOUNS),
    'app.database.gallery': (*TABLES, *NOUNS),
    'app.database.acts': ('app.database.sqlite', *NOUNS),
    'app.database.search': ('app.database.sqlite', *NOUNS),
    'app.database.sqlite': NOUNS,
    'app.storage': ('app.storage.decoding', 'app.storage.metadata', *NOUNS),
    'app.storage.decoding': ('app.storage', 'app.storage.metadata', *NOUNS),
    'app.storage.metadata': ('app.storage.metadata.foreign', *NOUNS),
    'app.storage.metadata.foreign': NOUNS,
    'app.net': NOUNS,
    'app.models': ('app.cost', 'app.errors'),
    'app.tasks': ('app.log',),
    **dict.fromkeys(('app.cost', 'app.errors', 'app.log'), ()),
}
DECODING = ('decoder_child', 'colours', 'shown', 'masks', 'sent_pictures', 'protected')
HOMES = {
    'apsw': ('app.database',),
    'Stemmer': ('app.database.search.vocabulary',),
    'httpx': ('app.net', 'app.providers', 'app.cli.generate', 'app.cli.import_there'),
    'httpcore': ('app.net', 'app.providers.discovery.local_servers'),
    'pybase64': ('app.providers.response.base64_stream',),
    'PIL': (
        *(f'app.storage.decoding.{name}' for name in DECODING),
        *(f'app.storage.metadata.{name}' for name in ('read', 'other_tools', 'jpeg', 'dates')),
        *('app.storage.metadata.foreign.texts', 'app.demo'),
    ),
    'sd_parsers': ('app.storage.metadata.other_tools',),
    'jinja2': ('app.web.templates', 'app.web.counts'),
    'fastapi': ('app.web', 'app.main'),
    'starlette': ('app.web', 'app.main', 'app.demo'),
    'uvicorn': ('app.cli.serve', 'app.cli.demo', 'app.server'),
    'segno': ('app.web.views.qr_code',),
    'ifaddr': ('app.net.lan',),
    'dotenv': ('app.env',),
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


def package_of(module: str) -> str:
    """Return the package that a module stands in; modules of the root stand for themselves."""
    is_package = (ROOT / module.replace('.', '/')).is_dir()
    return module if is_package or module.count('.') == 1 else module.rpartition('.')[0]


def own_imports(path: Path) -> set[str]:
    """Return the modules of Easel that a file imports, under their own names."""
    names = {name_of(module) for module in MODULES}
    found = {name for name in imports_of(path) if name == 'app' or name.startswith('app.')}
    return {name if name in names else name.rpartition('.')[0] for name in found}


@pytest.mark.parametrize('path', MODULES, ids=name_of)
def test_a_package_imports_only_what_its_row_names(path: Path) -> None:
    own = package_of(name_of(path))

    met = {name for name in own_imports(path) if package_of(name) not in (own, 'app')}

    assert (
        own == 'app' or {name for name in met if package_of(name) not in MAY_IMPORT[own]} == set()
    )


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name_of(path): own_imports(path) - {name_of(path), 'app'} for path in MODULES}

    assert list(TopologicalSorter(graph).static_order())


def test_no_folder_holds_more_modules_than_are_read_at_a_glance() -> None:
    folders = {path.parent for path in MODULES}
    held = {
        folder.relative_to(ROOT).as_posix(): len([*folder.glob('*.py')]) - 1 for folder in folders
    }

    crowded = {name: n for name, n in held.items() if n > (9 if name == 'app' else 12)}

    assert crowded == {}


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


@pytest.mark.parametrize('path', sorted((ROOT / 'app/web/pages').glob('*.py')), ids=name_of)
def test_pages_never_import_each_other(path: Path) -> None:
    pages = {name for name in imports_of(path) if name.startswith('app.web.pages.')}

    assert pages == set()


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


def test_every_partial_and_every_element_is_used() -> None:
    pages = {
        path.relative_to(ROOT / 'templates').as_posix(): path.read_text(encoding='utf-8')
        for path in (ROOT / 'templates').rglob('*.html')
    }
    everything = '\n'.join(pages.values()) + '\n'.join(path.read_text() for path in MODULES)

    unused = {name for name in pages if f"'{name}'" not in everything}
    elements = set(re.findall(r'<([a-z]+-[a-z-]+)[\s>{]', '\n'.join(pages.values())))
    scripts = {path.stem for path in (ROOT / 'static/js').glob('*.js')} - {
        *('beside', 'feed', 'feed-worker', 'form-errors', 'fragment', 'kept-gallery', 'notify'),
        *('picture-acts', 'picture-pages', 'storage', 'stray-drop', 'subscribe', 'time-zone'),
        *('view-transition', 'chosen', 'lasso', 'long-press', 'selection-acts', 'combobox'),
        *('slides', 'wall-near', 'wall-parts', 'wall-place', 'dropped-files', 'after-acts'),
    }

    assert unused == set()
    assert elements == scripts


def test_no_page_takes_a_typed_path_parameter_and_none_decodes() -> None:
    """For those FastAPI imports pydantic's first version, 15 ms; pictures are the child's."""
    everything = 'import sys; print([n for n in sys.modules if "pydantic.v1" in n or n == "PIL"])'

    done = subprocess.run(
        [sys.executable, '-c', f'import app.cli.serve, app.web.pages.gallery.in_out; {everything}'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == '[]'

"""What Easel stands on and what is in the repository: versions, secrets, ways around escaping."""

from __future__ import annotations

import re
import socket
import subprocess
import tomllib
from importlib.metadata import version

import apsw
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from app.database.sqlite.opening import OLDEST_SAFE_SQLITE
from tests.support.servers import ROOT, Easel

# Below these there are known holes: CVE-2026-48710 and others, CVE-2026-42561, CVE-2025-43859,
# CVE-2026-59204 and others, CVE-2025-27516, and SQLite's WAL-reset bug.
FLOORS = {
    'starlette': '1.3.1',
    'python-multipart': '0.0.31',
    'h11': '0.16',
    'pillow': '12.3',
    'jinja2': '3.1.6',
    'apsw': '3.51.3',
}
SECRETS = re.compile(
    r'-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}'
    r'|\bgithub_pat_\w{30,}|\bsk-(?:proj-|ant-)?[A-Za-z0-9]{24,}|\bxox[baprs]-[A-Za-z0-9-]{10,}'
    r'|\bAIza[0-9A-Za-z_-]{35}|\bhf_[A-Za-z]{30,}|\bglpat-[\w-]{20}|\bnpm_[A-Za-z0-9]{30,}'
    r'|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}'
)
SECRET_NAMES = re.compile(r'(^|/)(\.env|id_rsa|id_ed25519|[^/]+\.(pem|key|p12|pfx))$')
MARKUP = re.compile(
    r'\bMarkup\(|from_string\(|\|\s*safe\b|xmlattr|autoescape\s*[=(]?\s*(False|false)'
    r'|HTMLResponse\(f|\beval\(|\bexec\(|import pickle|yaml\.load\('
)
BY_URL = re.compile(r'\brequest\.(url|base_url)\b|\burl_for\(')
RUNNING = re.compile(
    r'\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function'
    r"|set(Timeout|Interval)\(['\"`]|(window|globalThis|document)\.addEventListener\('message'"
    r"|^addEventListener\('message'|window\.onmessage",
    re.MULTILINE,
)


def tracked() -> list[str]:
    if not (ROOT / '.git').exists():
        pytest.skip('this is no checkout')
    command = ['git', 'ls-files', '-z']
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split('\0') if name and (ROOT / name).is_file()]


def found(pattern: re.Pattern[str], *folders: str, kind: str) -> dict[str, list[str]]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob(kind))]
    hits = {path.name: pattern.findall(path.read_text(encoding='utf-8')) for path in paths}
    assert len(hits) > 10
    return {name: hit for name, hit in hits.items() if hit}


@pytest.mark.parametrize('package', FLOORS)
def test_row_92_what_is_installed_is_not_below_its_floor(package: str) -> None:
    assert Version(version(package)) >= Version(FLOORS[package])


@pytest.mark.parametrize('package', FLOORS)
def test_row_92_nothing_below_its_floor_can_be_installed(package: str) -> None:
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
    required = {one.name: one for one in map(Requirement, project['dependencies'])}

    least = [Version(one.version) for one in required[package].specifier if one.operator == '>=']

    assert len(least) == 1
    assert least[0] >= Version(FLOORS[package])


def test_row_92_sqlite_is_one_that_loses_nothing() -> None:
    running = tuple(int(part) for part in apsw.sqlite_lib_version().split('.'))

    assert OLDEST_SAFE_SQLITE == (3, 51, 3)
    assert running >= OLDEST_SAFE_SQLITE


def test_tob_20_no_secret_is_in_the_repository() -> None:
    names = tracked()

    texts = {name: (ROOT / name).read_bytes().decode('utf-8', 'replace') for name in names}

    assert len(names) > 200
    assert [name for name in names if SECRET_NAMES.search(name)] == []
    assert {name for name, text in texts.items() if SECRETS.search(text)} == set()


def test_cve_2024_22195_no_code_goes_around_escaping() -> None:
    assert found(MARKUP, 'app', kind='*.py') == {}
    assert found(MARKUP, 'templates', kind='*.html') == {}


def test_cve_2026_48710_no_decision_reads_an_address_that_a_host_header_made() -> None:
    assert found(BY_URL, 'app/web', kind='*.py') == {}


def test_cve_2026_54007_no_script_takes_text_for_code_or_listens_to_other_windows() -> None:
    assert set(found(RUNNING, 'static/js', kind='*.js')) <= {'fragment.js'}


@pytest.mark.parametrize('request_line', ['GET / HTTP/1.1', 'GET /nope HTTP/1.1', 'nonsense'])
def test_row_82_no_answer_names_its_server(easel: Easel, request_line: str) -> None:
    port = int(easel.url.rpartition(':')[2])
    with socket.create_connection(('127.0.0.1', port), timeout=20) as connection:
        head = f'{request_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n'
        connection.sendall(head.encode())
        answer = b''.join(iter(lambda: connection.recv(65_536), b'')).partition(b'\r\n\r\n')[0]

    assert answer.startswith(b'HTTP/1.1 ')
    assert not re.search(rb'(?i)^(server|x-powered-by|via):', answer, re.MULTILINE)
    assert not re.search(rb'(?i)uvicorn|h11|httptools|starlette|python', answer)

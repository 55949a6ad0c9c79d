"""run.py: old Pythons, the checks, and what it hands over."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import run
from tests.test_run import FakeMachine, root, stamp_of, start

RUN_PY = Path(run.__file__)
POSIX_ONLY = pytest.mark.skipif(sys.platform == 'win32', reason='POSIX permissions and links')


__all__ = ['root']


@POSIX_ONLY
@pytest.mark.skipif(
    hasattr(os, 'geteuid') and os.geteuid() == 0, reason='needs a user who is not root'
)
def test_a_folder_without_write_permission_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root.chmod(0o555)

    code = start(FakeMachine(), root)

    root.chmod(0o755)
    assert code == 1
    assert capsys.readouterr().err.startswith(f"Easel can't write to {root / '.venv'}: ")


@pytest.mark.parametrize('version', [(2, 7), (3, 8), (3, 10)])
def test_an_old_python_is_refused_by_number(version: tuple[int, int]) -> None:
    found = '.'.join(map(str, version))

    with pytest.raises(run.SetupError) as refusal:
        run.refuse_old_python(version)

    assert f'Easel needs Python 3.11 or newer; this is {found} ' in str(refusal.value)


def test_an_old_python_can_read_run_py() -> None:
    source = RUN_PY.read_text('utf-8')

    tree = ast.parse(source, feature_version=(3, 8))

    assert tree.body


def test_the_checks_run_in_order_with_the_arguments_for_pytest(root: Path) -> None:
    start(FakeMachine(), root, 'test')
    machine = FakeMachine()

    code = start(machine, root, 'test', '-k', 'gallery')

    commands = [' '.join(command) for command in machine.commands]
    spread = ' '.join(run.SPREAD)
    assert code == 0
    assert commands[:2] == ['-m ruff format --check .', '-m ruff check .']
    assert set(commands[2:4]) == {'-m mypy', f'-m pytest {spread} -n 3 -m not browser -k gallery'}
    assert commands[4:] == [f'-m pytest {spread} -n 3 -m browser -k gallery']
    assert machine.started == []


@pytest.mark.parametrize(
    ('failing', 'expected', 'passes'),
    [
        ({'mypy': 1}, 1, 1),
        ({'not browser': 2}, 2, 2),
        ({'-m browser': 3}, 3, 2),
        ({'pytest': run.NO_TESTS}, run.NO_TESTS, 2),
        ({'-m browser': run.NO_TESTS}, 0, 2),
    ],
)
def test_both_passes_run_unless_the_types_are_wrong(
    root: Path, failing: dict[str, int], expected: int, passes: int
) -> None:
    start(FakeMachine(), root, 'test')
    machine = FakeMachine(failing=failing)

    code = start(machine, root, 'test')

    assert code == expected
    assert machine.count('pytest') == passes


def test_the_first_failing_check_ends_the_run_with_its_code(root: Path) -> None:
    start(FakeMachine(), root, 'test')
    machine = FakeMachine(failing={'ruff check': 3})

    code = start(machine, root, 'test')

    assert code == 3
    assert machine.commands[-1] == ['-m', 'ruff', 'check', '.']


def test_constraints_that_pip_refuses_give_way_to_the_floors(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = FakeMachine(failing={'--constraint': 1})

    code = start(machine, root)

    assert code == 0
    assert machine.commands[-1][-2:] == ['-e', '.']
    assert stamp_of(root).exists()
    assert capsys.readouterr().err == (
        'Installing Easel …\npip refuses constraints.txt; installing within the limits of '
        'pyproject.toml instead …\n'
    )


def test_without_constraints_the_floors_decide(root: Path) -> None:
    (root / 'constraints.txt').unlink()
    machine = FakeMachine()

    start(machine, root)

    assert machine.count('pip') == 1
    assert machine.commands[-1][-2:] == ['-e', '.']


def test_a_real_process_reports_its_code_and_writes_into_the_log(tmp_path: Path) -> None:
    log = tmp_path / 'log'
    program = 'import os; print(os.environ["PIP_DISABLE_PIP_VERSION_CHECK"]); raise SystemExit(7)'

    code = run.run_command([sys.executable, '-c', program], tmp_path, log)

    assert code == 7
    assert log.read_text('utf-8').split() == ['1']


@POSIX_ONLY
def test_an_installed_easel_is_started_from_any_folder_with_arguments_and_exit_code(
    root: Path, tmp_path: Path
) -> None:
    shutil.copy(RUN_PY, root / 'run.py')
    venv.create(root / '.venv', symlinks=True)
    (site_packages,) = (root / '.venv' / 'lib').glob('python*/site-packages')
    (site_packages / 'easel.pth').write_text(f'{root}\n', 'utf-8')
    program = 'import pathlib, sys\nprint(sys.argv[1:], pathlib.Path.cwd())\nsys.exit(7)\n'
    for folder, text in ((root, program), (tmp_path, 'raise SystemExit("not ours")')):
        (folder / 'app').mkdir()
        (folder / 'app' / '__init__.py').touch()
        (folder / 'app' / '__main__.py').write_text(text, 'utf-8')
    stamp = run.stamp_text(root, run.digest_of(root), run.interpreter_of(root), run.PLAIN)
    stamp_of(root).write_text(stamp, 'utf-8')

    done = subprocess.run(
        [sys.executable, str(root / 'run.py'), 'generate', 'a red fox', '-n', '2'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )

    assert done.returncode == 7
    assert done.stdout == f"['generate', 'a red fox', '-n', '2'] {tmp_path}\n"
    assert done.stderr == ''

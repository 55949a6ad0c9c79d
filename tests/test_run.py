"""run.py: when it installs, what it says when it cannot, and what it hands over."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import run

if TYPE_CHECKING:
    from collections.abc import Callable

RUN_PY = Path(run.__file__)
POSIX_ONLY = pytest.mark.skipif(sys.platform == 'win32', reason='POSIX permissions and links')


@dataclass
class FakeMachine:
    """Stands for every process; `failing` maps a part of a command to its exit code."""

    failing: dict[str, int] = field(default_factory=dict)
    log_text: str = ''
    refusal: BaseException | None = None
    commands: list[list[str]] = field(default_factory=list)
    started: list[list[str]] = field(default_factory=list)

    def run(self, command: list[str], folder: Path, log: Path | None) -> int:
        self.commands.append(command[1:])
        for word, code in self.failing.items():
            if word in ' '.join(command[1:]):
                if log is not None:
                    log.write_text(self.log_text, 'utf-8')
                return code
        if self.refusal is not None:
            raise self.refusal
        if command[1:3] == ['-m', 'venv']:
            place_interpreter(folder)
        return 0

    def hand_over(self, command: list[str]) -> int:
        self.started.append(command)
        return 0

    def count(self, word: str) -> int:
        return sum(word in command for command in self.commands)


def place_interpreter(root: Path) -> None:
    """Leave what `python -m venv` leaves, as far as run.py looks at it."""
    python = run.python_of(root)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.symlink_to(sys.executable)
    configuration = f'home = {Path(sys.executable).parent}\nversion = 3.11.7\n'
    (root / '.venv' / 'pyvenv.cfg').write_text(configuration, 'utf-8')


def stamp_of(root: Path) -> Path:
    return root / '.venv' / run.STAMP


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / 'folder with space'
    folder.mkdir()
    (folder / 'pyproject.toml').write_text('[project]\nname = "easel"\n', 'utf-8')
    (folder / 'constraints.txt').write_text('h11==0.16\n', 'utf-8')
    return folder


def start(machine: FakeMachine, root: Path, *arguments: str) -> int:
    return run.main(list(arguments), root, machine.run, machine.hand_over)


def test_the_first_start_makes_the_environment_installs_and_starts_easel(root: Path) -> None:
    machine = FakeMachine()

    code = start(machine, root, 'doctor', '--json')

    assert code == 0
    assert [command[:2] for command in machine.commands] == [
        ['-c', run.HAS_VENV],
        ['-m', 'venv'],
        ['-m', 'pip'],
    ]
    assert machine.commands[-1][-4:] == ['-e', '.', '--constraint', 'constraints.txt']
    assert machine.started == [[str(run.python_of(root)), '-P', '-m', 'app', 'doctor', '--json']]


def test_a_start_without_changes_runs_no_process_and_writes_nothing(root: Path) -> None:
    start(FakeMachine(), root)
    before = {path: path.stat().st_mtime_ns for path in root.rglob('*')}
    machine = FakeMachine()

    start(machine, root)

    assert machine.commands == []
    assert len(machine.started) == 1
    assert {path: path.stat().st_mtime_ns for path in root.rglob('*')} == before


def change_project(root: Path) -> None:
    (root / 'pyproject.toml').write_text('[project]\nname = "other"\n', 'utf-8')


def change_constraints(root: Path) -> None:
    (root / 'constraints.txt').write_text('h11==0.17\n', 'utf-8')


def remove_python(root: Path) -> None:
    run.python_of(root).unlink()
    run.python_of(root).symlink_to(root / 'removed' / 'python3.11')


def remove_configuration(root: Path) -> None:
    (root / '.venv' / 'pyvenv.cfg').unlink()


def remove_home(root: Path) -> None:
    (root / '.venv' / 'pyvenv.cfg').write_text(f'home = {root / "removed"}\n', 'utf-8')


@pytest.mark.parametrize(
    ('change', 'environments'),
    [
        *((change_project, 0), (change_constraints, 0)),
        *((remove_python, 1), (remove_configuration, 1), (remove_home, 1)),
    ],
)
def test_what_changed_below_is_installed_again(
    root: Path, change: Callable[[Path], None], environments: int
) -> None:
    start(FakeMachine(), root)
    leftover = root / '.venv' / 'lib' / 'old.txt'
    leftover.parent.mkdir()
    leftover.touch()
    change(root)
    machine = FakeMachine()

    start(machine, root)

    assert machine.count('pip') == 1
    assert machine.count('venv') == environments
    assert leftover.exists() == (environments == 0)


@pytest.mark.parametrize(
    ('first', 'second', 'installations'), [('doctor', 'test', 1), ('test', 'doctor', 0)]
)
def test_the_dev_installation_satisfies_the_plain_one_and_not_the_other_way_round(
    root: Path, first: str, second: str, installations: int
) -> None:
    start(FakeMachine(), root, first)
    machine = FakeMachine()

    start(machine, root, second)

    assert machine.count('pip') == machine.count('.[dev]') == installations


def test_a_moved_folder_installs_again_because_the_installation_points_at_the_old_one(
    root: Path, tmp_path: Path
) -> None:
    start(FakeMachine(), root)
    moved = root.rename(tmp_path / 'moved')
    machine = FakeMachine()

    start(machine, moved)

    assert machine.count('pip') == 1


@POSIX_ONLY
def test_a_link_that_leads_to_another_python_since_an_upgrade_is_noticed(root: Path) -> None:
    start(FakeMachine(), root)
    upgraded = root / 'python3.99'
    upgraded.touch()
    run.python_of(root).unlink()
    run.python_of(root).symlink_to(upgraded)
    machine = FakeMachine(failing={run.HAS_PIP: 1})

    start(machine, root)

    assert machine.count('venv') == machine.count('pip') == 1


def test_an_interpreter_that_no_longer_starts_is_replaced_once(root: Path) -> None:
    start(FakeMachine(), root)
    machine = FakeMachine(failing={run.HAS_PIP: run.NOT_STARTED})
    answers: list[OSError | None] = [OSError(8, 'Exec format error'), None]

    def hand_over(command: list[str]) -> int:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return 5

    code = run.main([], root, machine.run, hand_over)

    assert code == 5
    assert machine.count('venv') == machine.count('pip') == 1


def test_a_failed_installation_shows_the_end_of_the_log_and_leaves_no_stamp(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = ''.join(f'line {number}\n\n' for number in range(50))
    log_text = f'{noise}WARNING: Retrying (Retry(total=4\nERROR: no such host\n[notice] pip 99\n'
    machine = FakeMachine(failing={'pip install': 1}, log_text=log_text)

    code = start(machine, root)

    lines = capsys.readouterr().err.splitlines()
    assert code == 1
    assert lines[0] == 'Installing Easel …'
    assert lines[-3:-1] == ['line 49', 'ERROR: no such host']
    assert 'Check the network and the package index' in lines[-1]
    assert len(lines) == run.TAIL_LINES + 3
    assert not stamp_of(root).exists()
    assert machine.started == []


def test_a_failed_second_installation_takes_the_old_stamp_away(root: Path) -> None:
    start(FakeMachine(), root)
    original = (root / 'pyproject.toml').read_bytes()
    (root / 'pyproject.toml').write_text('changed = 1\n', 'utf-8')
    start(FakeMachine(failing={'pip install': 1}), root)
    (root / 'pyproject.toml').write_bytes(original)
    machine = FakeMachine()

    start(machine, root)

    assert machine.count('pip') == 1


def test_a_start_during_an_installation_waits_and_installs_nothing(root: Path) -> None:
    first, second = FakeMachine(), FakeMachine()
    waiting = threading.Thread(target=start, args=(second, root))

    def run_and_start_another(command: list[str], folder: Path, log: Path | None) -> int:
        if 'pip' in command:
            waiting.start()
        return first.run(command, folder, log)

    run.main([], root, run_and_start_another, first.hand_over)
    waiting.join(timeout=5)

    assert first.count('pip') == 1
    assert second.commands == []
    assert len(second.started) == 1


@pytest.mark.parametrize(
    ('machine', 'code', 'sentence'),
    [
        (
            FakeMachine(failing={run.HAS_VENV: 1}),
            1,
            (
                'This Python has no venv package. On Debian and Ubuntu: `sudo apt install '
                f'python3.{sys.version_info.minor}-venv`.\n'
            ),
        ),
        (
            FakeMachine(refusal=PermissionError(13, 'Permission denied', '/e/.venv')),
            1,
            (
                "Easel can't write to /e/.venv. Fix the permissions of {root}, or copy that "
                'folder to a place of your own and start it there.\n'
            ),
        ),
        (FakeMachine(refusal=KeyboardInterrupt()), 130, ''),
    ],
)
def test_what_stops_a_start_is_one_sentence(
    root: Path, capsys: pytest.CaptureFixture[str], machine: FakeMachine, code: int, sentence: str
) -> None:
    expected = sentence.format(root=root)

    returned = start(machine, root)

    assert returned == code
    assert capsys.readouterr().err == expected
    assert not stamp_of(root).exists()

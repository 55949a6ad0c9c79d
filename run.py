"""Start Easel on a bare machine: make `.venv`, install into it, hand over to the program.

    python3 run.py [ARGS]              as `easel ARGS`; without ARGS it serves
    python3 run.py test [PYTEST ARGS]  formatting, lint, types, every test

Standard library only, in syntax an old Python can read: it then says one sentence about itself.
What only an installation needs is imported where it is used, so that a start costs next to nothing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

TYPE_CHECKING = False  # The name type checkers look for, without loading `typing`.
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import Popen
    from typing import IO

    # Command, working folder, log file or None for the terminal; the exit code comes back.
    Runner = Callable[[list[str], Path, Path | None], int]
    HandOver = Callable[[list[str]], int]

OLDEST = (3, 11)
# Not an environment's own interpreter: that one may be about to be removed.
BASE_PYTHON: str = getattr(sys, '_base_executable', '') or sys.executable
PLAIN, DEV = '.', '.[dev]'
PROJECT, CONSTRAINTS = 'pyproject.toml', 'constraints.txt'
LOCK, LOG, STAMP = 'install.lock', 'install.log', 'easel.stamp'
TEXT = ('utf-8', 'surrogateescape')  # A folder's name may be any bytes.
LOCK_POLL_S, STOP_TIMEOUT_S = 0.1, 10
TAIL_LINES = 10
TAIL_NOISE = ('[notice]', 'note:', 'hint:', 'WARNING: Retrying')
NOT_STARTED, INTERRUPTED = 127, 130  # As a shell says it.
SPREAD = ('--dist', 'loadfile', '--no-loadscope-reorder', '--durations', '25', '-rs')
PASSES = (('not browser', '3'), ('browser', '3'))  # each file whole in one process
NO_TESTS = 5  # As pytest says it.
HAS_VENV = 'import ensurepip, venv'
HAS_PIP = f'import pip, sys; sys.exit(sys.version_info < {OLDEST})'


class SetupError(Exception):
    """Easel cannot be started here; the text is one sentence for a person."""


def main(arguments: list[str], root: Path, run: Runner, hand_over: HandOver) -> int:
    try:
        refuse_old_python((sys.version_info[0], sys.version_info[1]))
        if arguments[:1] == ['test']:
            ensure_installed(root, DEV, run)
            return check_everything(root, arguments[1:], run)
        ensure_installed(root, PLAIN, run)
        return start(root, arguments, run, hand_over)
    except SetupError as error:
        say(str(error))
    except OSError as error:
        say(sentence_for(error, root))
    except KeyboardInterrupt:
        return INTERRUPTED
    return 1


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def refuse_old_python(version: tuple[int, int]) -> None:
    if version < OLDEST:
        needed, found = ('.'.join(map(str, pair)) for pair in (OLDEST, version))
        sentence = f'Easel needs Python {needed} or newer; this is {found} ({sys.executable}).'
        raise SetupError(sentence)


def sentence_for(error: OSError, root: Path) -> str:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        place = error.filename or root / '.venv'
        cure = f'Fix the permissions of {root}, or copy that folder to a place of your own'
        return f"Easel can't write to {place}. {cure} and start it there."
    return f"Easel couldn't be set up in {root}: {error}."


def python_of(root: Path) -> Path:
    """Name the environment's interpreter, unresolved: the link is what selects the environment."""
    if sys.platform == 'win32':
        return root / '.venv' / 'Scripts' / 'python.exe'
    return root / '.venv' / 'bin' / 'python'


def ensure_installed(root: Path, target: str, run: Runner) -> None:
    if is_installed(root, target):
        return
    (root / '.venv').mkdir(exist_ok=True)
    with locked(root / '.venv' / LOCK):
        if not is_installed(root, target):
            install(root, target, run)


def is_installed(root: Path, target: str) -> bool:
    """Compare the stamp with what is there now; the dev installation holds the plain one."""
    try:
        found = (root / '.venv' / STAMP).read_text(*TEXT)
    except FileNotFoundError:
        return False
    project, interpreter = digest_of(root), interpreter_of(root)
    expected = [stamp_text(root, project, interpreter, kind) for kind in (target, DEV)]
    return interpreter != '' and found in expected


def interpreter_of(root: Path) -> str:
    """Describe the program behind the environment's interpreter; empty when it is gone.

    A link such as `/usr/bin/python3` leads elsewhere after an upgrade, hence the resolved name. On
    Windows there is no link, but the folder of the Python it came from (`home`) can be gone.
    """
    try:
        lines = (root / '.venv' / 'pyvenv.cfg').read_text(*TEXT).splitlines()
    except FileNotFoundError:
        return ''
    settings = {key.strip(): value.strip() for key, _, value in (s.partition('=') for s in lines)}
    if not python_of(root).exists() or not Path(settings.get('home', '')).is_dir():
        return ''
    return python_of(root).resolve().name + ' ' + settings.get('version', '')


def digest_of(root: Path) -> str:
    project, constraints = root / PROJECT, root / CONSTRAINTS
    if not project.exists():
        raise SetupError(f"{project} is missing: run.py must stay in Easel's folder.")
    tested = constraints.read_bytes() if constraints.exists() else b''
    return hashlib.sha256(project.read_bytes() + b'\0' + tested).hexdigest()


def stamp_text(root: Path, project: str, interpreter: str, target: str) -> str:
    """Write down what an installation depends on; the folder, because `pip -e` points at it."""
    return '\n'.join([project, interpreter, str(root), target, ''])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other starts from installing meanwhile; the system frees the lock of a dead process."""
    with path.open('a') as lock:
        if not takes(lock):
            say('Easel is already being installed by another start; waiting for it …')
            while not takes(lock):
                time.sleep(LOCK_POLL_S)
        yield


def takes(lock: IO[str]) -> bool:
    try:
        if sys.platform == 'win32':
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # What POSIX and Windows say of a held lock.
        return False
    return True


def install(root: Path, target: str, run: Runner) -> None:
    """Install `target` into `.venv`; the stamp goes first and comes back last."""
    venv, python = root / '.venv', str(python_of(root))
    (venv / STAMP).unlink(missing_ok=True)
    (venv / LOG).write_bytes(b'')
    project = digest_of(root)
    works = interpreter_of(root) and run([python, '-c', HAS_PIP], root, venv / LOG) == 0
    if not works and run([BASE_PYTHON, '-c', HAS_VENV], root, venv / LOG) != 0:
        cure = 'sudo apt install python{}.{}-venv'.format(*sys.version_info)  # Debian splits it.
        raise SetupError(f'This Python has no venv package. On Debian and Ubuntu: `{cure}`.')
    say('Installing Easel …')
    if not works:
        empty(venv)
        if run([BASE_PYTHON, '-m', 'venv', str(venv)], root, venv / LOG) != 0:
            show_end_of(venv / LOG)
            raise SetupError(f"Python couldn't create {venv}; the lines above say why.")
    if not install_packages(root, target, run):
        show_end_of(venv / LOG)
        raise SetupError(
            "Easel couldn't be installed. Check the network and the package index; pip's "
            f'full output is in {venv / LOG}.'
        )
    fresh = venv / (STAMP + '.new')
    fresh.write_text(stamp_text(root, project, interpreter_of(root), target), *TEXT)
    fresh.replace(venv / STAMP)


def install_packages(root: Path, target: str, run: Runner) -> bool:
    """Install what was tested, or where pip refuses that, what the floors allow."""
    pip = [str(python_of(root)), '-m', 'pip', 'install', '--progress-bar', 'off', '-e', target]
    log = root / '.venv' / LOG
    if (root / CONSTRAINTS).exists():
        if run([*pip, '--constraint', CONSTRAINTS], root, log) == 0:
            return True
        say(f'pip refuses {CONSTRAINTS}; installing within the limits of {PROJECT} instead …')
    return run(pip, root, log) == 0


def empty(venv: Path) -> None:
    """Remove what an earlier environment left, except the files this run holds open."""
    import shutil

    for path in venv.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in (LOCK, LOG):
            path.unlink()


def show_end_of(log: Path) -> None:
    lines = map(str.rstrip, log.read_text('utf-8', 'replace').splitlines())
    meant = [line for line in lines if line and not line.lstrip().startswith(TAIL_NOISE)]
    say('\n'.join(meant[-TAIL_LINES:]))


def start(root: Path, arguments: list[str], run: Runner, hand_over: HandOver) -> int:
    """Become the program; an interpreter that no longer starts is replaced once."""
    # -P: an `app` folder where the person happens to stand is not ours.
    command = [str(python_of(root)), '-P', '-m', 'app', *arguments]
    try:
        return hand_over(command)
    except OSError:
        (root / '.venv' / STAMP).unlink(missing_ok=True)
        ensure_installed(root, PLAIN, run)
        return hand_over(command)


def check_everything(root: Path, arguments: list[str], run: Runner) -> int:
    """Run the checks, the types beside the first tests; a browser starts when nothing else runs."""
    from concurrent.futures import ThreadPoolExecutor

    python = str(python_of(root))
    for check in (['ruff', 'format', '--check', '.'], ['ruff', 'check', '.']):
        code = run([python, '-m', *check], root, None)
        if code != 0:
            return code
    pytest = [python, '-m', 'pytest', *SPREAD]
    first, second = ([*pytest, '-n', workers, '-m', kind, *arguments] for kind, workers in PASSES)
    with ThreadPoolExecutor(1) as beside:
        types = beside.submit(run, [python, '-m', 'mypy'], root, None)
        codes = [run(first, root, None)]
    if types.result() != 0:
        return types.result()
    codes.append(run(second, root, None))
    return next((code for code in codes if code not in (0, NO_TESTS)), min(codes))


def run_command(command: list[str], folder: Path, log: Path | None) -> int:
    from subprocess import DEVNULL, Popen

    if log is None:
        env = os.environ | {'PYTHONDONTWRITEBYTECODE': ''}  # Tests start Python a hundred times.
        return finished(Popen(command, cwd=folder, env=env))
    # A `user = true` in somebody's pip.conf would make pip refuse an environment.
    env = os.environ | {'PIP_DISABLE_PIP_VERSION_CHECK': '1', 'PIP_NO_INPUT': '1', 'PIP_USER': '0'}
    with log.open('ab') as out:
        try:
            child = Popen(command, cwd=folder, env=env, stdin=DEVNULL, stdout=out, stderr=out)
        except OSError as error:
            out.write(f'{error}\n'.encode())
            return NOT_STARTED
        return finished(child)


def finished(child: Popen[bytes]) -> int:
    """Wait for the exit code, as a shell counts it; Ctrl-C reached the child as well."""
    from subprocess import TimeoutExpired

    try:
        code = child.wait()
    except KeyboardInterrupt:
        with suppress(TimeoutExpired):
            child.wait(STOP_TIMEOUT_S)
        child.kill()
        raise
    return code if code >= 0 else 128 - code


def hand_over(command: list[str]) -> int:
    """Become `command`; on Windows, which cannot, wait for it and return its exit code."""
    if sys.platform != 'win32':
        os.execv(command[0], command)  # noqa: S606  (no shell is the point)
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The program hears Ctrl-C too, and decides.
    return subprocess.call(command)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent, run_command, hand_over))

"""One process at a time holds a data folder, and a crash lets it go."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.storage.lock import HOLDER, Held, Holder, announce, holder_of, holding, why_unusable

ROOT = Path(__file__).resolve().parent.parent
HOLDS = """
import sys
from pathlib import Path
from app.storage.lock import announce, holding
with holding(Path(sys.argv[1])):
    announce(Path(sys.argv[1]), 'http://localhost:8484/', 8484)
    print('held', flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold the folder, announced, until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLDS, str(data)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == 'held\n'
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def mask() -> Iterator[None]:
    """Put back the process's file mask, which holding a folder narrows."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


def refusal_of(data: Path) -> Holder:
    with pytest.raises(Held) as caught, holding(data):
        pass
    return caught.value.holder


def test_a_second_process_is_refused_and_told_who_holds(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        holder = refusal_of(tmp_path)

    assert holder == Holder(process.pid, 'http://localhost:8484/', 8484)


def test_a_crash_lets_the_folder_go(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        process.kill()
        process.wait()

        with holding(tmp_path):
            held = True

    assert held


def test_ending_lets_the_folder_go_and_takes_the_note_away(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        process.communicate('')

    assert process.returncode == 0
    assert not (tmp_path / HOLDER).exists()
    with holding(tmp_path):
        pass


def test_one_that_has_not_said_where_it_listens_is_not_taken_for_its_predecessor(
    tmp_path: Path,
) -> None:
    with another_process(tmp_path) as crashed:
        crashed.kill()
        crashed.wait()

    with holding(tmp_path):
        holder = refusal_of(tmp_path)

    assert holder == Holder(0, '', 0)


def test_an_error_within_lets_the_folder_go(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), holding(tmp_path):
        raise RuntimeError

    with holding(tmp_path):
        pass


def test_the_folder_is_made_and_is_for_this_user_alone(tmp_path: Path) -> None:
    data = tmp_path / 'deep' / 'data'

    with holding(data):
        announce(data, 'http://localhost:1/', 1)
        modes = [path.stat().st_mode & 0o077 for path in (data, *data.iterdir())]

    assert modes == [0] * len(modes)


@pytest.mark.parametrize(
    'text',
    ['', '{', '[]', '7', '{"pid": 1}', '{"pid": "x", "url": "", "port": 1}', '\u00e9', 'null'],
)
def test_a_damaged_note_tells_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / HOLDER).write_text(text, encoding='utf-8')

    assert holder_of(tmp_path) == Holder(0, '', 0)


def test_a_folder_that_can_not_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('in the way')

    with pytest.raises(OSError), holding(tmp_path / 'file' / 'data'):
        pass


@pytest.mark.skipif(sys.platform == 'win32', reason='POSIX owners')
def test_a_folder_of_somebody_else_is_told_with_both_cures(tmp_path: Path) -> None:
    theirs, user = Path('/'), os.geteuid()
    if user == 0:
        theirs = tmp_path
        os.chown(theirs, 12345, 12345)
    owner = theirs.stat().st_uid

    told = why_unusable(theirs, PermissionError(errno.EACCES, 'Permission denied', str(theirs)))

    assert f'runs as user {user}' in told
    assert f'belongs to user {owner}' in told
    assert f'`chown -R {user}`' in told
    assert f'`--user {owner}`' in told
    assert '\n' not in told


@pytest.mark.parametrize(
    'error',
    [
        OSError(errno.EROFS, 'Read-only file system'),
        PermissionError(errno.EACCES, 'Permission denied', '/nowhere/at/all'),
    ],
)
def test_another_reason_is_told_without_a_cure(error: OSError, tmp_path: Path) -> None:
    told = why_unusable(tmp_path, error)

    assert told == f"The data folder {tmp_path} can't be used: {error.strerror}."


@pytest.mark.skipif(sys.platform == 'win32', reason='needs flock')
def test_a_disk_without_locks_is_not_taken_for_a_locked_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int, __: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr('fcntl.flock', refuse)

    with pytest.raises(OSError, match='locks') as caught, holding(tmp_path):
        pass

    assert os.strerror(errno.ENOLCK) in why_unusable(tmp_path, caught.value)

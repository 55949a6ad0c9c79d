"""The file of keys: for this user alone, whole after a crash, bound to an origin."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.errors import StorageFailed
from app.net.urls import origin_of
from app.providers.settings import NOTHING, Keys, Secrets

HERE = origin_of('http://a.test:8000/v1')
ELSEWHERE = origin_of('https://a.test:8000/v1')
FULL = Secrets('sk-1', (('api-key', 'one'), ('X-Two', 'two words')))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'keys.json'


def test_what_was_kept_is_read_back_after_a_restart(path: Path) -> None:
    Keys(path).keep(1, HERE, FULL)

    again = Keys(path)
    again.load()

    assert again.of(1, HERE) == FULL
    assert again.of(2, HERE) == NOTHING


def test_the_file_is_for_this_user_alone(path: Path) -> None:
    keys = Keys(path)
    keys.keep(1, HERE, FULL)
    path.chmod(0o644)

    keys.keep(2, HERE, FULL)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ['keys.json']


def test_a_file_that_others_can_read_is_closed_to_them_at_the_start(path: Path) -> None:
    Keys(path).keep(1, HERE, FULL)
    path.chmod(0o644)

    Keys(path).load()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_origin_never_gets_a_key(path: Path) -> None:
    keys = Keys(path)
    keys.keep(1, HERE, FULL)

    assert keys.of(1, ELSEWHERE) == NOTHING


def test_a_key_that_is_dropped_leaves_the_file(path: Path) -> None:
    keys = Keys(path)
    keys.keep(1, HERE, FULL)
    keys.keep(2, HERE, Secrets('sk-2'))

    keys.drop(1)
    keys.keep(2, HERE, NOTHING)

    assert path.read_text() == '{}'


def test_a_disk_that_refuses_leaves_the_old_keys_in_force(tmp_path: Path) -> None:
    folder = tmp_path / 'data'
    folder.mkdir()
    keys = Keys(folder / 'keys.json')
    keys.keep(1, HERE, FULL)
    (folder / 'keys.json').unlink()
    folder.rmdir()

    with pytest.raises(StorageFailed):
        keys.keep(1, HERE, Secrets('sk-new'))

    assert keys.of(1, HERE) == FULL


@pytest.mark.parametrize('text', ['', '{', '[]', '{"1": 2}', '{"x": {}}', '{"1": {"key": 7}}'])
def test_a_damaged_file_is_named_and_left_alone(text: str, path: Path) -> None:
    path.write_text(text)

    with pytest.raises(StorageFailed) as caught:
        Keys(path).load()

    assert str(path) in str(caught.value)
    assert path.read_text() == text


def test_no_secret_is_in_what_a_log_would_print() -> None:
    assert 'sk-1' not in repr(FULL)
    assert 'two words' not in repr(FULL)

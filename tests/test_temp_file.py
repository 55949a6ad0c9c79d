"""The file of a picture that is arriving."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from app.errors import StorageFailed
from app.models import MOST_IMAGE_BYTES
from app.storage.files import HEAD_BYTES, TempFile, complete
from tests.support.fakes import sha256


def test_what_was_written_is_there_and_its_head_known(tmp_path: Path) -> None:
    file = TempFile(tmp_path)
    file.write(b'a' * 10)
    file.write(b'b' * HEAD_BYTES)

    received = file.received()

    assert received.size_bytes == 10 + HEAD_BYTES
    assert received.head == b'a' * 10 + b'b' * (HEAD_BYTES - 10)
    assert received.digest == sha256(b'a' * 10 + b'b' * HEAD_BYTES)


def test_a_file_can_be_thrown_away_twice(tmp_path: Path) -> None:
    file = TempFile(tmp_path)

    file.discard()
    file.discard()

    assert list(tmp_path.iterdir()) == []


def partly_full(before: int) -> tuple[int, int]:
    """Let no file of this process become longer than that."""
    _, most = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
    return limits


@pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits')
@pytest.mark.parametrize('taken', [0, 1_000, 2_000])
def test_what_a_full_disk_refuses_is_held_and_written_later(taken: int, tmp_path: Path) -> None:
    content = bytes(range(250)) * 16
    file = TempFile(tmp_path)
    limits = partly_full(taken)
    try:
        for start in range(0, len(content), 500):
            file.write(content[start : start + 500])
        received = file.received()
        with pytest.raises(StorageFailed):
            complete(received)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    complete(received)

    assert received.path.read_bytes() == content
    assert received.size_bytes == len(content)


@pytest.mark.skipif(sys.platform == 'win32', reason='POSIX limits')
def test_what_can_come_again_is_not_held(tmp_path: Path) -> None:
    file = TempFile(tmp_path, can_come_again=True)
    limits = partly_full(1_000)
    try:
        with pytest.raises(StorageFailed):
            file.write(bytes(2_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert file.received().unwritten is None


def test_a_folder_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    file = TempFile(tmp_path / 'arriving')
    file.write(b'before')
    file.path.unlink()
    file.path.parent.rmdir()

    file.write(b', after')
    received = file.received()
    complete(received)

    assert received.path.read_bytes() == b'before, after'


def test_what_is_held_in_memory_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / 'arriving').write_text('in the way')
    files = [TempFile(tmp_path / 'arriving') for _ in range(3)]
    for file in files[:2]:
        file.write(bytes(MOST_IMAGE_BYTES))

    with pytest.raises(StorageFailed):
        files[2].write(b'x')

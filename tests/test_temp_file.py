"""The file of a picture that is arriving."""

from __future__ import annotations

from pathlib import Path

from app.storage.files import HEAD_BYTES, TempFile
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

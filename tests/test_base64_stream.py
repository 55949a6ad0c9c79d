"""Base64 by itself: what is none, and where a string of JSON ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.providers.response.base64_stream import Base64Error, Base64Reader, inline, string_end
from app.storage.files import TempFile


def test_a_short_picture_is_decoded(tmp_path: Path) -> None:
    received = inline('QUJD', lambda: TempFile(tmp_path))

    assert received.path.read_bytes() == b'ABC'


def test_padding_in_the_middle_is_no_base64(tmp_path: Path) -> None:
    reader = Base64Reader(TempFile(tmp_path))

    with pytest.raises(Base64Error):
        reader.feed(b'QQ==QUJD')
    reader.file.discard()


@pytest.mark.parametrize(
    ('block', 'escaped', 'end'),
    [
        (b'"', False, 0),
        (b'"a"', True, 2),
        (b'a\\"b"', False, 4),
        (b'a\\\\"', False, 3),
        (b'\\\\\\"b"', False, 5),
    ],
    ids=[
        'at once',
        'escaped in the piece before',
        'escaped',
        'behind an escaped backslash',
        'after both',
    ],
)
def test_a_string_ends_at_the_first_quote_that_is_not_escaped(
    block: bytes, escaped: bool, end: int
) -> None:
    assert string_end(block, 0, escaped=escaped) == (end, False)

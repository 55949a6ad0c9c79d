"""What bytes are, by the first of them."""

from __future__ import annotations

import pytest

from app.storage.metadata.mime import is_binary, what_is


@pytest.mark.parametrize(
    ('head', 'binary'),
    [
        (b'{"a": 1}', False),
        ('{"кот": 1}'.encode(), False),
        ('{"a": 1}'.encode('utf-16'), False),
        (b'\xfe\xff\0{', False),
        (b'a\0b', True),
        (b'PK\x03\x04', True),
        (b'%PDF-1.7', True),
        (b'\xff\xd8', True),
        (b'\x1a\x45\xdf\xa3', True),
    ],
)
def test_text_is_told_from_what_is_none(head: bytes, binary: bool) -> None:
    assert is_binary(head) is binary


@pytest.mark.parametrize(
    ('head', 'what'),
    [
        (b'\0\0\0\x18ftypmp42', 'video'),
        (b'\0\0\0\x18moov', 'unknown'),
        (b'\0\0\0\x18ftypheic', 'HEIC'),
        (b'\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'),
        (b'\0\0\0\x0cJXL \r\n\x87\n', 'JPEG XL'),
        (b'II*\0', 'TIFF'),
    ],
)
def test_what_is_no_picture_of_ours_is_named(head: bytes, what: str) -> None:
    assert what_is(head) == what

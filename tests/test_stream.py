"""Where the strings of a response begin and end, from its first byte on."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from app.providers.response.stream import LONG_STRING_BYTES, ResponseStream
from app.storage.files import TempFile
from tests.support.fakes import sha256

PICTURE = bytes(LONG_STRING_BYTES)


@pytest.mark.parametrize('before', ['', 'a', '\\', '"', 'a\\"'])
def test_a_picture_is_found_behind_any_string(before: str, tmp_path: Path) -> None:
    stream = ResponseStream(lambda: TempFile(tmp_path))
    stream.feed(json.dumps([before, base64.b64encode(PICTURE).decode()]).encode())

    skeleton = json.loads(stream.finish())

    assert skeleton[0] == before
    assert [received.digest for received in stream.pictures.values()] == [sha256(PICTURE)]
    assert [*stream.pictures] == skeleton[1:]


@pytest.mark.parametrize(
    ('start', 'pictures', 'bad'), [('', 0, 1), ('data:image/png;base64,', 1, 0)]
)
def test_percent_signs_are_letters_in_an_address_alone(
    start: str, pictures: int, bad: int, tmp_path: Path
) -> None:
    stream = ResponseStream(lambda: TempFile(tmp_path))

    stream.feed(json.dumps([f'{start}{"QUJD" * LONG_STRING_BYTES}QQ%3D%3D']).encode())
    stream.finish()

    assert (len(stream.pictures), len(stream.bad)) == (pictures, bad)


@pytest.mark.parametrize('text', ['{"a": "bc', '{"a": "b\\', '{"a": ', '"'])
def test_text_that_breaks_off_is_kept_to_its_end(text: str, tmp_path: Path) -> None:
    stream = ResponseStream(lambda: TempFile(tmp_path))
    stream.feed(text.encode())

    assert stream.finish() == text

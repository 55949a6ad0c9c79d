"""A picture that is shown to strangers says nothing besides its pixels."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.storage.metadata import copies
from app.storage.metadata.container import DamagedContainer, write
from app.storage.metadata.read import read_settings
from tests.support.labelled_pictures import (
    ARTIST,
    FORMATS,
    ORIENTATION,
    PICTURES,
    animated,
    exif,
    frames_of,
    labelled,
    saved,
    source_of,
)

MIMES = {
    '.png': 'image/png',
    '.jpg': 'image/jpeg',
    '.webp': 'image/webp',
    '.gif': 'image/gif',
    '.avif': 'image/avif',
}
TOLD = (b'fox', 'fox'.encode('utf-16-be'), b'pollinations', b'Somebody', b'xmpmeta', b'a comment')
SHOWN = [name for name, (extension, _) in PICTURES.items() if extension in MIMES]


def stripped(source: Path) -> Path:
    """Write what a stranger gets."""
    target = source.with_stem('bare')
    with source.open('rb') as opened:
        write(opened, target, copies.stripped(opened, MIMES[source.suffix]))
    return target


@pytest.mark.parametrize('name', SHOWN)
def test_nothing_but_the_pixels_is_left(name: str, tmp_path: Path) -> None:
    written = labelled(source_of(name, tmp_path)).path

    shown = stripped(written)

    assert [words for words in TOLD if words in shown.read_bytes()] == []
    assert set(read_settings(str(shown), FORMATS[shown.suffix])) <= {'size', 'generator'}
    assert frames_of(shown) == frames_of(written)


@pytest.mark.parametrize('name', ['GIF', 'JPEG', 'PNG', 'lossy WebP'])
def test_what_hangs_behind_the_end_is_left_out(name: str, tmp_path: Path) -> None:
    source = source_of(name, tmp_path)
    source.write_bytes(source.read_bytes() + b'a comment behind the end')

    shown = stripped(source)

    assert b'comment' not in shown.read_bytes()


@pytest.mark.parametrize(
    ('form', 'extension'), [('GIF', '.gif'), ('JPEG', '.jpg'), ('WEBP', '.webp')]
)
def test_a_comment_is_left_out(form: str, extension: str, tmp_path: Path) -> None:
    source = tmp_path / f'source{extension}'
    source.write_bytes(saved(form, comment=b'a comment', xmp=b'a comment'))

    shown = stripped(source)

    assert b'a comment' not in shown.read_bytes()
    assert frames_of(shown) == frames_of(source)


def test_a_comment_between_the_scans_of_a_jpeg_is_left_out(tmp_path: Path) -> None:
    source = tmp_path / 'source.jpg'
    whole = saved('JPEG', progressive=True)
    second = whole.rindex(b'\xff\xda')
    source.write_bytes(whole[:second] + b'\xff\xfe\0\x0ba comment' + whole[second:])

    shown = stripped(source)

    assert b'a comment' not in shown.read_bytes()
    assert frames_of(shown) == frames_of(source)


def test_the_small_preview_in_a_jpegs_header_is_left_out(tmp_path: Path) -> None:
    source = source_of('JPEG', tmp_path)
    plain = source.read_bytes()
    start = plain.index(b'JFIF\0')
    length, preview = struct.pack('>H', 16 + 12), bytes((2, 2)) + b'twelve bytes'
    header = length + plain[start : start + 12] + preview
    source.write_bytes(plain[: start - 2] + header + plain[start + 14 :])

    shown = stripped(source).read_bytes()

    start = shown.index(b'JFIF\0')
    assert shown[start - 2 : start] == struct.pack('>H', 16)
    assert shown[start + 12 : start + 14] == bytes(2)
    assert b'twelve bytes' not in shown


def test_a_jpeg_keeps_its_right_side_up_and_no_other_tag(tmp_path: Path) -> None:
    source = tmp_path / 'source.jpg'
    source.write_bytes(saved('JPEG', exif=exif('<')))

    shown = stripped(source)

    with Image.open(shown) as image:
        tags = image.getexif()
    assert tags[ORIENTATION] == 6
    assert ARTIST not in tags
    assert len(tags) == 1


def test_boxes_of_an_avif_that_make_no_picture_are_written_over(tmp_path: Path) -> None:
    source = source_of('AVIF', tmp_path)
    user = struct.pack('>I4s16s', 40, b'uuid', b'of somebody') + b'a comment by us!'
    source.write_bytes(source.read_bytes() + user)

    shown = stripped(source)

    assert b'comment' not in shown.read_bytes()
    assert b'somebody' not in shown.read_bytes()
    assert shown.stat().st_size == source.stat().st_size
    assert frames_of(shown) == frames_of(source)


def test_an_animated_avif_has_no_such_way(tmp_path: Path) -> None:
    source = tmp_path / 'source.avif'
    source.write_bytes(animated('AVIF'))

    with source.open('rb') as opened, pytest.raises(DamagedContainer):
        copies.stripped(opened, 'image/avif')


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(SHOWN), st.floats(0, 0.98), st.binary(max_size=40))
def test_a_damaged_picture_is_refused_or_laid_out_and_never_a_fault(
    tmp_path: Path, name: str, cut: float, junk: bytes
) -> None:
    source = source_of(name, tmp_path)
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * cut)] + junk)

    try:
        shown = stripped(source)
    except DamagedContainer:
        return

    assert shown.stat().st_size <= source.stat().st_size + 16

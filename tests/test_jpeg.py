"""A JPEG that is shown to strangers keeps which side of it is up, and says nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.labelled_pictures import (
    ORIENTATION,
    exif,
    frames_of,
    labelled,
    profile,
    saved,
    source_of,
)
from tests.test_stripped_pictures import stripped


@pytest.mark.parametrize(('side', 'kept'), [(0, None), (1, None), (2, 2), (8, 8), (9, None)])
def test_a_side_that_is_up_is_kept_where_it_can_be_meant(
    side: int, kept: int | None, tmp_path: Path
) -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = side
    source = tmp_path / 'source.jpg'
    source.write_bytes(
        saved('JPEG', exif=tags.tobytes(), comment=b'a comment', icc_profile=profile())
    )

    shown = stripped(source)

    with Image.open(shown) as image:
        assert dict(image.getexif()) == ({} if kept is None else {ORIENTATION: kept})
    assert frames_of(shown) == frames_of(source)
    assert shown.read_bytes().endswith(b'\xff\xd9')


def test_a_label_changes_none_of_the_pixels(tmp_path: Path) -> None:
    source = source_of('JPEG with EXIF', tmp_path)

    written = labelled(source)

    assert frames_of(written.path) == frames_of(source)


def test_a_side_that_is_up_is_found_behind_much_else(tmp_path: Path) -> None:
    source, whole = tmp_path / 'source.jpg', saved('JPEG', exif=exif())
    source.write_bytes(whole[:2] + b'\xff\xfe\xea\x62' + bytes(60_000) + whole[2:])

    shown = stripped(source)

    with Image.open(shown) as image:
        assert dict(image.getexif()) == {ORIENTATION: 6}


def test_what_says_nothing_more_stays_as_it_is(tmp_path: Path) -> None:
    first = stripped(source_of('JPEG with EXIF', tmp_path)).rename(tmp_path / 'first.jpg')

    again = stripped(first)

    assert again.read_bytes() == first.read_bytes()


def test_bytes_that_fill_the_space_between_segments_are_passed_over(tmp_path: Path) -> None:
    source, whole = tmp_path / 'source.jpg', saved('JPEG', comment=b'a comment')
    source.write_bytes(whole[:2] + b'\xff\xff' + whole[2:])

    shown = stripped(source)

    assert frames_of(shown) == frames_of(source)
    assert b'a comment' not in shown.read_bytes()

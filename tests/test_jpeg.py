"""A JPEG that is shown to strangers keeps which side of it is up, and says nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.labelled_pictures import ORIENTATION, frames_of, saved
from tests.test_stripped_pictures import stripped


@pytest.mark.parametrize(('side', 'kept'), [(0, None), (1, None), (2, 2), (8, 8), (9, None)])
def test_a_side_that_is_up_is_kept_where_it_can_be_meant(
    side: int, kept: int | None, tmp_path: Path
) -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = side
    source = tmp_path / 'source.jpg'
    source.write_bytes(saved('JPEG', exif=tags.tobytes(), comment=b'a comment'))

    shown = stripped(source)

    with Image.open(shown) as image:
        assert dict(image.getexif()) == ({} if kept is None else {ORIENTATION: kept})
    assert frames_of(shown) == frames_of(source)

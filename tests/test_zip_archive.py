"""Pictures out of a zip: all of them in their order, within bounds, and no file left of others."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models import Received
from app.providers.transport.collect import unzipped
from app.storage.files import TempFile
from tests.support.fakes import arriving_in, picture, sha256

HALF_OF_WHAT_IS_FREE = picture() + bytes(512 * 1024)


def received(folder: Path, *contents: bytes) -> Received:
    """Pack these as a zip that came."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f'{number}.png', content)
    file = TempFile(folder)
    file.write(packed.getvalue())
    return file.received()


def test_every_picture_comes_out_in_its_order(tmp_path: Path) -> None:
    contents = [picture(1, 1), b'no picture', picture(2, 2), picture(3, 3)]

    found = unzipped(received(tmp_path, *contents), lambda: TempFile(tmp_path))

    assert [one.digest for one in found] == [sha256(contents[at]) for at in (0, 2, 3)]


def test_pictures_that_swell_too_much_together_leave_no_file(tmp_path: Path) -> None:
    arriving = tmp_path / 'arriving'
    arriving.mkdir()
    raw = received(tmp_path, HALF_OF_WHAT_IS_FREE, HALF_OF_WHAT_IS_FREE)

    with pytest.raises(ProviderError) as caught:
        unzipped(raw, lambda: TempFile(arriving))

    assert caught.value.failure.kind is ErrorKind.TOO_LARGE
    assert arriving_in(tmp_path) == []

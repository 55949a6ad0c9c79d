"""Pictures out of a zip: all of them in their order, within bounds, and no file left of others."""

from __future__ import annotations

import asyncio
import io
import threading
import zipfile
from pathlib import Path

import pytest

from app.errors import ErrorKind, ProviderError
from app.models import Received
from app.providers.response.zip_archive import unzipped
from app.storage.temp_file import TempFile
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


async def test_every_picture_comes_out_in_its_order(tmp_path: Path) -> None:
    contents = [picture(1, 1), b'no picture', picture(2, 2), picture(3, 3)]

    found = await unzipped(received(tmp_path, *contents), lambda: TempFile(tmp_path))

    assert [one.digest for one in found] == [sha256(contents[at]) for at in (0, 2, 3)]


async def test_pictures_that_swell_too_much_together_leave_no_file(tmp_path: Path) -> None:
    arriving = tmp_path / 'arriving'
    arriving.mkdir()
    raw = received(tmp_path, HALF_OF_WHAT_IS_FREE, HALF_OF_WHAT_IS_FREE)

    with pytest.raises(ProviderError) as caught:
        await unzipped(raw, lambda: TempFile(arriving))

    assert caught.value.failure.kind is ErrorKind.TOO_LARGE
    assert arriving_in(tmp_path) == []


async def test_who_no_longer_waits_leaves_no_picture(tmp_path: Path) -> None:
    arriving, begun, go = tmp_path / 'arriving', threading.Event(), threading.Event()
    arriving.mkdir()

    def slow() -> TempFile:
        begun.set()
        go.wait(20)
        return TempFile(arriving)

    unpacking = asyncio.create_task(unzipped(received(tmp_path, picture()), slow))
    await asyncio.to_thread(begun.wait)

    unpacking.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await unpacking

    assert arriving_in(tmp_path) == []

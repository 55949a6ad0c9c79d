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
from app.models.request import GenerationRequest
from app.providers.core.base import Run
from app.providers.transport.collect import unzipped
from app.storage.files import TempFile
from tests.support.fakes import Reply, arriving_in, asking, picture, sha256, upstream

HALF_OF_WHAT_IS_FREE = picture() + bytes(512 * 1024)


def zipped(*contents: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f'{number}.png', content)
    return packed.getvalue()


def received(folder: Path, *contents: bytes) -> Received:
    file = TempFile(folder)
    file.write(zipped(*contents))
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


async def test_who_no_longer_waits_leaves_no_picture(tmp_path: Path) -> None:
    arriving, begun, go = tmp_path / 'arriving', threading.Event(), threading.Event()
    arriving.mkdir()

    def incoming() -> TempFile:
        if arriving_in(tmp_path):  # the zip itself is there
            begun.set()
            go.wait(20)
        return TempFile(arriving)

    async with upstream() as server, asking(f'{server.origin}/v1') as provider:
        server.otherwise = lambda _: Reply(body=zipped(picture()))
        request = GenerationRequest(prompt='a cat')
        unpacking = asyncio.create_task(provider.generate(request, Run(incoming)))
        await asyncio.to_thread(begun.wait)

        unpacking.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await unpacking

    assert arriving_in(tmp_path) == []

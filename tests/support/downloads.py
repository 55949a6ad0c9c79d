"""Fetching from a fake provider into a folder, for tests of where and how a picture is fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.errors import Failure, ProviderError
from app.models import Received
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.transport.download import DownloadTimeouts, Fetcher
from app.storage.files import TempFile
from tests.support.fakes import KEY, Reply, Upstream, picture

PNG = picture()
PAINTED = Reply(body=PNG)
LOST = Reply(status=404)
PAGE = Reply(body=b'<!doctype html><title>App</title>')
AT_ONCE = DownloadTimeouts(pause_s=0)


@asynccontextmanager
async def fetching(
    own: str, *named: str, timeouts: DownloadTimeouts = AT_ONCE
) -> AsyncIterator[Fetcher]:
    http_client = HttpClient(named)
    http_client.policy.trust(origin_of(own))
    headers = {'Authorization': f'Bearer {KEY}'}
    yield Fetcher(http_client, origin_of(own), headers, timeouts)
    await http_client.close()


async def fetched(
    server: Upstream, url: str, folder: Path, *named: str, timeouts: DownloadTimeouts = AT_ONCE
) -> tuple[Received, str]:
    async with fetching(server.origin, *named, timeouts=timeouts) as fetcher:
        return await fetcher.fetch(url, lambda: TempFile(folder))


async def failure_of(
    server: Upstream, url: str, folder: Path, *named: str, timeouts: DownloadTimeouts = AT_ONCE
) -> Failure:
    with pytest.raises(ProviderError) as caught:
        await fetched(server, url, folder, *named, timeouts=timeouts)
    assert files_in(folder) == 0
    return caught.value.failure


def files_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


def targets(server: Upstream) -> list[str]:
    return [asked.target for asked in server.asked]

"""Fixtures that several test files share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Easel, running_demo, running_easel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with real servers first: they take longest, and no process ends alone."""
    slow = {
        item.path
        for item in items
        if isinstance(item, pytest.Function) and 'upstream' in item.fixturenames
    }
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope='session')
def upstream() -> Iterator[str]:
    """An image API on a socket: the demo provider, as somebody else's server."""
    with running_demo() as url:
        yield url


@pytest.fixture(scope='module')
def easel(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    """The real server over a socket, with an empty data folder at the start of each file."""
    data: Path = tmp_path_factory.mktemp('easel') / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream}) as running:
        yield running

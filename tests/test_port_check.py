"""What needs no HTTP client: telling that nothing listens at a port of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.errors import Reason
from app.net.port_check import is_refused
from app.providers.core.base import Provider, ProviderSettings
from app.providers.discovery import scan
from app.providers.monitor import MonitoredProvider
from tests.support.default_setup import local_servers, plain_machine_in
from tests.support.fakes import refused_port


async def test_only_a_port_of_this_machine_is_looked_at() -> None:
    with refused_port() as refused, socket.create_server(('127.0.0.1', 0)) as listening:
        asked = {
            f'http://127.0.0.1:{refused}/v1': True,
            f'http://localhost:{refused}/v1': True,
            f'http://localhost:{listening.getsockname()[1]}/v1': False,
            f'http://192.0.2.1:{refused}/v1': False,
            'nope': False,
        }
        found = {url: await is_refused(url) for url in asked}

    assert found == asked


async def test_a_provider_is_not_made_to_say_that_nothing_listens() -> None:
    def make() -> Provider:
        raise AssertionError('loads the HTTP client')

    with refused_port() as port:
        url = f'http://127.0.0.1:{port}/v1'
        settings = ProviderSettings(name='x', base_url=url, model='flux', timeout_s=1)
        monitored = MonitoredProvider(settings, make, Reason.CONNECTION_REFUSED)
        status = await monitored.ask_again()

    assert status.refused


async def test_no_server_is_searched_for_where_nothing_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, 'discover', None)
    with refused_port() as port:
        around = local_servers(plain_machine_in(tmp_path), {1337: port})
        await around.look()

    assert around.seen
    assert around.seen.found == ()

"""What `easel doctor` examines; it writes nothing, so it works beside a running server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.config import Config
from app.database.providers import rows_in
from app.errors import StorageFailed
from app.main import DATABASE, KEYS
from app.net.client import HttpClient
from app.net.urls import origin_of
from app.providers.core.base import ProviderSettings, ProviderState, ProviderStatus
from app.providers.discovery.connection_test import bearer, check_connection
from app.providers.discovery.fingerprints import is_shaped
from app.providers.discovery.local_servers import HostEnvironment
from app.providers.discovery.probe import NoResponse, probe
from app.providers.discovery.scan import FoundServer, discover
from app.providers.settings import Keys, settings_of
from app.providers.transport.client import own_headers
from app.storage.lock import Holder, holder_of

HOLDER_RESPONDS_S = 2.0
IS_OK = is_shaped({'status': 'ok'})
NOT_ASKED = ProviderStatus(state=ProviderState.NOTHING)


@dataclass(frozen=True, slots=True)
class Examined:
    """A provider and what a test of it showed; one that is turned off is not asked."""

    base_url: str
    status: ProviderStatus
    name: str = ''  # in Settings
    enabled: bool = True

    @property
    def can_draw(self) -> bool:
        return self.enabled and self.status.failure is None


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder, or where it will be, and the server on it; port 0 where none runs."""

    path: Path
    exists: bool
    writable: bool
    free_bytes: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an examination."""

    environment: HostEnvironment
    provider: Examined  # the environment's
    is_default: bool  # nobody named its address, so those of Settings replace it
    added: tuple[Examined, ...]
    unread: StorageFailed | None  # why those of Settings are missing
    found: tuple[FoundServer, ...]
    folder: Folder

    @property
    def stepped_aside(self) -> bool:
        return self.is_default and bool(self.added)

    @property
    def demo(self) -> bool:
        """Whether the demo draws, since nobody named an address and nothing listens there."""
        return self.is_default and not self.added and self.provider.status.refused

    @property
    def provider_draws(self) -> bool:
        """Whether the provider of the environment, or the demo in its place, would draw."""
        return self.demo or (self.provider.can_draw and not self.stepped_aside)


async def examine(config: Config, environment: HostEnvironment, ports: Mapping[int, int]) -> Report:
    """Examine everything; every response is waited for a few seconds at most."""
    holder = await _running(holder_of(config.data))
    folder = await asyncio.to_thread(_folder, config.data, holder)
    settings, unread = await asyncio.to_thread(_added_in, config.data)
    status, found, added = await asyncio.gather(
        check_connection(config.api_url, bearer(config.api_key)),
        discover(environment.hosts, ports, (config.port, holder.port)),
        asyncio.gather(*(_test(one) for one in settings)),
    )
    provider, is_default = Examined(config.api_url, status), not config.api_url_was_set
    return Report(environment, provider, is_default, tuple(added), unread, found, folder)


async def _running(holder: Holder) -> Holder:
    """Leave out a server that crashed, whose file may be there still."""
    if holder.url:
        async with HttpClient([holder.url]) as http_client:
            with contextlib.suppress(NoResponse):
                if IS_OK(await probe(http_client, f'{holder.url}health', HOLDER_RESPONDS_S)):
                    return holder
    return Holder(0, '', 0)


def _folder(data: Path, holder: Holder) -> Folder:
    there = next(path for path in (data, *data.parents) if os.access(path, os.F_OK))
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return Folder(data, there == data, writable, shutil.disk_usage(there).free, holder)


def _added_in(data: Path) -> tuple[list[ProviderSettings], StorageFailed | None]:
    try:
        rows, keys = rows_in(data / DATABASE), Keys(data / KEYS)
        if rows:
            keys.read()
    except StorageFailed as error:
        return [], error
    secrets = (keys.of(row.id or 0, origin_of(row.base_url)) for row in rows)
    return list(map(settings_of, rows, secrets)), None


async def _test(one: ProviderSettings) -> Examined:
    status = NOT_ASKED
    if one.enabled:
        status = await check_connection(one.base_url, own_headers(one))
    return Examined(one.base_url, status, one.name, one.enabled)

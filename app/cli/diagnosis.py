"""What `easel doctor` examines: every provider, the data folder, the servers of this machine.

It never writes into the data folder, so it works beside a running server.
"""

from __future__ import annotations

import asyncio
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
from app.providers.core.base import ProviderSettings, ProviderStatus
from app.providers.discovery.connection_test import bearer, check_connection
from app.providers.discovery.environment import HostEnvironment
from app.providers.discovery.fingerprints import is_shaped
from app.providers.discovery.probe import NoResponse, probe
from app.providers.discovery.scan import FoundServer, discover
from app.providers.settings import Keys, settings_of
from app.providers.transport.headers import own_headers
from app.storage.lock import Holder, holder_of

HOLDER_RESPONDS_S = 2.0
IS_OK = is_shaped({'status': 'ok'})
NOBODY = Holder(0, '', 0)


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder, or where it will be, and the server on it; port 0 where none runs."""

    path: Path
    exists: bool
    writable: bool
    free_bytes: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class Added:
    """A provider of Settings; the status is None where it is turned off, and so was not asked."""

    settings: ProviderSettings
    status: ProviderStatus | None

    @property
    def can_draw(self) -> bool:
        return self.status is not None and self.status.failure is None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an examination; `unread` is why the providers of Settings are missing."""

    config: Config
    environment: HostEnvironment
    status: ProviderStatus
    found: tuple[FoundServer, ...]
    folder: Folder
    added: tuple[Added, ...] = ()
    unread: StorageFailed | None = None

    @property
    def stepped_aside(self) -> bool:
        """Whether the address is the default, which others have replaced."""
        return bool(self.added) and not self.config.api_url_was_set

    @property
    def demo(self) -> bool:
        """Whether the demo draws, since nobody named an address and nothing listens there."""
        return self.status.refused and not self.config.api_url_was_set and not self.added

    @property
    def provider_draws(self) -> bool:
        """Whether the provider of the environment, or the demo in its place, would draw."""
        return not self.stepped_aside and (self.demo or self.status.failure is None)

    @property
    def can_draw(self) -> bool:
        """Whether a prompt would become a picture, as far as that can be seen for nothing."""
        return self.provider_draws or any(one.can_draw for one in self.added)


async def examine(config: Config, environment: HostEnvironment, ports: Mapping[int, int]) -> Report:
    """Examine everything; every response is waited for a few seconds at most."""
    holder = await _running(holder_of(config.data))
    folder = await asyncio.to_thread(_folder, config.data, holder)
    unread: StorageFailed | None = None
    settings: tuple[ProviderSettings, ...] = ()
    try:
        settings = await asyncio.to_thread(_added_in, config.data)
    except StorageFailed as error:
        unread = error
    status, found, added = await asyncio.gather(
        check_connection(config.api_url, bearer(config.api_key)),
        discover(environment.hosts, ports, (config.port, holder.port)),
        asyncio.gather(*(_test(one) for one in settings)),
    )
    return Report(config, environment, status, found, folder, tuple(added), unread)


async def _running(holder: Holder) -> Holder:
    """Leave out a server that crashed, whose file may be there still."""
    if not holder.url:
        return NOBODY
    http_client = HttpClient([holder.url])
    try:
        response = await probe(http_client, f'{holder.url}health', HOLDER_RESPONDS_S)
    except NoResponse:
        return NOBODY
    finally:
        await http_client.close()
    return holder if IS_OK(response) else NOBODY


def _added_in(data: Path) -> tuple[ProviderSettings, ...]:
    rows, keys = rows_in(data / DATABASE), Keys(data / KEYS)
    if rows:
        keys.read()
    return tuple(settings_of(row, keys.of(row.id or 0, origin_of(row.base_url))) for row in rows)


async def _test(settings: ProviderSettings) -> Added:
    if not settings.enabled:
        return Added(settings, None)
    return Added(settings, await check_connection(settings.base_url, own_headers(settings)))


def _folder(data: Path, holder: Holder) -> Folder:
    there = next(path for path in (data, *data.parents) if os.access(path, os.F_OK))
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return Folder(data, there == data, writable, shutil.disk_usage(there).free, holder)

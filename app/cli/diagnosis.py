"""What `easel doctor` looks at: every provider, the data folder, and who else is on this machine.

It never writes into the data folder, so it works beside a running server.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.cli.added import Added, added_in, looked_at
from app.config import Config
from app.errors import StorageFailed
from app.main import DATABASE, KEYS
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings
from app.providers.discovery.connection_test import Checkup, check_up
from app.providers.discovery.environment import HostEnvironment
from app.providers.discovery.fingerprints import is_shaped
from app.providers.discovery.probe import NoResponse, probe
from app.providers.discovery.scan import FoundServer, discover
from app.storage.lock import Holder, holder_of

HOLDER_RESPONDS_S = 2.0
IS_OK = is_shaped({'status': 'ok'})


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder, or where it will be.

    Attributes:
        holder: The server that answers for it; port 0 where none does.
    """

    path: Path
    exists: bool
    writable: bool
    free_bytes: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class Report:
    """All that was seen.

    Attributes:
        added: The providers of Settings.
        unread: Why those could not be read; None if they could.
    """

    config: Config
    around: HostEnvironment
    checkup: Checkup
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
        return self.checkup.refused and not self.config.api_url_was_set and not self.added

    @property
    def provider_draws(self) -> bool:
        """Whether the provider of the environment, or the demo in its place, would draw."""
        return not self.stepped_aside and (self.demo or self.checkup.failure is None)

    @property
    def can_draw(self) -> bool:
        """Whether a prompt would become a picture, as far as that can be seen for nothing."""
        return self.provider_draws or any(one.can_draw for one in self.added)


async def examine(config: Config, around: HostEnvironment, ports: Mapping[int, int]) -> Report:
    """Look at everything, and wait for no answer long."""
    holder = await _living(holder_of(config.data))
    folder = await asyncio.to_thread(_folder, config.data, holder)
    unread: StorageFailed | None = None
    settings: tuple[ProviderSettings, ...] = ()
    try:
        settings = await asyncio.to_thread(added_in, config.data / DATABASE, config.data / KEYS)
    except StorageFailed as error:
        unread = error
    checkup, found, added = await asyncio.gather(
        check_up(config.api_url, config.api_key),
        discover(around.hosts, ports, (config.port, holder.port)),
        looked_at(settings),
    )
    return Report(config, around, checkup, found, folder, added, unread)


async def _living(holder: Holder) -> Holder:
    """Leave out a server that a crash ended; its note may be there still."""
    nobody = Holder(0, '', 0)
    if not holder.url:
        return nobody
    http_client = HttpClient([holder.url])
    try:
        response = await probe(http_client, f'{holder.url}health', deadline_s=HOLDER_RESPONDS_S)
    except NoResponse:
        return nobody
    finally:
        await http_client.close()
    return holder if IS_OK(response) else nobody


def _folder(data: Path, holder: Holder) -> Folder:
    there = next(path for path in (data, *data.parents) if os.access(path, os.F_OK))
    return Folder(
        path=data,
        exists=there == data,
        writable=there.is_dir() and os.access(there, os.W_OK | os.X_OK),
        free_bytes=shutil.disk_usage(there).free,
        holder=holder,
    )

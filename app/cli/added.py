"""The providers of Settings as another process sees them: read beside the server, and asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.database.providers import rows_in
from app.net.urls import origin_of
from app.providers.core.base import ProviderSettings
from app.providers.discovery.connection_test import Checkup, checked
from app.providers.secrets import Keys
from app.providers.settings import settings_of
from app.providers.transport.headers import own_headers


@dataclass(frozen=True, slots=True)
class Added:
    """A provider of Settings.

    Attributes:
        checkup: What it answered; None where it is turned off, for then nobody asks it.
    """

    settings: ProviderSettings
    checkup: Checkup | None

    @property
    def can_draw(self) -> bool:
        """Whether nothing speaks against a picture."""
        return self.checkup is not None and self.checkup.failure is None


def added_in(database: Path, key_file: Path) -> tuple[ProviderSettings, ...]:
    """Read the providers of a data folder, in their order; nothing is written.

    Raises:
        StorageFailed: The database or the file of keys can't be read now.
    """
    rows, keys = rows_in(database), Keys(key_file)
    if rows:
        keys.read()
    return tuple(settings_of(row, keys.of(row.id or 0, origin_of(row.base_url))) for row in rows)


async def looked_at(providers: Iterable[ProviderSettings]) -> tuple[Added, ...]:
    """Ask each for its list of models, all at once."""
    return tuple(await asyncio.gather(*(_looked_at(settings) for settings in providers)))


async def _looked_at(settings: ProviderSettings) -> Added:
    if not settings.enabled:
        return Added(settings, None)
    return Added(settings, await checked(settings.base_url, own_headers(settings)))

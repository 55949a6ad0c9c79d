"""The providers of Settings: their rows in the database, their secrets in a file of their own."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from app.database.providers import ProviderRow, ProviderRows
from app.errors import N_, InvalidRequest
from app.log import logger
from app.models import DEMO
from app.net.urls import origin_of
from app.providers.core.base import Dialect, ProviderSettings
from app.providers.registry import Providers
from app.providers.secrets import Keys, Secrets

log = logger(__name__)


class ProviderSettingsStore:
    """Changes what is configured; every change is in force at once."""

    def __init__(self, rows: ProviderRows, keys: Keys, providers: Providers) -> None:
        self._rows = rows
        self._keys = keys
        self._providers = providers

    async def load(self) -> None:
        """Read rows and keys, and put them in force. Raises `StorageFailed`."""
        await asyncio.to_thread(self._keys.load)
        await self._apply()

    def secrets_of(self, row: ProviderRow) -> Secrets:
        """Return what is set for a provider; nothing for one that is not written yet."""
        return self._keys.of(row.id, origin_of(row.base_url)) if row.id else Secrets()

    async def add(self, row: ProviderRow, secrets: Secrets) -> int:
        """Write a new provider; returns its id.

        Raises `InvalidRequest` where its name is taken, or `StorageFailed`.
        """
        self._refuse_taken(row)
        added = await self._rows.add(row)
        provider_id = added.id or 0
        await self._keep(provider_id, row, secrets)
        log.info('provider %s was added', provider_id)
        return provider_id

    async def change(self, row: ProviderRow, secrets: Secrets) -> None:
        """Write a provider anew. Raises as `add`, or `NotFound`."""
        self._refuse_taken(row)
        await self._rows.change(row)
        await self._keep(row.id or 0, row, secrets)
        log.info('provider %s was changed', row.id)

    async def remove(self, provider_id: int) -> None:
        """Delete a provider and its secrets. Raises `NotFound` or `StorageFailed`."""
        await self._rows.remove(provider_id)
        await self._apply()
        await asyncio.to_thread(self._keys.drop, provider_id)
        log.info('provider %s was removed', provider_id)

    async def move(self, provider_id: int, by: int) -> None:
        """Move a provider up (-1) or down (1). Raises `NotFound`."""
        await self._rows.move(provider_id, by)
        await self._apply()

    async def _keep(self, provider_id: int, row: ProviderRow, secrets: Secrets) -> None:
        try:
            origin = origin_of(row.base_url)
            await asyncio.to_thread(self._keys.keep, provider_id, origin, secrets)
        finally:
            await self._apply()

    async def _apply(self) -> None:
        rows = await self._rows.all()
        self._providers.configure(settings_of(row, self.secrets_of(row)) for row in rows)

    def _refuse_taken(self, row: ProviderRow) -> None:
        # The default address steps aside, and its name is free then.
        rivals = () if self._providers.guess_stands else self._providers.all()
        others = {one.name for one in rivals if row.id is None or one.settings.id != row.id}
        if row.name in {*others, DEMO}:
            wrong = InvalidRequest(N_('Another server has this name.'))
            raise InvalidRequest(N_('Some of this can not be used yet.'), fields={'name': wrong})


def settings_of(row: ProviderRow, secrets: Secrets) -> ProviderSettings:
    own = {'dialect': Dialect(row.dialect), 'key': secrets.key, 'headers': secrets.headers}
    return ProviderSettings(**asdict(row) | own)

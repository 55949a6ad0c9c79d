"""The providers of Settings: their rows in the database, their secrets in a file of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.database.providers import ProviderRow, ProviderRows
from app.errors import N_, InvalidRequest, StorageFailed
from app.log import logger
from app.models import DEMO
from app.net.urls import Origin, origin_of
from app.providers.core.base import Dialect, ProviderSettings
from app.providers.registry import Providers
from app.storage.files import write_private

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a provider must see and nobody else: a key, and names and values of headers."""

    key: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


NOTHING = Secrets()


class Keys:
    """A file for this user alone; each entry is bound to an origin: no other one ever gets it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[int, tuple[str, Secrets]] = {}  # with the one origin they are for

    def load(self) -> None:
        """Close the file to others and read it. Raises `StorageFailed`; nothing of it is lost."""
        try:
            if self._path.exists():
                self._path.chmod(0o600)
        except OSError as error:
            raise self._unreadable() from error
        self.read()

    def read(self) -> None:
        """Read the file, if there is one, and change nothing. Raises `StorageFailed`."""
        if not self._path.exists():
            return
        try:
            kept = json.loads(self._path.read_text(encoding='utf-8'))
            self._entries = {int(number): _entry_of(fields) for number, fields in kept.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> StorageFailed:
        return StorageFailed(
            N_(
                "The server keys in {path} can't be read. Fix the file or move it away, then "
                'start Easel again.'
            ),
            path=self._path,
        )

    def of(self, provider_id: int, origin: Origin) -> Secrets:
        """Return what was set for a provider at this origin."""
        bound_to, secrets = self._entries.get(provider_id, ('', NOTHING))
        return secrets if bound_to == _text_of(origin) else NOTHING

    def keep(self, provider_id: int, origin: Origin, secrets: Secrets) -> None:
        """Write a provider's secrets over those that it had; where that fails, they stay.

        Raises `StorageFailed`.
        """
        own = {provider_id: (_text_of(origin), secrets)} if secrets != NOTHING else {}
        self._write(provider_id, own)

    def drop(self, provider_id: int) -> None:
        """Forget a provider's secrets. Raises `StorageFailed` as `keep`."""
        if provider_id in self._entries:
            self._write(provider_id, {})

    def _write(self, provider_id: int, own: dict[int, tuple[str, Secrets]]) -> None:
        entries = {one: entry for one, entry in self._entries.items() if one != provider_id} | own
        rows = {
            str(number): {'origin': origin, 'key': of.key, 'headers': dict(of.headers)}
            for number, (origin, of) in entries.items()
        }
        try:
            write_private(self._path, json.dumps(rows))
        except OSError as error:
            raise StorageFailed(
                N_("The key couldn't be saved: {reason}."), reason=error.strerror
            ) from error
        self._entries = entries


def _entry_of(fields: Mapping[str, object]) -> tuple[str, Secrets]:
    key, headers = fields['key'], fields['headers']
    if not (key is None or isinstance(key, str)) or not isinstance(headers, dict):
        raise TypeError('not an entry of ours')
    pairs = tuple((str(name), str(value)) for name, value in headers.items())
    return str(fields['origin']), Secrets(key, pairs)


def _text_of(origin: Origin) -> str:
    return f'{origin.scheme}://{origin.host}:{origin.port}'


class ProviderSettingsStore:
    """Changes what is configured, in force at once; every change may raise `StorageFailed`."""

    def __init__(self, rows: ProviderRows, keys: Keys, providers: Providers) -> None:
        self._rows = rows
        self._keys = keys
        self._providers = providers

    async def load(self) -> None:
        """Read rows and keys, and put them in force. Raises `StorageFailed`."""
        self._keys.load()
        await self._apply()

    def secrets_of(self, row: ProviderRow) -> Secrets:
        """Return what is set for a provider; nothing for one that is not written yet."""
        return self._keys.of(row.id, origin_of(row.base_url)) if row.id else Secrets()

    async def add(self, row: ProviderRow, secrets: Secrets) -> int:
        """Write a new provider; returns its id. Raises `InvalidRequest`: its name is taken."""
        self._refuse_taken(row)
        added = await self._rows.add(row)
        await self._keep(added, secrets)
        log.info('provider %s was added', added.id)
        return added.id or 0

    async def change(self, row: ProviderRow, secrets: Secrets) -> None:
        """Write a provider anew. Raises as `add`, or `NotFound`."""
        self._refuse_taken(row)
        await self._rows.change(row)
        await self._keep(row, secrets)
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

    async def _keep(self, row: ProviderRow, secrets: Secrets) -> None:
        try:
            origin = origin_of(row.base_url)
            await asyncio.to_thread(self._keys.keep, row.id or 0, origin, secrets)
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
            wrong = InvalidRequest(N_('Another server already has this name.'))
            raise InvalidRequest(N_('Check the marked fields.'), fields={'name': wrong})


def settings_of(row: ProviderRow, secrets: Secrets) -> ProviderSettings:
    own = {'dialect': Dialect(row.dialect), 'key': secrets.key, 'headers': secrets.headers}
    return ProviderSettings(**asdict(row) | own)

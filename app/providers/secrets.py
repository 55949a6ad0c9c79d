"""The secrets of providers: one file of the data folder, for this user alone, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import N_, StorageFailed
from app.net.urls import Origin
from app.storage.files import write_private


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a provider must see and nobody else: a key, and names and values of headers."""

    key: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


NOTHING = Secrets()


@dataclass(frozen=True, slots=True)
class _Entry:
    """Secrets, and the one origin that they were set for."""

    origin: str
    secrets: Secrets


class Keys:
    """The file; each entry is bound to an origin, so that no other one ever gets it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[int, _Entry] = {}

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
                'The keys of servers in {path} can not be read. Mend the file or move it away, '
                'then start Easel again.'
            ),
            path=self._path,
        )

    def of(self, provider_id: int, origin: Origin) -> Secrets:
        """Return what was set for a provider at this origin."""
        entry = self._entries.get(provider_id)
        return entry.secrets if entry and entry.origin == _text_of(origin) else NOTHING

    def keep(self, provider_id: int, origin: Origin, secrets: Secrets) -> None:
        """Write a provider's secrets over those that it had; where that fails, they stay.

        Raises `StorageFailed`.
        """
        others = {one: entry for one, entry in self._entries.items() if one != provider_id}
        own = {provider_id: _Entry(_text_of(origin), secrets)} if secrets != NOTHING else {}
        self._write(others | own)

    def drop(self, provider_id: int) -> None:
        """Forget a provider's secrets. Raises `StorageFailed` as `keep`."""
        if provider_id in self._entries:
            others = {one: entry for one, entry in self._entries.items() if one != provider_id}
            self._write(others)

    def _write(self, entries: dict[int, _Entry]) -> None:
        rows = {
            str(number): {
                'origin': entry.origin,
                'key': entry.secrets.key,
                'headers': dict(entry.secrets.headers),
            }
            for number, entry in entries.items()
        }
        try:
            write_private(self._path, json.dumps(rows))
        except OSError as error:
            raise StorageFailed(
                N_('The key could not be kept: {reason}.'), reason=error.strerror
            ) from error
        self._entries = entries


def _entry_of(fields: Mapping[str, object]) -> _Entry:
    key, headers = fields['key'], fields['headers']
    if not (key is None or isinstance(key, str)) or not isinstance(headers, dict):
        raise TypeError('not an entry of ours')
    pairs = tuple((str(name), str(value)) for name, value in headers.items())
    return _Entry(str(fields['origin']), Secrets(key, pairs))


def _text_of(origin: Origin) -> str:
    return f'{origin.scheme}://{origin.host}:{origin.port}'

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
    """What a provider must see and nobody else.

    Attributes:
        key: None where none is set.
        headers: Names and values of further headers.
    """

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
        """Read the file, if there is one, and see to it that nobody else can.

        Raises:
            StorageFailed: It can't be read; nothing of it is thrown away.
        """
        try:
            if self._path.exists():
                self._path.chmod(0o600)
        except OSError as error:
            raise self._unreadable() from error
        self.read()

    def read(self) -> None:
        """Read the file, if there is one, and change nothing; raises as `load` does."""
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
        """Give what was set for a provider at this origin."""
        entry = self._entries.get(provider_id)
        return entry.secrets if entry and entry.origin == _text_of(origin) else NOTHING

    def keep(self, provider_id: int, origin: Origin, secrets: Secrets) -> None:
        """Write a provider's secrets, over those that it had.

        Raises:
            StorageFailed: The disk refused; the file is as it was.
        """
        changed = {**self._entries, provider_id: _Entry(_text_of(origin), secrets)}
        if secrets == NOTHING:
            del changed[provider_id]
        self._write(changed)

    def drop(self, provider_id: int) -> None:
        """Forget a provider's secrets.

        Raises:
            StorageFailed: The disk refused; the file is as it was.
        """
        if provider_id in self._entries:
            self._write({one: it for one, it in self._entries.items() if one != provider_id})

    def _write(self, entries: Mapping[int, _Entry]) -> None:
        text = json.dumps({str(number): _fields(entry) for number, entry in entries.items()})
        try:
            write_private(self._path, text)
        except OSError as error:
            raise StorageFailed(
                N_('The key could not be kept: {reason}.'), reason=error.strerror
            ) from error
        self._entries = dict(entries)


def _entry_of(fields: Mapping[str, object]) -> _Entry:
    key, headers = fields['key'], fields['headers']
    if not (key is None or isinstance(key, str)) or not isinstance(headers, dict):
        raise TypeError('not an entry of ours')
    pairs = tuple((str(name), str(value)) for name, value in headers.items())
    return _Entry(str(fields['origin']), Secrets(key, pairs))


def _fields(entry: _Entry) -> dict[str, object]:
    secrets = entry.secrets
    return {'origin': entry.origin, 'key': secrets.key, 'headers': dict(secrets.headers)}


def _text_of(origin: Origin) -> str:
    return f'{origin.scheme}://{origin.host}:{origin.port}'

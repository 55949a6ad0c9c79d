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


class Keys:
    """The file; each entry is bound to an origin, so that no other one ever gets it."""

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
                'The keys of servers in {path} can not be read. Mend the file or move it away, '
                'then start Easel again.'
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
                N_('The key could not be kept: {reason}.'), reason=error.strerror
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

"""How others come in: the password, and whether the network is let in at all.

Both can change while Easel runs. What is not from the environment is in one file of the data
folder, for this user alone.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Protocol

from app.access.passwords import Password, Source, made
from app.config import NO_PASSWORD, Config
from app.errors import N_, Conflict, StorageFailed
from app.storage.files import write_private

FILE = 'admission.json'


class NetworkListener(Protocol):
    """What listens on the network, or on this machine alone."""

    async def open(self) -> None:
        """Let the network in; raise `Conflict` if the port can't be had there."""

    async def shut(self) -> None:
        """Let this machine in alone, and close every other connection."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the file says."""

    shared: bool = False
    password: Password | None = None


class SharingSettings:
    """Who may connect, and with which password.

    Attributes:
        lock: Held by whoever changes the password; the next one looks again.
        without_password: Whether the operator says that there is none.
        is_fixed: Whether the operator's host lets the network in.
        listener: What to tell of a change.
    """

    def __init__(self, config: Config) -> None:
        self.lock = asyncio.Lock()
        self.without_password = config.password == NO_PASSWORD
        self.is_fixed = not config.loopback
        self.listener: NetworkListener | None = None
        self._path = config.data / FILE
        self._stored = _Stored()
        self._operators = None
        if config.password is not None and not self.without_password:
            self._operators = Password(Source.ENVIRONMENT, config.password)
        self._host = config.host
        self._shares_now = config.share

    def load(self) -> None:
        """Read the file, if there is one; make a password where the network will come in.

        Raises:
            StorageFailed: The file can't be read or written; nothing of it is thrown away.
        """
        try:
            if self._path.exists():
                self._path.chmod(0o600)
                fields = json.loads(self._path.read_text(encoding='utf-8'))
                passwords = [
                    Password(Source(source), str(kept))
                    for source, kept in fields['password'].items()
                ]
                self._stored = _Stored(
                    fields['shared'] is True, passwords[0] if passwords else None
                )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StorageFailed(
                N_(
                    'The password in {path} can not be read. Mend the file or move it away, then '
                    'start Easel again.'
                ),
                path=self._path,
            ) from error
        if self.is_shared and self._needs_password:
            self._store(replace(self._stored, password=made()))

    @property
    def password(self) -> Password | None:
        """What everybody is asked for; None where nobody is."""
        return None if self.without_password else self._operators or self._stored.password

    @property
    def is_shared(self) -> bool:
        """Whether the network is let in."""
        return self.is_fixed or self._shares_now or self._stored.shared

    @property
    def listens_on(self) -> str:
        """What is listened on while the network is let in."""
        return self._host if self.is_fixed else '::'

    async def share(self) -> None:
        """Let the network in from now on, and after the next start; with a password, always.

        Raises:
            Conflict: The port can't be had on the network.
            StorageFailed: The disk refused.
        """
        before = self._stored
        password = made() if self._needs_password else before.password
        self._store(_Stored(shared=True, password=password))
        if self.listener and not self.is_fixed:
            try:
                await self.listener.open()
            except Conflict:
                self._store(before)
                raise

    async def withdraw(self) -> None:
        """Let this machine in alone; the password stays.

        Raises:
            Conflict: The operator's host lets the network in.
            StorageFailed: The disk refused.
        """
        if self.is_fixed:
            raise Conflict(N_('EASEL_HOST lets the network in; that is not changed here.'))
        self._store(replace(self._stored, shared=False))
        self._shares_now = False
        if self.listener:
            await self.listener.shut()

    def change_password(self, password: Password) -> None:
        """Set another one.

        Raises:
            Conflict: It is the operator's to set.
            StorageFailed: The disk refused.
        """
        if self.without_password or self._operators:
            raise Conflict(N_('EASEL_PASSWORD sets the password; it is not changed here.'))
        self._store(replace(self._stored, password=password))

    @property
    def _needs_password(self) -> bool:
        return not self.without_password and self.password is None

    def _store(self, stored: _Stored) -> None:
        password = stored.password
        kept = {password.source: password.kept} if password else {}
        try:
            write_private(self._path, json.dumps({'shared': stored.shared, 'password': kept}))
        except OSError as error:
            raise StorageFailed(
                N_('The password could not be kept: {reason}.'), reason=error.strerror
            ) from error
        self._stored = stored

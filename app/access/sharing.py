"""How others come in: the password, and whether the network is let in at all.

Both can change while Easel runs. What is not from the environment is in one file of the data
folder, for this user alone.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Protocol

from app.access.passwords import Password, Source, made
from app.config import NO_PASSWORD, Config
from app.errors import N_, Conflict, StorageFailed
from app.storage.files import write_private

FILE = 'admission.json'


class Doorway(Protocol):
    """What listens."""

    async def open(self) -> None:
        """Let the network in.

        Raises:
            Conflict: The port can't be had there.
        """

    async def shut(self) -> None:
        """Let this machine in alone, and part with everybody else."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the file says."""

    shared: bool = False
    password: Password | None = None


class SharingSettings:
    """Who may connect, and with which password.

    Attributes:
        turn: Held by whoever changes the password; the next one looks again.
        is_open_house: Whether the operator says that there is none.
        is_fixed: Whether the operator's host lets the network in.
    """

    def __init__(self, config: Config) -> None:
        self.turn = asyncio.Lock()
        self._path = config.data / FILE
        self._kept = _Kept()
        self._from_outside = _from_outside(config)
        self.is_open_house = config.password == NO_PASSWORD
        self.is_fixed = not config.loopback
        self._host = config.host
        self._shares_now = config.share
        self._doorway: Doorway | None = None

    def load(self) -> None:
        """Read the file, if there is one; make a password where the network will come in.

        Raises:
            StorageFailed: It can't be read or written; nothing of it is thrown away.
        """
        try:
            if self._path.exists():
                self._path.chmod(0o600)
                self._kept = _kept_of(json.loads(self._path.read_text(encoding='utf-8')))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StorageFailed(
                N_(
                    'The password in {path} can not be read. Mend the file or move it away, then '
                    'start Easel again.'
                ),
                path=self._path,
            ) from error
        if self.is_shared and self._needs_password:
            self._keep(_Kept(self._kept.shared, made()))

    @property
    def password(self) -> Password | None:
        """What everybody is asked for; None where nobody is."""
        return None if self.is_open_house else self._from_outside or self._kept.password

    @property
    def is_shared(self) -> bool:
        """Whether the network is let in."""
        return self.is_fixed or self._shares_now or self._kept.shared

    @property
    def listens_on(self) -> str:
        """What is listened on while the network is let in."""
        return self._host if self.is_fixed else '::'

    def served_by(self, doorway: Doorway) -> None:
        """Name what listens, so that it can be told."""
        self._doorway = doorway

    async def share(self) -> None:
        """Let the network in from now on, and after the next start; with a password, always.

        Raises:
            Conflict: The port can't be had on the network.
            StorageFailed: The disk refused.
        """
        password = made() if self._needs_password else self._kept.password
        before = self._kept
        self._keep(_Kept(shared=True, password=password))
        if self._doorway and not self.is_fixed:
            try:
                await self._doorway.open()
            except Conflict:
                self._keep(before)
                raise

    async def withdraw(self) -> None:
        """Let this machine in alone; the password stays.

        Raises:
            Conflict: The operator's host lets the network in.
            StorageFailed: The disk refused.
        """
        if self.is_fixed:
            raise Conflict(N_('EASEL_HOST lets the network in; that is not changed here.'))
        self._keep(_Kept(shared=False, password=self._kept.password))
        self._shares_now = False
        if self._doorway:
            await self._doorway.shut()

    def change_password(self, password: Password) -> None:
        """Set another one.

        Raises:
            Conflict: It is the operator's to set.
            StorageFailed: The disk refused.
        """
        if self.is_open_house or self._from_outside:
            raise Conflict(N_('EASEL_PASSWORD sets the password; it is not changed here.'))
        self._keep(_Kept(self._kept.shared, password))

    @property
    def _needs_password(self) -> bool:
        return not self.is_open_house and self.password is None

    def _keep(self, kept: _Kept) -> None:
        password = kept.password
        fields = {
            'shared': kept.shared,
            'password': {password.source.value: password.kept} if password else {},
        }
        try:
            write_private(self._path, json.dumps(fields))
        except OSError as error:
            raise StorageFailed(
                N_('The password could not be kept: {reason}.'), reason=error.strerror
            ) from error
        self._kept = kept


def _from_outside(config: Config) -> Password | None:
    if config.password in (None, NO_PASSWORD):
        return None
    return Password(Source.ENVIRONMENT, config.password or '')


def _kept_of(fields: dict[str, object]) -> _Kept:
    password = fields['password']
    if not isinstance(password, dict):
        raise TypeError('not a file of ours')
    passwords = [Password(Source(source), str(kept)) for source, kept in password.items()]
    return _Kept(fields['shared'] is True, passwords[0] if passwords else None)

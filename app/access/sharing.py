"""How others come in: the password, and whether the network is let in at all.

Both can change while Easel runs. What is not from the environment is in one file of the data
folder, for this user alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from app.config import NO_PASSWORD, SHARING, Config
from app.errors import N_, Conflict, StorageFailed
from app.storage.files import write_private

LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'  # nothing that looks like another: 4.95 bits each
MADE_PARTS, PART_LETTERS = 4, 4  # 79 bits
SALT_BYTES = 16
# 16 MB and about 0.2 s a guess. Source: OWASP's password storage cheat sheet.
COST, BLOCK, ROUNDS = 2**14, 8, 5


class Source(StrEnum):
    """Where a password is from."""

    ENVIRONMENT = 'environment'
    MADE = 'made'
    CHOSEN = 'chosen'


@dataclass(frozen=True, slots=True)
class Password:
    """A password that is set."""

    source: Source
    kept: str  # the password itself; of a chosen one `salt$hash` in hex, by scrypt

    def matches(self, given: str) -> bool:
        """Compare in a time that tells nothing; a chosen one takes about 0.2 s."""
        if self.source is not Source.CHOSEN:
            return hmac.compare_digest(_digest(given), _digest(self.kept))
        salt, _, known = self.kept.partition('$')
        return hmac.compare_digest(_hashed(given, bytes.fromhex(salt)), bytes.fromhex(known))


class NetworkListener(Protocol):
    """What listens: on the network while it is open, else on this machine alone."""

    async def open(self) -> None:
        """Let the network in; raise `Conflict` if the port can't be had there."""

    async def shut(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the file says."""

    shared: bool = False
    password: Password | None = None


class SharingSettings:
    """Who may connect, and with which password; a change raises `StorageFailed` on a bad disk."""

    def __init__(self, config: Config) -> None:
        self.lock = asyncio.Lock()  # held while the password changes; the next one looks again
        self.without_password = config.password == NO_PASSWORD
        self.is_fixed = not config.loopback  # the operator's host lets the network in
        self.listener: NetworkListener | None = None
        self._path = config.data / SHARING
        self._stored = _Stored()
        self._operators = None
        if config.password is not None and not self.without_password:
            self._operators = Password(Source.ENVIRONMENT, config.password)
        self._host = config.host
        self._shares_now = config.share

    def load(self) -> None:
        """Read the file, if there is one; make a password where the network will come in."""
        try:
            if self._path.exists():
                self._path.chmod(0o600)
                fields = json.loads(self._path.read_text(encoding='utf-8'))
                stored = fields['password'].items()
                passwords = [Password(Source(name), str(kept)) for name, kept in stored]
                self._stored = _Stored(fields['shared'] is True, next(iter(passwords), None))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StorageFailed(
                N_(
                    "The password in {path} can't be read. Fix the file or move it away, then "
                    'start Easel again.'
                ),
                path=self._path,
            ) from error
        if self.is_shared and not self.without_password and not self.password:
            self._store(replace(self._stored, password=new_password()))

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
        """Let the network in, also after the next start; raise `Conflict` if it can't be."""
        before = self._stored
        password = before.password if self.without_password or self.password else new_password()
        self._store(_Stored(shared=True, password=password))
        if self.listener and not self.is_fixed:
            try:
                await self.listener.open()
            except Conflict:
                self._store(before)
                raise

    async def withdraw(self) -> None:
        """Let this machine in alone; the password stays. Raise `Conflict` where that is fixed."""
        if self.is_fixed:
            raise Conflict(N_('EASEL_HOST opens Easel to the network. Change it there.'))
        self._store(replace(self._stored, shared=False))
        self._shares_now = False
        if self.listener:
            await self.listener.shut()

    def change_password(self, password: Password) -> None:
        """Set another one; raise `Conflict` if it is the operator's to set."""
        if self.without_password or self._operators:
            raise Conflict(N_('EASEL_PASSWORD sets the password. Change it there.'))
        self._store(replace(self._stored, password=password))

    def _store(self, stored: _Stored) -> None:
        password = stored.password
        kept = {password.source: password.kept} if password else {}
        try:
            write_private(self._path, json.dumps({'shared': stored.shared, 'password': kept}))
        except OSError as error:
            raise StorageFailed(
                N_("The password couldn't be saved: {reason}."), reason=error.strerror
            ) from error
        self._stored = stored


def new_password() -> Password:
    """Make one that can be read out and typed: `k7mw-3hqa-…`."""
    parts = (
        ''.join(secrets.choice(LETTERS) for _ in range(PART_LETTERS)) for _ in range(MADE_PARTS)
    )
    return Password(Source.MADE, '-'.join(parts))


def hashed_password(text: str) -> Password:
    """Hash one that the owner chose, so that nobody can read it again."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Password(Source.CHOSEN, f'{salt.hex()}${_hashed(text, salt).hex()}')


def _digest(text: str) -> bytes:
    """Return a hash, since a comparison shows the length of what it compares."""
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).digest()


def _hashed(text: str, salt: bytes) -> bytes:
    words = text.encode('utf-8', 'surrogatepass')
    return hashlib.scrypt(words, salt=salt, n=COST, r=BLOCK, p=ROUNDS)

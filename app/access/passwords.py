"""The password: the operator's, one that Easel made, or one that the owner chose."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

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
    """A password that is set.

    Attributes:
        kept: The password itself; of a chosen one `salt$hash` in hex, by scrypt.
    """

    source: Source
    kept: str

    def matches(self, given: str) -> bool:
        """Compare in a time that tells nothing; a chosen one takes about 0.2 s."""
        if self.source is not Source.CHOSEN:
            return hmac.compare_digest(_digest(given), _digest(self.kept))
        salt, _, known = self.kept.partition('$')
        return hmac.compare_digest(_hashed(given, bytes.fromhex(salt)), bytes.fromhex(known))


def made() -> Password:
    """Make one that can be read out and typed: `k7mw-3hqa-…`."""
    parts = (
        ''.join(secrets.choice(LETTERS) for _ in range(PART_LETTERS)) for _ in range(MADE_PARTS)
    )
    return Password(Source.MADE, '-'.join(parts))


def chosen(text: str) -> Password:
    """Hash one that the owner chose, so that nobody can read it again."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Password(Source.CHOSEN, f'{salt.hex()}${_hashed(text, salt).hex()}')


def _digest(text: str) -> bytes:
    """Return a hash, since a comparison shows the length of what it compares."""
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).digest()


def _hashed(text: str, salt: bytes) -> bytes:
    words = text.encode('utf-8', 'surrogatepass')
    return hashlib.scrypt(words, salt=salt, n=COST, r=BLOCK, p=ROUNDS)

"""Who is asking: nobody in particular, the owner, a guest, or a program with a token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.access.sharing import SharingSettings
from app.access.signed_out import SignedOut, parts_of
from app.config import new_secret
from app.database.links import GuestRow

SESSION_S = 90 * 24 * 3600
CLOCK_ERROR_S = 24 * 3600  # a session that ends later began under a clock that was wrong


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom a request comes in; neither is a stranger."""

    owner: bool = False
    guest: GuestRow | None = None


STRANGER = Identity()
OWNER = Identity(owner=True)


class Sessions:
    """Signs and checks the session cookie; a changed password ends every session.

    A cookie is `EXPIRES.GUEST.MARK.SIGNATURE`, without a guest for the owner; older ones have no
    mark.
    """

    def __init__(
        self,
        sharing: SharingSettings,
        secret: str,
        tokens: Iterable[str | None] = (),
        guest_of: Callable[[int], GuestRow | None] = lambda _: None,
        root_path: str = '',
        signed_out: SignedOut | None = None,
    ) -> None:
        self._sharing = sharing
        self._secret = secret
        self._tokens = [token for token in tokens if token]
        self._guest_of = guest_of
        self._below = bool(root_path)
        self._signed_out = signed_out or SignedOut()
        self.cookie_name = f'easel-{hashlib.sha256(secret.encode()).hexdigest()[:8]}'

    @property
    def needed(self) -> bool:
        """Whether a password is set at all."""
        return self._sharing.password is not None

    def sign_in(self, given: str) -> str | None:
        """Return the owner's cookie for the right password, else None; may take 0.2 s."""
        password = self._sharing.password
        return self.cookie_for() if password and password.matches(given) else None

    def cookie_for(self, guest: GuestRow | None = None) -> str:
        """Return the cookie of a guest whose link was checked, or of the proved owner."""
        expires = int(time.time()) + SESSION_S
        claims = f'{expires}.{guest.id if guest else ""}.{secrets.token_hex(8)}'
        return f'{claims}.{_signature(claims, self._key())}'

    def cookie_name_on(self, scheme: str) -> str:
        """Return the cookie's name; over TLS so that no other host and no plain page can set it.

        `__Host-` is for the root of a host alone: below it, another host of the domain may.
        """
        if scheme != 'https':
            return self.cookie_name
        return f'__Secure-{self.cookie_name}' if self._below else f'__Host-{self.cookie_name}'

    def who(self, headers: Mapping[str, str], scheme: str = 'http') -> Identity:
        """Return as whom a request comes in; without a password everybody is the owner."""
        if not self.needed or self.has_token(headers):
            return OWNER
        found = [self._whose(claims) for claims in self._claims_in(headers, scheme)]
        if OWNER in found:  # who also opened a guest's link is still the owner
            return OWNER
        return next((one for one in found if one != STRANGER), STRANGER)

    def device_cookie(self) -> str:
        """Return what a browser keeps that the password was given in: its guesses count apart."""
        mark = secrets.token_hex(16)
        return f'{mark}.{self._device_signature(mark)}'

    def device_in(self, headers: Mapping[str, str], scheme: str) -> str:
        """Return the mark of a browser that the password was given in; empty for any other."""
        name = self.device_name_on(scheme)
        for mark, _, signature in _cookies_in(headers.get('cookie', ''), name):
            if hmac.compare_digest(signature.encode(), self._device_signature(mark).encode()):
                return mark
        return ''

    def device_name_on(self, scheme: str) -> str:
        return f'{self.cookie_name_on(scheme)}-device'

    async def sign_out(self, headers: Mapping[str, str], scheme: str) -> None:
        """End the sessions of a request, wherever their cookies are."""
        for claims in self._claims_in(headers, scheme):
            if self._whose(claims) != STRANGER:
                await self._signed_out.add(claims)

    def has_token(self, headers: Mapping[str, str]) -> bool:
        """Whether a request carries a program's token."""
        given = bearer_in(headers).encode()
        return any(hmac.compare_digest(given, known.encode()) for known in self._tokens)

    def _claims_in(self, headers: Mapping[str, str], scheme: str) -> tuple[str, ...]:
        """Return what the cookies of this Easel say whose signature is right."""
        return _signed_claims(headers.get('cookie', ''), self.cookie_name_on(scheme), self._key())

    def _whose(self, claims: str) -> Identity:
        expires, guest_id, _ = parts_of(claims)
        left_s = expires - time.time()
        if not 0 < left_s <= SESSION_S + CLOCK_ERROR_S or claims in self._signed_out:
            return STRANGER
        return Identity(guest=self._guest_of(int(guest_id))) if guest_id else OWNER

    def _key(self) -> bytes:
        password = self._sharing.password
        return _key_of(self._secret, password.kept if password else None)

    def _device_signature(self, mark: str) -> str:
        return hmac.new(self._secret.encode(), f'device.{mark}'.encode(), 'sha256').hexdigest()


@lru_cache(1)
def _key_of(secret: str, kept_password: str | None) -> bytes:
    return hashlib.sha256(f'{secret}\n{kept_password}'.encode()).digest()


@lru_cache(64)  # a page's pictures are asked for with one cookie
def _signed_claims(cookies: str, name: str, key: bytes) -> tuple[str, ...]:
    return tuple(
        claims
        for claims, _, signature in _cookies_in(cookies, name)
        if hmac.compare_digest(signature.encode(), _signature(claims, key).encode())
    )


def _cookies_in(cookies: str, wanted: str) -> list[tuple[str, str, str]]:
    """Return the cookies of a name, each parted before its signature."""
    # by hand: a library gives up at the odd cookies that other apps on this host set
    pairs = [pair.strip().partition('=') for pair in cookies.split(';')]
    return [value.rpartition('.') for name, _, value in pairs if name == wanted]


def _signature(claims: str, key: bytes) -> str:
    return hmac.digest(key, claims.encode(), 'sha256').hex()


def bearer_in(headers: Mapping[str, str]) -> str:
    """Return the token that a program sends, right or wrong; empty where there is none."""
    scheme, _, token = headers.get('authorization', '').partition(' ')
    return token.strip() if scheme.lower() == 'bearer' else ''


def kept_secret(path: Path) -> str:
    """Read a secret of the data folder, making it on the first start; raise `OSError`."""
    if not path.exists() or path.stat().st_size == 0:
        path.touch(mode=0o600)
        path.write_text(new_secret(), encoding='ascii')
    return path.read_text(encoding='ascii').strip()

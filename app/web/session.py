"""Who is asking: nobody in particular, a signed-in visitor, or a program with a token."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from pathlib import Path

from app.config import Config, new_secret

SESSION_S = 90 * 24 * 3600
NO_PASSWORD = 'off'  # noqa: S105 (the word that says there is none)


class Sessions:
    """Signs and checks the session cookie; a changed password ends every session."""

    def __init__(self, config: Config, secret: str, local_token: str) -> None:
        password = config.password
        self._password = None if password in (None, NO_PASSWORD) else password
        self._tokens = [token for token in (config.token, local_token) if token]
        self._below = bool(config.root_path)
        self._key = hashlib.sha256(f'{secret}\n{self._password}'.encode()).digest()
        self.cookie_name = f'easel-{hashlib.sha256(secret.encode()).hexdigest()[:8]}'

    @property
    def needed(self) -> bool:
        """Whether a password is set at all."""
        return self._password is not None

    def sign_in(self, password: str) -> str | None:
        """Give a cookie's value for the right password, None for a wrong one."""
        right = (self._password or '').encode()
        if not self.needed or not hmac.compare_digest(password.encode(), right):
            return None
        expires = str(int(time.time()) + SESSION_S)
        return f'{expires}.{self._sign(expires)}'

    def cookie_name_on(self, scheme: str) -> str:
        """Name the cookie; over TLS so that no other host and no plain page can set it.

        `__Host-` is for the root of a host alone: below it, another host of the domain may.
        """
        if scheme != 'https':
            return self.cookie_name
        return f'__Secure-{self.cookie_name}' if self._below else f'__Host-{self.cookie_name}'

    def is_signed_in(self, headers: Mapping[str, str], scheme: str = 'http') -> bool:
        """Whether a request comes from somebody who may be here."""
        return not self.needed or self.has_token(headers) or self._has_cookie(headers, scheme)

    def has_token(self, headers: Mapping[str, str]) -> bool:
        """Whether a request carries a program's token."""
        scheme, _, token = headers.get('authorization', '').partition(' ')
        given = token.strip().encode()
        return scheme.lower() == 'bearer' and any(
            hmac.compare_digest(given, known.encode()) for known in self._tokens
        )

    def _has_cookie(self, headers: Mapping[str, str], scheme: str) -> bool:
        """Look for our cookie by hand: a library gives up at the odd ones that other apps set."""
        for pair in headers.get('cookie', '').split(';'):
            name, _, value = pair.strip().partition('=')
            if name == self.cookie_name_on(scheme) and self._is_valid(value):
                return True
        return False

    def _is_valid(self, cookie: str) -> bool:
        expires, _, signature = cookie.partition('.')
        if not hmac.compare_digest(signature.encode(), self._sign(expires).encode()):
            return False
        return int(expires) > time.time()

    def _sign(self, expires: str) -> str:
        return hmac.new(self._key, expires.encode(), 'sha256').hexdigest()


def kept_secret(path: Path) -> str:
    """Read a secret of the data folder, making it on the first start; mode 0600.

    Raises:
        OSError: The file can be neither read nor written.
    """
    if not path.exists() or path.stat().st_size == 0:
        path.touch(mode=0o600)
        path.write_text(new_secret(), encoding='ascii')
    return path.read_text(encoding='ascii').strip()

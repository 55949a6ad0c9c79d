"""The operator's variables, read with a sentence for each way they can be wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from app.errors import InvalidRequest
from app.net.api_url import normalize_api_url
from app.net.ip import Network, networks_in
from app.net.urls import Blocked, origin_of

EXAMPLE_API_URL = 'http://localhost:1337/v1'

_HOST_NAME = re.compile(r'[a-z0-9]([a-z0-9.-]*[a-z0-9])?', re.IGNORECASE)
_ROOT_PATH = re.compile(r'(/[A-Za-z0-9_~][A-Za-z0-9_~.-]*)+')
_HEADER_VALUE = re.compile(r'[!-~]+')


class ConfigError(Exception):
    """A variable holds what can't be meant; the text names it, the value and what is allowed."""


class Values:
    """Reads one set of variables; each question raises `ConfigError` for what can't be meant."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def has(self, name: str) -> bool:
        """Whether a variable says anything."""
        return bool(self._environment.get(name, '').strip())

    def text(self, name: str, default: str) -> str:
        """Read a text, or its default."""
        return self._environment.get(name, '').strip() or default

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """Read a number within bounds."""
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ConfigError(f'{name} is {text!r}; a number from {least} to {most} is allowed.')
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Read a whole number within bounds."""
        value = self.number(name, default, least, most)
        if value != int(value):
            raise ConfigError(
                f'{name} is {value}; a whole number from {least} to {most} is allowed.'
            )
        return int(value)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Read one of a few words, in any case."""
        text = self.text(name, default).lower()
        if text not in allowed:
            raise ConfigError(f'{name} is {text!r}; allowed are {", ".join(allowed)}.')
        return text

    def secret(self, name: str) -> str | None:
        """Read a secret from its variable, or from the file that `…_FILE` names."""
        if self.has(name):
            return self._environment[name].strip()
        if not self.has(f'{name}_FILE'):
            return None
        path = Path(self._environment[f'{name}_FILE'].strip()).expanduser()
        try:
            return path.read_text(encoding='utf-8').strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f'{name}_FILE is {str(path)!r}, which can not be read.') from error

    def key(self, name: str) -> str | None:
        """Read a secret that goes into a header; a wrong one is never shown."""
        secret = self.secret(name)
        if secret is not None and not _HEADER_VALUE.fullmatch(secret):
            raise ConfigError(f'{name} holds blanks or letters that no HTTP header can carry.')
        return secret

    def api(self, name: str) -> str:
        """Read the address of an API, in any spelling."""
        text = self.text(name, '')
        try:
            return normalize_api_url(text)
        except InvalidRequest as error:
            raise ConfigError(
                f'{name} is {text!r}; an address like {EXAMPLE_API_URL} is allowed, '
                'without a user name in it.'
            ) from error

    def origins(self, name: str) -> tuple[str, ...]:
        """Read origins, comma separated."""
        return tuple(
            self._origin(name, part.strip())
            for part in self.text(name, '').split(',')
            if part.strip()
        )

    def _origin(self, name: str, text: str) -> str:
        try:
            origin_of(text)
        except Blocked as error:
            raise ConfigError(
                f'{name} holds {text!r}; origins like http://10.0.0.5:8080 are allowed.'
            ) from error
        return text.rstrip('/')

    def hosts(self, name: str) -> tuple[str, ...]:
        """Read Host names, comma separated."""
        names = tuple(part.strip() for part in self.text(name, '').split(',') if part.strip())
        for host in names:
            if not _HOST_NAME.fullmatch(host):
                raise ConfigError(
                    f'{name} holds {host!r}; names without port or scheme are allowed.'
                )
        return names

    def root(self, name: str) -> str:
        """Read a path below the host, without its last slash; empty means the host's root."""
        text = self.text(name, '')
        path = text.removesuffix('/')
        if path and not _ROOT_PATH.fullmatch(path):
            raise ConfigError(
                f'{name} is {text!r}; a path like /easel is allowed, of letters and digits.'
            )
        return path

    def networks(self, name: str) -> tuple[Network, ...]:
        """Read addresses and networks, comma separated."""
        text = self.text(name, '')
        try:
            return networks_in(text)
        except ValueError as error:
            allowed = 'addresses and networks like 172.18.0.0/16, but not everybody, are allowed.'
            raise ConfigError(f'{name} is {text!r}; {allowed}') from error

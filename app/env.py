"""The operator's variables: from which source they come, and what each may hold.

A `.env` file is read from the checkout and from the data folder, never from the folder that a
command happens to be started in. A key goes with an address of its own source; where its source
names none, with that of the environment or with the default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from app.errors import InvalidRequest
from app.net.ip import Network, networks_in
from app.net.urls import Blocked, normalize_api_url, origin_of

DEFAULT_API_URL = 'http://localhost:1337/v1'
DATA = 'EASEL_DATA'
# The variables that may name the address, the first wins; with each the keys it may be given.
KEYS_OF = {
    'EASEL_API_URL': ('EASEL_API_KEY',),
    'OPENAI_BASE_URL': ('EASEL_API_KEY', 'OPENAI_API_KEY'),
}
KEYS_OF_DEFAULT = ('EASEL_API_KEY',)

T = TypeVar('T')
_HOST_NAME = re.compile(r'[a-z0-9]([a-z0-9.-]*[a-z0-9])?', re.IGNORECASE)
_ROOT_PATH = re.compile(r'(/[A-Za-z0-9_~][A-Za-z0-9_~.-]*)+')
_HEADER_VALUE = re.compile(r'[!-~]+')


class ConfigError(Exception):
    """A variable's value is not allowed; the text names it, the value and what is allowed."""


class Values:
    """Reads one set of variables; each method raises `ConfigError` for what is not allowed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def has(self, name: str) -> bool:
        return bool(self._environment.get(name, '').strip())

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name, '').strip() or default

    def number(self, name: str, default: float, least: float, most: float) -> float:
        text = self.text(name, str(default))
        wrong = f'{name} is {text!r}; a number from {least} to {most} is allowed.'
        value = _parsed(text, float, wrong)
        if not least <= value <= most:
            raise ConfigError(wrong)
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        value = self.number(name, default, least, most)
        allowed = f'a whole number from {least} to {most} is allowed.'
        if value != int(value):
            raise ConfigError(f'{name} is {value}; {allowed}')
        return int(value)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self.text(name, default).lower()
        if text not in allowed:
            raise ConfigError(f'{name} is {text!r}; allowed are {", ".join(allowed)}.')
        return text

    def secret(self, name: str) -> str | None:
        """Read a secret from its variable, or from the file that `…_FILE` names."""
        if self.has(name):
            return self.text(name, '')
        if not self.has(f'{name}_FILE'):
            return None
        path = Path(self.text(f'{name}_FILE', '')).expanduser()
        try:
            return path.read_text(encoding='utf-8').strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name}_FILE is {str(path)!r}, which can't be read.") from error

    def key(self, name: str) -> str | None:
        """Read a secret that goes into a header; a wrong one is never shown."""
        secret = self.secret(name)
        if secret is not None and not _HEADER_VALUE.fullmatch(secret):
            raise ConfigError(f"{name} has spaces or characters that an HTTP header can't carry.")
        return secret

    def api(self, name: str) -> str:
        text = self.text(name, '')
        allowed = f'an address like {DEFAULT_API_URL} is allowed, without a user name in it.'
        return _parsed(text, normalize_api_url, f'{name} is {text!r}; {allowed}')

    def origins(self, name: str) -> tuple[str, ...]:
        origins = self._parts(name)
        allowed = 'origins like http://10.0.0.5:8080 are allowed.'
        for text in origins:
            _parsed(text, origin_of, f'{name} holds {text!r}; {allowed}')
        return tuple(text.rstrip('/') for text in origins)

    def hosts(self, name: str) -> tuple[str, ...]:
        names = self._parts(name)
        allowed = 'names without port or scheme are allowed.'
        for host in names:
            if not _HOST_NAME.fullmatch(host):
                raise ConfigError(f'{name} holds {host!r}; {allowed}')
        return names

    def _parts(self, name: str) -> tuple[str, ...]:
        return tuple(filter(None, map(str.strip, self.text(name, '').split(','))))

    def root(self, name: str) -> str:
        """Read a path below the host, without its last slash; empty means the host's root."""
        text = self.text(name, '')
        path = text.removesuffix('/')
        if path and not _ROOT_PATH.fullmatch(path):
            allowed = 'a path like /easel is allowed, of letters and digits.'
            raise ConfigError(f'{name} is {text!r}; {allowed}')
        return path

    def networks(self, name: str) -> tuple[Network, ...]:
        text = self.text(name, '')
        allowed = 'addresses and networks like 172.18.0.0/16, but not every address, are allowed.'
        return _parsed(text, networks_in, f'{name} is {text!r}; {allowed}')


def _parsed(text: str, parse: Callable[[str], T], wrong: str) -> T:
    try:
        return parse(text)
    except (ValueError, InvalidRequest, Blocked) as error:
        raise ConfigError(wrong) from error


@dataclass(frozen=True, slots=True)
class Source:
    """One place that sets variables: the environment, or a `.env` file."""

    where: str  # follows a variable's name: `of the environment`, `in /x/.env`
    variables: dict[str, str] = field(repr=False)
    is_file: bool = False

    def set_of(self, secrets: Iterable[str]) -> list[str]:
        """Return the variables that it sets for these secrets, each also by its file."""
        values = Values(self.variables)
        names = (name for secret in secrets for name in (secret, f'{secret}_FILE'))
        return [name for name in names if values.has(name)]


DEFAULTS = Source('', {})


def dotenv_in(folder: Path) -> Source:
    """Read the `.env` file of a folder, an empty source where there is none.

    A relative path in it begins at its folder, wherever the command was started. Raises
    `ConfigError` where it cannot be read.
    """
    file = folder / '.env'
    try:
        found = file.is_file()
    except OSError:  # a folder that cannot be looked into is reported when it is opened
        found = False
    if not found:
        return Source(f'in {file}', {}, is_file=True)
    from dotenv import dotenv_values

    try:
        lines = dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{str(file)!r} can't be read.") from error
    variables = {name: text for name, text in lines.items() if text and text.strip()}
    for name, text in variables.items():
        is_secret = name.startswith(('EASEL_', 'OPENAI_')) and name.endswith('_FILE')
        if name == DATA or is_secret:
            variables[name] = str(folder / Path(text.strip()).expanduser())
    return Source(f'in {file}', variables, is_file=True)


def merge(sources: Iterable[Source]) -> dict[str, str]:
    """Merge all, the first wins; a secret and the file it may stand in are one variable."""
    merged: dict[str, str] = {}
    for source in sources:
        settled = {name.removesuffix('_FILE') for name, text in merged.items() if text.strip()}
        merged |= {
            name: text
            for name, text in source.variables.items()
            if name not in merged and name.removesuffix('_FILE') not in settled
        }
    return merged


def drop_strange_keys(sources: Sequence[Source]) -> list[str]:
    """Take out the keys that were not set for the address; returns a sentence for each source.

    A key fits an address of its own source; one whose source names no address fits any that
    comes from no file. The sources are in order, the first wins.
    """
    address, home = _address(sources)
    warnings: list[str] = []
    settled = False
    for source in sources:
        keys = source.set_of(KEYS_OF.get(address, KEYS_OF_DEFAULT))
        if source is home or not (home.is_file or source.set_of(KEYS_OF)):
            settled = settled or bool(keys)
            continue
        for name in keys:
            del source.variables[name]
        if keys and not settled:
            verb = 'is' if len(keys) == 1 else 'are'
            place = f'{address} {home.where}' if address else 'the default'
            warnings.append(
                f'{", ".join(keys)} {source.where} {verb} not used: the address is {place}, and a '
                'key is only used with an address from the same place. Set both in one place.'
            )
    return warnings


def _address(sources: Sequence[Source]) -> tuple[str, Source]:
    """Find which variable names the provider's address, and where."""
    for name in KEYS_OF:
        # The first to set it counts, also to nothing: that undoes what a weaker one says.
        source = next((one for one in sources if name in one.variables), DEFAULTS)
        if Values(source.variables).has(name):
            return name, source
    return '', DEFAULTS

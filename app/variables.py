"""The operator's variables, from every source, and which key goes with which address.

A `.env` file is read from the checkout and from the data folder, never from the folder that a
command happens to be started in. A key goes with an address of its own source; where its source
names none, with that of the environment or with the default.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.env import ConfigError, Values

DATA = 'EASEL_DATA'
# The variables that may name the address, the first wins; with each the keys it may be given.
KEYS_OF = {
    'EASEL_API_URL': ('EASEL_API_KEY',),
    'OPENAI_BASE_URL': ('EASEL_API_KEY', 'OPENAI_API_KEY'),
}
KEYS_OF_DEFAULT = ('EASEL_API_KEY',)


@dataclass(frozen=True, slots=True)
class Source:
    """One place that sets variables.

    Attributes:
        where: What follows a variable's name in a sentence: `of the environment`, `in /x/.env`.
        is_file: Whether it is a `.env` file, which gets no key but its own.
    """

    where: str
    variables: Mapping[str, str] = field(repr=False)
    is_file: bool = False

    @property
    def names_address(self) -> bool:
        """Whether it says where the provider is."""
        return any(Values(self.variables).has(name) for name in KEYS_OF)

    def set_of(self, secrets: Iterable[str]) -> tuple[str, ...]:
        """Give the variables that it sets for these secrets, each also by its file."""
        values = Values(self.variables)
        names = (name for secret in secrets for name in (secret, f'{secret}_FILE'))
        return tuple(name for name in names if values.has(name))

    def without(self, names: Collection[str]) -> Source:
        """Give the source with these variables left out."""
        kept = {name: text for name, text in self.variables.items() if name not in names}
        return replace(self, variables=kept)


DEFAULTS = Source('', {})


@dataclass(frozen=True, slots=True)
class Paired:
    """All variables as one, and a sentence for each key that may not go with the address."""

    variables: Mapping[str, str] = field(repr=False)
    warnings: tuple[str, ...]


def dotenv_in(folder: Path) -> Source:
    """Read the `.env` file of a folder, an empty source where there is none.

    A relative path in it begins at its folder, wherever the command was started.

    Raises:
        ConfigError: It is there and can't be read.
    """
    file = folder / '.env'
    try:
        found = file.is_file()
    except OSError:  # a folder that can't be looked into is told when it is opened
        found = False
    if not found:
        return Source(f'in {file}', {}, is_file=True)
    from dotenv import dotenv_values

    try:
        lines = dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f'{str(file)!r} can not be read.') from error
    said = {name: text for name, text in lines.items() if text and text.strip()}
    variables = {name: _from(folder, name, text) for name, text in said.items()}
    return Source(f'in {file}', variables, is_file=True)


def merge(sources: Iterable[Source]) -> dict[str, str]:
    """Make one of all, the first wins; a secret and the file it may stand in are one thing."""
    merged: dict[str, str] = {}
    for source in sources:
        settled = {name.removesuffix('_FILE') for name, text in merged.items() if text.strip()}
        merged |= {
            name: text
            for name, text in source.variables.items()
            if name not in merged and name.removesuffix('_FILE') not in settled
        }
    return merged


def pair(sources: Iterable[Source]) -> Paired:
    """Make one of all, the first wins, without the keys that were not set for the address."""
    given = tuple(sources)
    address, home = _address(given)
    kept: list[Source] = []
    warnings: list[str] = []
    settled = False
    for source in given:
        keys = source.set_of(KEYS_OF.get(address, KEYS_OF_DEFAULT))
        fits = _fits(source, home)
        kept.append(source if fits else source.without(keys))
        if keys and not fits and not settled:
            warnings.append(_withheld(source, keys, address, home))
        settled = settled or (bool(keys) and fits)
    return Paired(merge(kept), tuple(warnings))


def _from(folder: Path, name: str, text: str) -> str:
    is_path = name == DATA or (name.startswith(('EASEL_', 'OPENAI_')) and name.endswith('_FILE'))
    return str(folder / Path(text.strip()).expanduser()) if is_path else text


def _address(sources: tuple[Source, ...]) -> tuple[str, Source]:
    """Find which variable names the provider's address, and where."""
    for name in KEYS_OF:
        # The first to set it counts, also to nothing: that undoes what a weaker one says.
        source = next((one for one in sources if name in one.variables), DEFAULTS)
        if Values(source.variables).has(name):
            return name, source
    return '', DEFAULTS


def _fits(source: Source, home: Source) -> bool:
    """Whether a key of this source may go to an address of that one."""
    return source is home or not (home.is_file or source.names_address)


def _withheld(source: Source, keys: tuple[str, ...], address: str, home: Source) -> str:
    place = f'{address} {home.where}' if address else 'the default'
    verb = 'is' if len(keys) == 1 else 'are'
    return (
        f'{", ".join(keys)} {source.where} {verb} not used: the address is {place}, '
        'and a key goes only with an address from its own place. Set both in one place.'
    )

"""The operator's config: command line, then environment, then `.env` files, then defaults.

The only module that reads the environment.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.env import (
    DATA,
    DEFAULT_API_URL,
    DEFAULTS,
    ConfigError,
    Source,
    Values,
    dotenv_in,
    drop_strange_keys,
    merge,
)
from app.net.ip import Network

# What the data folder holds besides pictures.
DATABASE = 'easel.db'
SECRET = 'secret'  # noqa: S105 (the file's name)
TOKEN = 'token'  # noqa: S105 (the file's name)
KEYS = 'keys.json'
SHARING = 'admission.json'
SIGNED_OUT = 'signed-out.json'
PRIVATE = (SECRET, TOKEN, KEYS, SHARING, SIGNED_OUT, '.env')  # and what of that a backup has
NIGHTLY = 'nightly.json'
CACHE = 'cache'
CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_MODEL = 'flux'
DEFAULT_PORT = 8484
NO_PASSWORD = 'off'  # noqa: S105 (the word that says there is none)
LEAST_PASSWORD, LEAST_TOKEN = 8, 16  # characters
SECRETS = ('EASEL_API_KEY', 'EASEL_PASSWORD', 'EASEL_TOKEN', 'OPENAI_API_KEY')
KNOWN = {
    *('EASEL_HOST', 'EASEL_PORT', 'EASEL_DATA', 'EASEL_API_URL', 'EASEL_API_MODEL'),
    *('EASEL_IMAGE_ORIGINS', 'EASEL_HOSTS', 'EASEL_TRUSTED_PROXIES', 'EASEL_ROOT_PATH'),
    *('EASEL_TIMEOUT_S', 'EASEL_LOG', 'EASEL_LOG_FORMAT'),
    *SECRETS,
    *(f'{name}_FILE' for name in SECRETS),
}
EVERYBODY_IS_OWNER = (
    'EASEL_PASSWORD=off: anyone who can reach this Easel is its owner, and can see '
    'and change everything'
)
CHILD_NEEDS = ('PATH', 'HOME', 'LANG', 'LC_ALL', 'SYSTEMROOT', 'VIRTUAL_ENV', 'PYTHONHOME')

_BIND_ADDRESS = re.compile(r'[a-z0-9:]([a-z0-9.:-]*[a-z0-9:])?', re.IGNORECASE)
_LOOPBACK = re.compile(r'localhost|127(\.\d{1,3}){3}|::1', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the operator settles before the start."""

    host: str
    port: int
    data: Path
    api_url: str
    api_url_was_set: bool  # by somebody; else the demo may stand in for it
    api_model: str
    timeout_s: float
    log_level: str
    log_format: str
    password: str | None = field(repr=False)
    token: str | None = field(repr=False)
    api_key: str | None = field(repr=False)
    image_origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    root_path: str = ''  # where a browser finds Easel below its host: `/easel`; empty: at its root
    share: bool = False  # whether the network is let in for as long as this start lasts
    warnings: tuple[str, ...] = ()  # sentences to log at the start

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return bool(_LOOPBACK.fullmatch(self.host))


def read_config(
    *,
    host: str | None = None,
    port: int | None = None,
    data: str | None = None,
    share: bool = False,
    environment: Mapping[str, str] = os.environ,
    checkout: Path = CHECKOUT,
) -> Config:
    """Read the environment, then the `.env` of the data folder, then that of the checkout.

    The arguments win. `checkout` counts only if it is one: an installed package lies among others.
    Raises `ConfigError` as `config_from`, or where a `.env` file cannot be read.
    """
    shell = Source('of the environment', dict(environment))
    project = dotenv_in(checkout) if _is_checkout(checkout) else DEFAULTS
    folder = _data_folder(data, Values(merge((shell, project))), checkout)
    kept = dotenv_in(folder)
    is_moved = Path(kept.variables.pop(DATA, folder)) != folder
    sources = (shell, kept, project)
    warnings = drop_strange_keys(sources)
    config = config_from(merge(sources), host=host, port=port, data=str(folder), share=share)
    if is_moved:
        warnings += [
            f"EASEL_DATA {kept.where} is not used: a file in the data folder can't move it"
        ]
    return replace(config, warnings=(*warnings, *config.warnings))


def config_from(
    environment: Mapping[str, str],
    *,
    host: str | None = None,
    port: int | None = None,
    data: str | None = None,
    share: bool = False,
) -> Config:
    """Build the config from variables.

    Raises `ConfigError`: a value is not allowed, or a host is not loopback and no password is set.
    """
    values = Values(environment)
    url, key, was_set = _provider(values)
    config = Config(
        host=host or values.text('EASEL_HOST', '127.0.0.1'),
        port=port if port is not None else values.whole('EASEL_PORT', DEFAULT_PORT, 0, 65535),
        data=_data_folder(data, values, CHECKOUT),
        api_url=url,
        api_url_was_set=was_set,
        api_model=values.text('EASEL_API_MODEL', DEFAULT_MODEL),
        timeout_s=values.number('EASEL_TIMEOUT_S', 600, 1, 86_400),
        log_level=values.choice('EASEL_LOG', 'info', ('debug', 'info', 'warning', 'error')),
        log_format=values.choice('EASEL_LOG_FORMAT', 'text', ('text', 'json')),
        password=values.secret('EASEL_PASSWORD'),
        token=values.key('EASEL_TOKEN'),
        api_key=key,
        image_origins=values.origins('EASEL_IMAGE_ORIGINS'),
        hosts=values.hosts('EASEL_HOSTS'),
        trusted_proxies=values.networks('EASEL_TRUSTED_PROXIES'),
        root_path=values.root('EASEL_ROOT_PATH'),
        share=share,
        warnings=tuple(
            f"{name} isn't an Easel variable"
            for name in sorted(environment)
            if name.startswith('EASEL_') and name not in KNOWN
        ),
    )
    return _checked(config)


def new_secret() -> str:
    """Return 256 random bits, as text."""
    return secrets.token_urlsafe(32)


def child_environment() -> dict[str, str]:
    """Return the few variables that a child process needs, and none of the secrets."""
    return {name: os.environ[name] for name in CHILD_NEEDS if name in os.environ}


def can_show_browser() -> bool:
    """Whether there is a desktop to open a browser on; a text browser is not meant."""
    if sys.platform in ('win32', 'darwin'):
        return True
    return bool(os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY'))


def language_of_terminal() -> str:
    """Return the terminal's language, `ru` for `ru_RU.UTF-8`; empty when none is set."""
    for name in ('LC_ALL', 'LC_MESSAGES', 'LANG'):
        if os.environ.get(name):
            return os.environ[name][:2].lower()
    return ''


def _is_checkout(folder: Path) -> bool:
    return (folder / 'run.py').is_file() and (folder / 'pyproject.toml').is_file()


def _data_folder(data: str | None, values: Values, checkout: Path) -> Path:
    named = data or values.text(DATA, str(checkout / 'data') if _is_checkout(checkout) else '')
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path('easel', appauthor=False)


def _provider(values: Values) -> tuple[str, str | None, bool]:
    """Choose address and key together: a key never goes to an address it was not set for."""
    if values.has('EASEL_API_URL'):
        return values.api('EASEL_API_URL'), values.key('EASEL_API_KEY'), True
    if values.has('OPENAI_BASE_URL'):
        key = values.key('EASEL_API_KEY') or values.key('OPENAI_API_KEY')
        return values.api('OPENAI_BASE_URL'), key, True
    return DEFAULT_API_URL, values.key('EASEL_API_KEY'), False


def _checked(config: Config) -> Config:
    if not _BIND_ADDRESS.fullmatch(config.host) or '..' in config.host:
        raise ConfigError(f'EASEL_HOST is {config.host!r}; an address or a name is allowed.')
    for name, secret, least in (
        ('EASEL_PASSWORD', config.password, LEAST_PASSWORD),
        ('EASEL_TOKEN', config.token, LEAST_TOKEN),
    ):
        is_off = secret == config.password == NO_PASSWORD
        if secret and len(secret) < least and not is_off:
            raise ConfigError(f'{name} is too short; it needs at least {least} characters.')
    if not config.loopback and config.password is None and not config.share:
        raise ConfigError(
            f'EASEL_HOST is {config.host!r}, which other machines can reach, and no '
            'EASEL_PASSWORD is set. Set one, or start with --share, which creates one; '
            'EASEL_PASSWORD=off turns it off on purpose.'
        )
    if config.password == NO_PASSWORD and (config.share or not config.loopback):
        return replace(config, warnings=(*config.warnings, EVERYBODY_IS_OWNER))
    return config

"""The operator's config: each variable, each wrong value, and where secrets may not go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.config import Config, child_environment, config_from
from app.env import DEFAULT_API_URL, ConfigError
from app.net.client import HttpClient
from app.providers.core.base import ProviderSettings
from app.providers.provider import ApiProvider

SECRET = 'sk-of-nobody-at-all'
WRONG_ROOT_PATHS = (
    *('easel', '//easel', '//', '/easel//', '/a//b', '/..', '/a/..', '/a/../b', '/.', '/a/./b'),
    *('/a?b', '/a#b', '/a b', '/a%2fb', '/a;b', '/a"b', '/a<b', '/ä', 'https://a.test/easel'),
)


def test_without_any_variable_everything_has_a_default() -> None:
    config = config_from({})

    assert (config.host, config.port, config.timeout_s) == ('127.0.0.1', 8484, 600)
    assert (config.api_url, config.api_url_was_set) == (DEFAULT_API_URL, False)
    assert (config.api_model, config.log_level, config.log_format) == ('flux', 'info', 'text')
    assert (config.password, config.token, config.api_key) == (None, None, None)
    assert (config.hosts, config.image_origins, config.warnings) == ((), (), ())


@pytest.mark.parametrize(
    ('name', 'value', 'field', 'read'),
    [
        ('EASEL_HOST', '127.0.0.5', 'host', '127.0.0.5'),
        ('EASEL_PORT', '9000', 'port', 9000),
        ('EASEL_PORT', '0', 'port', 0),
        ('EASEL_DATA', '/srv/easel', 'data', Path('/srv/easel')),
        ('EASEL_DATA', '~/easel', 'data', Path.home() / 'easel'),
        ('EASEL_API_URL', 'https://a.test/v1', 'api_url', 'https://a.test/v1'),
        ('EASEL_API_URL', ' a.test:8000/v1 ', 'api_url', 'http://a.test:8000/v1'),
        ('EASEL_API_MODEL', 'sdxl', 'api_model', 'sdxl'),
        ('EASEL_TIMEOUT_S', '1.5', 'timeout_s', 1.5),
        ('EASEL_LOG', 'DEBUG', 'log_level', 'debug'),
        ('EASEL_LOG_FORMAT', 'json', 'log_format', 'json'),
        ('EASEL_PASSWORD', ' 8 letters ', 'password', '8 letters'),
        ('EASEL_PASSWORD', '8letters', 'password', '8letters'),
        ('EASEL_PASSWORD', 'off', 'password', 'off'),
        ('EASEL_TOKEN', 'sixteen-letters!', 'token', 'sixteen-letters!'),
        ('EASEL_API_KEY', 'word', 'api_key', 'word'),
        ('EASEL_HOSTS', 'a.test, nas ,', 'hosts', ('a.test', 'nas')),
        ('EASEL_ROOT_PATH', '/', 'root_path', ''),
        ('EASEL_ROOT_PATH', '/easel', 'root_path', '/easel'),
        ('EASEL_ROOT_PATH', ' /~me/easel.2/ ', 'root_path', '/~me/easel.2'),
        ('EASEL_IMAGE_ORIGINS', 'http://a.test:9/, http://b', 'image_origins', ('http://a.test:9', 'http://b')),
    ],
)  # fmt: skip
def test_a_variable_is_read(name: str, value: str, field: str, read: object) -> None:
    config = config_from({name: value})

    assert getattr(config, field) == read


@pytest.mark.parametrize(
    ('name', 'value', 'allowed'),
    [
        ('EASEL_PORT', 'http', '0 to 65535'),
        ('EASEL_PORT', '65536', '0 to 65535'),
        ('EASEL_PORT', '-1', '0 to 65535'),
        ('EASEL_PORT', '8484.5', '0 to 65535'),
        ('EASEL_PORT', 'nan', '0 to 65535'),
        ('EASEL_PORT', 'inf', '0 to 65535'),
        ('EASEL_TIMEOUT_S', '0', '1 to 86400'),
        ('EASEL_TIMEOUT_S', '10 min', '1 to 86400'),
        ('EASEL_LOG', 'loud', 'debug, info, warning, error'),
        ('EASEL_LOG_FORMAT', 'xml', 'text, json'),
        ('EASEL_API_URL', 'ftp://a.test', 'an address like'),
        ('EASEL_API_URL', 'http://', 'an address like'),
        ('EASEL_API_URL', 'http://a.test:99999', 'an address like'),
        ('EASEL_API_URL', 'http://a.test:0', 'an address like'),
        ('EASEL_API_URL', 'http://user:word@a.test/v1', 'without a user name'),
        ('EASEL_API_URL', 'http://a test/v1', 'an address like'),
        ('EASEL_API_URL', 'http://[::1', 'an address like'),
        ('OPENAI_BASE_URL', 'file:///x', 'an address like'),
        ('EASEL_IMAGE_ORIGINS', 'file:///x', 'origins like'),
        ('EASEL_HOSTS', 'http://a.test', 'without port or scheme'),
        ('EASEL_HOSTS', 'a.test:80', 'without port or scheme'),
        ('EASEL_HOSTS', '*', 'without port or scheme'),
        ('EASEL_TRUSTED_PROXIES', '*', 'but not every address'),
        ('EASEL_TRUSTED_PROXIES', 'proxy.test', 'but not every address'),
        ('EASEL_TRUSTED_PROXIES', '10.0.0.1/8', 'but not every address'),
        ('EASEL_TRUSTED_PROXIES', '0.0.0.0/0', 'but not every address'),
        ('EASEL_PASSWORD_FILE', '/nowhere/at/all', "can't be read"),
        *(('EASEL_ROOT_PATH', path, 'a path like /easel') for path in WRONG_ROOT_PATHS),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_from({name: value})

    assert name in str(caught.value)
    assert value in str(caught.value)
    assert allowed in str(caught.value)


@pytest.mark.parametrize(
    'address',
    ['http://a.test:', 'http://a.test\\v1', 'http://a%2etest', 'http://[::1]x/', 'http://a.test/v1?a=b'],
)  # fmt: skip
def test_an_address_that_config_takes_is_one_that_a_provider_takes(address: str) -> None:
    try:
        config = config_from({'EASEL_API_URL': address})
    except ConfigError:
        return

    settings = ProviderSettings(name='a', base_url=config.api_url, model='', timeout_s=1)
    assert ApiProvider(settings, HttpClient()).settings is settings


@pytest.mark.parametrize('address', ['http://a.test:', 'http://a.test\\x', 'http://a%2etest'])
def test_an_origin_that_config_takes_is_one_that_the_client_takes(address: str) -> None:
    try:
        config = config_from({'EASEL_IMAGE_ORIGINS': address})
    except ConfigError:
        return

    assert HttpClient(config.image_origins)


def test_what_the_command_line_says_wins() -> None:
    environment = {'EASEL_PORT': '9000', 'EASEL_DATA': '/srv', 'EASEL_HOST': '127.0.0.2'}

    config = config_from(environment, host='127.0.0.3', port=0, data='/data')

    assert (config.host, config.port, config.data) == ('127.0.0.3', 0, Path('/data'))


@pytest.mark.parametrize(
    ('name', 'part'),
    [('EASEL_PROT', "isn't an Easel variable"), ('EASEL_API_KEY_FIEL', "isn't an Easel variable")],
)
def test_an_unknown_variable_is_a_warning(name: str, part: str) -> None:
    config = config_from({name: SECRET, 'OTHER': 'x'})

    assert len(config.warnings) == 1
    assert name in config.warnings[0]
    assert part in config.warnings[0]
    assert SECRET not in config.warnings[0]


@pytest.mark.parametrize('name', ['EASEL_PASSWORD', 'EASEL_TOKEN', 'EASEL_API_KEY'])
def test_a_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / 'secret'
    file.write_text(f'{SECRET}\n', encoding='utf-8')

    config = config_from({f'{name}_FILE': str(file)})

    assert SECRET in (config.password, config.token, config.api_key)
    assert config.warnings == ()


def test_a_secret_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / 'secret'
    file.write_bytes(b'\xff\xfe')

    with pytest.raises(ConfigError, match='EASEL_TOKEN_FILE'):
        config_from({'EASEL_TOKEN_FILE': str(file)})


OPENAI = {'OPENAI_BASE_URL': 'https://o.test/v1', 'OPENAI_API_KEY': 'openai-key'}
EASEL = {'EASEL_API_URL': 'http://e.test/v1', 'EASEL_API_KEY': 'easel-key'}


@pytest.mark.parametrize(
    ('environment', 'url', 'key', 'was_set'),
    [
        ({'OPENAI_API_KEY': 'openai-key'}, DEFAULT_API_URL, None, False),
        (OPENAI, 'https://o.test/v1', 'openai-key', True),
        ({'OPENAI_BASE_URL': 'https://o.test/v1'}, 'https://o.test/v1', None, True),
        (OPENAI | EASEL, 'http://e.test/v1', 'easel-key', True),
        (OPENAI | {'EASEL_API_URL': 'http://e.test/v1'}, 'http://e.test/v1', None, True),
        (EASEL, 'http://e.test/v1', 'easel-key', True),
        ({'EASEL_API_KEY': 'easel-key'}, DEFAULT_API_URL, 'easel-key', False),
        ({'EASEL_API_URL': DEFAULT_API_URL}, DEFAULT_API_URL, None, True),
        ({'EASEL_API_URL': ' '}, DEFAULT_API_URL, None, False),
    ],
)
def test_a_key_never_goes_to_an_address_it_was_not_set_for(
    environment: dict[str, str], url: str, key: str | None, was_set: bool
) -> None:
    config = config_from(environment)

    assert (config.api_url, config.api_key, config.api_url_was_set) == (url, key, was_set)


@pytest.mark.parametrize(
    ('name', 'value', 'allowed'),
    [
        ('EASEL_PASSWORD', '7letter', 'at least 8 characters'),
        ('EASEL_TOKEN', 'fifteen-letters', 'at least 16 characters'),
        ('EASEL_TOKEN', 'off', 'at least 16 characters'),
    ],
)
def test_a_secret_that_is_soon_guessed_is_refused_and_not_shown(
    name: str, value: str, allowed: str
) -> None:
    with pytest.raises(ConfigError, match=f'{name} .*{allowed}') as caught:
        config_from({name: value})

    assert value not in str(caught.value)


@pytest.mark.parametrize('host', ['0.0.0.0', '::', '192.168.1.5', 'nas.lan', '128.0.0.1', '127.x'])
def test_a_host_that_others_can_reach_needs_a_password(host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_from({'EASEL_HOST': host})

    assert host in str(caught.value)
    assert 'EASEL_PASSWORD' in str(caught.value)


@pytest.mark.parametrize('password', ['8 letters', 'off'])
def test_a_password_or_off_opens_any_host(password: str) -> None:
    config = config_from({'EASEL_HOST': '0.0.0.0', 'EASEL_PASSWORD': password})

    assert not config.loopback


@pytest.mark.parametrize('host', ['localhost', 'LocalHost', '127.0.0.1', '127.9.9.9', '::1'])
def test_a_loopback_host_needs_no_password(host: str) -> None:
    assert config_from({'EASEL_HOST': host}).loopback


def test_showing_a_config_hides_its_secrets() -> None:
    names = ('EASEL_API_KEY', 'EASEL_PASSWORD', 'EASEL_TOKEN')
    config: Config = config_from({name: f'{SECRET}-{name}' for name in names})

    shown = f'{config!r} {config}'

    assert SECRET not in shown


def test_showing_a_providers_settings_hides_its_key() -> None:
    settings = ProviderSettings(
        name='a', base_url='http://a.test', model='', timeout_s=1, key=SECRET
    )

    assert SECRET not in f'{settings!r} {settings}'


def test_a_child_process_gets_no_secret() -> None:
    os.environ['EASEL_API_KEY'] = SECRET
    try:
        given = child_environment()
    finally:
        del os.environ['EASEL_API_KEY']

    assert SECRET not in given.values()
    assert 'PATH' in given

"""The `.env` files: which are read, in which order, and whose key goes with whose address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.config import Config, read_config
from app.env import DEFAULT_API_URL, ConfigError

KEY = 'sk-of-the-shell'
FILE_KEY = 'sk-of-the-file'
URL, FILE_URL, OTHER_URL = 'http://shell.test/v1', 'http://file.test/v1', 'http://other.test/v1'
Variables = dict[str, str]

SHELL_KEY = {'EASEL_API_KEY': KEY}
SHELL_BOTH = {'EASEL_API_URL': URL, 'EASEL_API_KEY': KEY}
OPENAI_BOTH = {'OPENAI_BASE_URL': URL, 'OPENAI_API_KEY': KEY}
FILE_ADDRESS = {'EASEL_API_URL': FILE_URL}
OPENAI_ADDRESS = {'OPENAI_BASE_URL': FILE_URL}
KEY_IN_FILE = {'EASEL_API_KEY': FILE_KEY}
FILE_BOTH = FILE_ADDRESS | KEY_IN_FILE


@dataclass(frozen=True, slots=True)
class Folders:
    """A checkout, a data folder elsewhere, and the folder that a command is started in."""

    checkout: Path
    data: Path
    here: Path

    def read(self, environment: Mapping[str, str], data: str | None = None) -> Config:
        return read_config(environment=environment, checkout=self.checkout, data=data)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    made = Folders(tmp_path / 'checkout', tmp_path / 'kept', tmp_path / 'here')
    for folder in (made.checkout, made.data, made.here):
        folder.mkdir()
    for name in ('run.py', 'pyproject.toml'):
        (made.checkout / name).touch()
    monkeypatch.chdir(made.here)
    return made


def write(folder: Path, variables: Mapping[str, str]) -> None:
    lines = ''.join(f'{name}={value}\n' for name, value in variables.items())
    (folder / '.env').write_text(lines, encoding='utf-8')


def test_the_folder_that_a_command_is_started_in_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {'EASEL_API_URL': FILE_URL, 'EASEL_HOST': '0.0.0.0', 'EASEL_PASSWORD': 'off'})
    monkeypatch.setenv('EASEL_API_KEY', KEY)
    monkeypatch.chdir(tmp_path)

    config = read_config(data=str(tmp_path / 'data'))

    assert config.api_url != FILE_URL
    assert (config.host, config.password) != ('0.0.0.0', 'off')


def test_a_relative_data_folder_of_a_file_is_not_below_where_a_command_is_started(
    folders: Folders,
) -> None:
    write(folders.checkout, {'EASEL_DATA': './data', 'EASEL_TOKEN_FILE': 'token'})
    (folders.checkout / 'token').write_text('of-this-checkout', encoding='utf-8')
    (folders.here / 'data').mkdir()
    write(folders.here / 'data', FILE_ADDRESS)

    config = folders.read({})

    assert (config.data, config.api_url) == (folders.checkout / 'data', DEFAULT_API_URL)
    assert config.token == 'of-this-checkout'


def test_an_installed_package_reads_no_file_beside_itself(folders: Folders) -> None:
    (folders.checkout / 'run.py').unlink()
    write(folders.checkout, FILE_ADDRESS)

    config = folders.read({}, data=str(folders.data))

    assert config.api_url == DEFAULT_API_URL


def test_the_order_is_arguments_environment_data_folder_checkout_defaults(folders: Folders) -> None:
    names = ('EASEL_HOST', 'EASEL_API_MODEL', 'EASEL_TIMEOUT_S', 'EASEL_LOG')
    write(folders.checkout, dict(zip(names, ('127.0.0.4', 'checkout', '4', 'error'), strict=True)))
    write(folders.data, dict(zip(names[:3], ('127.0.0.3', 'data', '3'), strict=True)))
    environment = dict(zip(names[:2], ('127.0.0.2', 'shell'), strict=True))

    config = read_config(
        environment=environment, checkout=folders.checkout, data=str(folders.data), host='localhost'
    )

    assert (config.host, config.api_model) == ('localhost', 'shell')
    assert (config.timeout_s, config.log_level, config.log_format) == (3, 'error', 'text')


@pytest.mark.parametrize('said', ['argument', 'environment', 'checkout', 'nothing'])
def test_the_file_of_the_data_folder_is_read_whoever_names_the_folder(
    folders: Folders, said: str
) -> None:
    data = folders.checkout / 'data' if said == 'nothing' else folders.data
    data.mkdir(exist_ok=True)
    write(data, {'EASEL_API_MODEL': 'a$b'})
    if said == 'checkout':
        write(folders.checkout, {'EASEL_DATA': str(data)})
    environment = {'EASEL_DATA': str(data)} if said == 'environment' else {}

    config = folders.read(environment, data=str(data) if said == 'argument' else None)

    assert (config.data, config.api_model, config.warnings) == (data, 'a$b', ())


def test_the_file_of_the_data_folder_can_not_move_it(folders: Folders) -> None:
    write(folders.checkout, {'EASEL_DATA': str(folders.data)})
    write(folders.data, {'EASEL_DATA': str(folders.here), 'EASEL_PORT': '9000'})
    write(folders.here, {'EASEL_PORT': '9001'})

    config = folders.read({})

    assert (config.data, config.port) == (folders.data, 9000)
    assert len(config.warnings) == 1
    assert f'EASEL_DATA in {folders.data / ".env"} is not used' in config.warnings[0]


@pytest.mark.parametrize(
    ('environment', 'file', 'url', 'key', 'withheld'),
    [
        # A key of the environment: for an address of the environment and the default alone.
        (SHELL_KEY, {}, DEFAULT_API_URL, KEY, ''),
        (SHELL_KEY, FILE_ADDRESS, FILE_URL, None, 'EASEL_API_KEY'),
        (SHELL_KEY, {'EASEL_API_URL': DEFAULT_API_URL}, DEFAULT_API_URL, None, 'EASEL_API_KEY'),
        ({'EASEL_API_KEY_FILE': '/nowhere'}, FILE_ADDRESS, FILE_URL, None, 'EASEL_API_KEY_FILE'),
        (SHELL_KEY, OPENAI_ADDRESS, FILE_URL, None, 'EASEL_API_KEY'),
        ({'OPENAI_API_KEY': KEY}, OPENAI_ADDRESS, FILE_URL, None, 'OPENAI_API_KEY'),
        ({'OPENAI_API_KEY': KEY}, FILE_ADDRESS, FILE_URL, None, ''),
        (OPENAI_BOTH, FILE_ADDRESS, FILE_URL, None, ''),
        (OPENAI_BOTH | SHELL_KEY, FILE_ADDRESS, FILE_URL, None, 'EASEL_API_KEY'),
        # A key of the file: for the file's own address, and where it has none, for these two.
        ({}, FILE_BOTH, FILE_URL, FILE_KEY, ''),
        (SHELL_KEY, FILE_BOTH, FILE_URL, FILE_KEY, 'EASEL_API_KEY'),
        ({}, OPENAI_ADDRESS | {'OPENAI_API_KEY': FILE_KEY}, FILE_URL, FILE_KEY, ''),
        ({}, KEY_IN_FILE, DEFAULT_API_URL, FILE_KEY, ''),
        ({'EASEL_API_URL': URL}, KEY_IN_FILE, URL, FILE_KEY, ''),
        ({'EASEL_API_URL': URL}, FILE_BOTH, URL, None, 'EASEL_API_KEY'),
        ({'EASEL_API_URL': ''}, FILE_BOTH, DEFAULT_API_URL, None, 'EASEL_API_KEY'),
        ({'EASEL_API_KEY': ''}, FILE_BOTH, FILE_URL, None, ''),
        # The environment wins as a whole.
        (SHELL_BOTH, FILE_BOTH, URL, KEY, ''),
        (SHELL_BOTH, KEY_IN_FILE, URL, KEY, ''),
        (OPENAI_BOTH, {'EASEL_API_MODEL': 'x'}, URL, KEY, ''),
    ],
)  # fmt: skip
@pytest.mark.parametrize('place', ['checkout', 'data'])
def test_a_key_goes_only_with_an_address_of_its_own_place(
    folders: Folders, place: str, environment: Variables, file: Variables, url: str,
    key: str | None, withheld: str,
) -> None:  # fmt: skip
    write(folders.checkout if place == 'checkout' else folders.data, file)

    config = folders.read(environment, data=str(folders.data))

    assert (config.api_url, config.api_key) == (url, key)
    assert [one.split()[0] for one in config.warnings] == ([withheld] if withheld else [])
    assert not any(secret in one for one in config.warnings for secret in (KEY, FILE_KEY))


@pytest.mark.parametrize(
    ('checkout', 'data', 'url', 'key', 'withheld'),
    [
        (FILE_BOTH, {'EASEL_API_URL': OTHER_URL}, OTHER_URL, None, 'checkout'),
        (KEY_IN_FILE, {'EASEL_API_URL': OTHER_URL}, OTHER_URL, None, 'checkout'),
        (FILE_ADDRESS, KEY_IN_FILE, FILE_URL, None, 'data'),
        (FILE_BOTH, KEY_IN_FILE, FILE_URL, FILE_KEY, 'data'),
        ({'EASEL_API_URL': OTHER_URL, 'EASEL_API_KEY': KEY}, FILE_BOTH, FILE_URL, FILE_KEY, ''),
    ],
)
def test_no_file_gives_its_key_to_the_address_of_the_other(
    folders: Folders, checkout: Variables, data: Variables, url: str, key: str | None, withheld: str
) -> None:
    write(folders.checkout, checkout)
    write(folders.data, data)

    config = folders.read({}, data=str(folders.data))

    named = {'checkout': folders.checkout, 'data': folders.data}
    assert (config.api_url, config.api_key) == (url, key)
    assert len(config.warnings) == (1 if withheld else 0)
    assert all(f'EASEL_API_KEY in {named[withheld]}' in one for one in config.warnings)


def test_the_warning_says_whose_key_is_left_out_and_whose_address_it_was(folders: Folders) -> None:
    write(folders.checkout, FILE_ADDRESS)

    config = folders.read(SHELL_KEY)

    assert config.warnings == (
        'EASEL_API_KEY of the environment is not used: the address is EASEL_API_URL in '
        f'{folders.checkout / ".env"}, and a key is only used with an address from the '
        'same place. Set both in one place.',
    )


def test_a_secret_file_of_the_environment_wins_over_a_secret_of_a_file(folders: Folders) -> None:
    write(folders.checkout, {'EASEL_PASSWORD': 'of-the-file'})
    (folders.here / 'password').write_text('of-the-shell', encoding='utf-8')

    config = folders.read({'EASEL_PASSWORD_FILE': str(folders.here / 'password')})

    assert config.password == 'of-the-shell'


@pytest.mark.parametrize('place', ['checkout', 'data'])
def test_a_file_that_is_no_text_ends_the_start_with_its_name(folders: Folders, place: str) -> None:
    file = (folders.checkout if place == 'checkout' else folders.data) / '.env'
    file.write_bytes(b'EASEL_PORT=\xff\xfe\n')

    with pytest.raises(ConfigError) as caught:
        folders.read({}, data=str(folders.data))

    assert str(file) in str(caught.value)

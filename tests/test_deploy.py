"""What the files for Docker and systemd promise, as far as it can be read from them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.access.sharing import Source
from app.config import SHARING, config_from
from app.main import read_sharing
from tests.support.servers import ROOT
from tests.support.tools import PACKAGES

COMPOSE = ('compose.yaml', 'compose.g4f.yaml', 'compose.lan.yaml', 'compose.key.yaml')
UNIT = ROOT / 'deploy/easel.service'
HARDENED = {
    'CapabilityBoundingSet=',
    'DynamicUser=yes',
    'LockPersonality=yes',
    'MemoryDenyWriteExecute=yes',
    'NoNewPrivileges=yes',
    'PrivateDevices=yes',
    'PrivateTmp=yes',
    'PrivateUsers=yes',
    'ProtectHome=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectSystem=strict',
    'RestrictNamespaces=yes',
    'RestrictSUIDSGID=yes',
    'StateDirectory=easel',
    'SystemCallFilter=@system-service',
    'UMask=0077',
}


class Loader(yaml.SafeLoader):
    """Reads compose's own tag, which says that a list takes another's place."""


def override(loader: Loader, node: yaml.Node) -> list[object]:
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)


Loader.add_constructor('!override', override)


def compose(name: str) -> dict[str, dict[str, dict[str, object]]]:
    parsed: dict[str, dict[str, dict[str, object]]] = yaml.load((ROOT / name).read_text(), Loader)
    return parsed


def test_compose_runs_with_nothing_it_does_not_need() -> None:
    easel = compose('compose.yaml')['services']['easel']

    assert easel['read_only'] is True
    assert easel['cap_drop'] == ['ALL']
    assert easel['security_opt'] == ['no-new-privileges:true']
    assert easel['tmpfs'] == ['/tmp:size=256m,mode=1777,noexec,nosuid,nodev']
    assert easel['volumes'] == ['easel-data:/data']
    assert {'pids_limit', 'mem_limit'} <= easel.keys()
    assert not {'privileged', 'cap_add', 'network_mode', 'devices'} & easel.keys()


def test_compose_has_no_password_only_where_this_machine_alone_gets_in() -> None:
    parsed = compose('compose.yaml')
    easel = parsed['services']['easel']

    assert easel['ports'] == ['127.0.0.1:8484:8484']
    assert isinstance(easel['environment'], dict)
    assert easel['environment']['EASEL_PASSWORD'] == 'off'
    assert list(parsed['services']) == ['easel']  # another would reach it over their network


def test_beside_g4f_easel_makes_a_password_unless_one_is_set_or_off(tmp_path: Path) -> None:
    services = compose('compose.g4f.yaml')['services']
    easel, environment = services['easel'], services['easel']['environment']
    assert isinstance(environment, dict)

    config = config_from({'EASEL_HOST': '0.0.0.0'}, data=str(tmp_path), share=True)
    made = read_sharing(config).password

    assert environment['EASEL_PASSWORD'] == '${EASEL_PASSWORD:-}'
    assert easel['command'] == ['serve', '--no-browser', '--share']
    assert made
    assert made.source is Source.MADE
    assert (tmp_path / SHARING).stat().st_mode & 0o777 == 0o600
    assert 'ports' not in services['g4f']


@pytest.mark.parametrize(
    ('name', 'secret'),
    [('compose.lan.yaml', 'EASEL_PASSWORD'), ('compose.key.yaml', 'EASEL_API_KEY')],
)
def test_a_secret_comes_from_a_file_that_compose_mounts(name: str, secret: str) -> None:
    parsed = compose(name)
    easel = parsed['services']['easel']

    assert easel['secrets'] == [secret.lower()]
    assert isinstance(easel['environment'], dict)
    assert easel['environment'][f'{secret}_FILE'] == f'/run/secrets/{secret.lower()}'
    assert not easel['environment'].get(secret)
    assert parsed['secrets'] == {secret.lower(): {'file': f'secrets/{secret.lower()}'}}


def test_the_secrets_of_compose_stay_out_of_git_and_of_the_image() -> None:
    ignored = (ROOT / '.gitignore').read_text().splitlines()
    sent = (ROOT / '.dockerignore').read_text().splitlines()

    assert 'secrets/' in ignored
    assert sent[0] == '*'
    assert '!secrets' not in sent


def test_the_image_is_another_user_and_tells_its_health() -> None:
    last_stage = (ROOT / 'Dockerfile').read_text().rpartition('\nFROM ')[2]

    assert '\nUSER 10001:10001\n' in last_stage
    assert '\nVOLUME /data\n' in last_stage
    assert re.search(r'\nHEALTHCHECK .* CMD \["/opt/easel/bin/python", "-c", .*/health', last_stage)
    assert re.search(r'\nENTRYPOINT \["/opt/easel/bin/easel"\]', last_stage)


def test_the_unit_holds_the_service_in() -> None:
    lines = set(UNIT.read_text().splitlines())

    assert HARDENED - lines == set()


@pytest.mark.parametrize(
    'path',
    [ROOT / name for name in (*COMPOSE, 'Dockerfile')] + sorted((ROOT / 'deploy').glob('[!_]*')),
    ids=lambda path: path.name,
)
def test_every_variable_that_is_named_exists(path: Path) -> None:
    config = (ROOT / 'app/config.py').read_text()

    named = set(re.findall(r'EASEL_[A-Z_]+', path.read_text()))

    known = set(re.findall(r"'(EASEL_[A-Z_]+)'", config))
    assert {name.removesuffix('_FILE') for name in named} - known == set()


def test_ci_brings_every_program_that_tests_need_and_builds_the_image() -> None:
    script = (ROOT / '.ci/run').read_text()

    listed = dict(re.findall(r"\[(\w+)\]='?([\w-]+)", script))

    assert PACKAGES.items() <= listed.items()
    assert 'export CI=' in script
    assert script.index('run.py test') < script.index('base-image.sh')
    assert script.index('base-image.sh') < script.index('try_image.py')


@pytest.mark.parametrize('name', ['.ci/run', '.ci/constraints.py', 'deploy/base-image.sh'])
def test_no_mirror_or_package_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text()

    assert re.findall(r'https?://[a-z]', text) == []


@pytest.mark.parametrize(('ci', 'status'), [('true', 1), ('', 0)])
def test_what_is_missing_for_the_image_is_a_failure_in_ci_alone(
    ci: str, status: int, tmp_path: Path
) -> None:
    environment = {'CI': ci, 'PATH': str(tmp_path)}  # No program is found there.

    done = subprocess.run(
        [sys.executable, str(ROOT / 'deploy/try_image.py')],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status
    assert done.stdout.startswith('Skipped: ')

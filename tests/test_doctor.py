"""`easel doctor`: the provider, the data folder, and who else is on this machine."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.doctor import doctor, examine
from app.config import config_from
from app.net.urls import LOOPBACK
from app.providers.discovery.local_servers import (
    HostEnvironment,
    find_environment,
    gateway_of,
    is_container,
)
from tests.support.fakes import KEY, refused_port, upstream
from tests.support.local_servers import HOMES, LIST, locked
from tests.support.servers import CLOSED_PORT_URL, command, running_easel

MODELS = ['sketch', 'recolour', 'ignores-mask']
AT_HOME = HostEnvironment(in_container=False, hosts=LOOPBACK)
IN_CONTAINER = HostEnvironment(in_container=True, hosts=LOOPBACK)
ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""


def examined(
    data: Path, ports: dict[int, int], *, around: HostEnvironment = AT_HOME, **environment: str
) -> int:
    config = config_from({'EASEL_DATA': str(data)} | environment)
    return doctor(config, around, ports, as_json=False)


def port_of(url: str) -> int:
    return int(url.split(':')[2].partition('/')[0])


def test_a_provider_that_lists_models_is_well(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = examined(tmp_path, {}, EASEL_API_URL=upstream)

    said = capsys.readouterr().out
    assert status == 0
    assert f'{upstream} answers. Models: 3 ({", ".join(MODELS)}).' in said
    assert f'{tmp_path} is writable' in said
    assert 'No image server found on the usual ports.' in said


async def test_the_key_is_sent_as_the_server_sends_it(tmp_path: Path) -> None:
    async with upstream() as fake:
        settings = {'EASEL_API_URL': f'{fake.origin}/sdapi/v1', 'EASEL_API_KEY': 'user:password'}
        await examine(config_from(settings, data=str(tmp_path)), AT_HOME, {})

    basic = base64.b64encode(b'user:password').decode()
    assert fake.asked[0].headers['authorization'] == f'Basic {basic}'


def test_a_found_server_comes_with_what_to_set(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = port_of(upstream)

    status = examined(tmp_path, {8080: port}, EASEL_API_URL=CLOSED_PORT_URL)

    said = capsys.readouterr().out
    assert status == 1
    assert (
        f'OpenAI-compatible at http://localhost:{port}/v1. Models: 3 ({", ".join(MODELS)}).' in said
    )
    assert f'EASEL_API_URL=http://localhost:{port}/v1\n' in said
    assert "can't be reached (connection refused)" in said


def test_a_wrong_path_is_answered_with_the_right_setting(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = examined(tmp_path, {}, EASEL_API_URL=upstream.removesuffix('v1') + 'v3')

    assert status == 1
    assert f'EASEL_API_URL={upstream}\n' in capsys.readouterr().out


def test_the_json_is_one_object_and_says_it_all(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f'http://localhost:{port_of(upstream)}/v1'
    config = config_from({'EASEL_DATA': str(tmp_path / 'new'), 'EASEL_API_URL': url})

    status = doctor(config, AT_HOME, {8080: port_of(upstream)}, as_json=True)

    report = json.loads(capsys.readouterr().out)
    assert status == 0
    assert set(report) == {'provider', 'providers', 'found', 'data', 'version'}
    assert report['provider'] == {
        'base_url': url,
        'can_draw': True,
        'demo': False,
        'key': 'not_needed',
        'models': MODELS,
        'error': None,
        'better_url': None,
        'next': [],
    }
    [found] = report['found']
    assert (found['server'], found['base_url'], found['usable']) == ('OpenAI-compatible', url, True)
    data = report['data']
    assert (data['exists'], data['writable'], data['held_by']) == (False, True, None)
    assert data['free_bytes'] > 0


def test_nothing_is_written(upstream: str, tmp_path: Path) -> None:
    examined(tmp_path / 'data', {}, EASEL_API_URL=upstream)

    assert list(tmp_path.iterdir()) == []


def test_the_server_that_holds_the_data_is_named_and_not_offered(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / 'data'
    with running_easel(data, {'EASEL_API_URL': upstream, 'EASEL_PASSWORD': 'open sesame'}) as easel:
        port = port_of(easel.url)
        status = examined(data, {8080: port}, EASEL_API_URL=upstream)

    said = capsys.readouterr().out
    assert status == 0
    assert f'Easel is using it, at {easel.url}/ (process {easel.process.pid}).' in said
    assert 'No image server found on the usual ports.' in said


def test_what_a_crash_left_behind_holds_nothing(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with refused_port() as port:
        note = {'pid': 1, 'url': f'http://localhost:{port}/', 'port': port}
        (tmp_path / 'server.json').write_text(json.dumps(note), encoding='ascii')

        examined(tmp_path, {}, EASEL_API_URL=upstream)

    assert 'Easel is using it' not in capsys.readouterr().out


def test_a_data_folder_that_can_not_be_is_told(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / 'file'
    file.touch()

    examined(file / 'data', {}, EASEL_API_URL=upstream)

    assert f"{file / 'data'} isn't writable." in capsys.readouterr().out


def test_inside_a_container_localhost_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = CLOSED_PORT_URL

    status = examined(tmp_path, {}, around=IN_CONTAINER, EASEL_API_URL=url)

    assert status == 1
    assert 'EASEL_API_URL=http://host.docker.internal:9/v1\n' in capsys.readouterr().out


def test_outside_a_container_localhost_is_not_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examined(tmp_path, {}, EASEL_API_URL=CLOSED_PORT_URL)

    assert 'host.docker.internal' not in capsys.readouterr().out


def test_the_demo_draws_where_nobody_named_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(config_from({'EASEL_DATA': str(tmp_path)}), api_url=CLOSED_PORT_URL)

    status = doctor(config, AT_HOME, {}, as_json=False)

    assert status == 0
    assert (
        f'No image server at {CLOSED_PORT_URL} yet, so Easel draws demo' in capsys.readouterr().out
    )


async def test_a_key_and_a_query_are_never_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream({f'GET {LIST}?code=hidden': locked()}) as fake:
        config = config_from(
            {
                'EASEL_DATA': str(tmp_path),
                'EASEL_API_URL': f'{fake.origin}/v3?code=hidden',
                'EASEL_API_KEY': KEY,
            }
        )
        for as_json in (True, False):
            await asyncio.to_thread(doctor, config, AT_HOME, {}, as_json=as_json)

    said = capsys.readouterr().out
    assert f'EASEL_API_URL={fake.origin}' in said.replace("'", '')
    assert 'EASEL_API_KEY' in said
    assert KEY not in said
    assert 'hidden' not in said


async def test_an_unusable_server_is_told_without_a_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream(HOMES['LM Studio'].all_replies()) as fake:
        config = config_from({'EASEL_DATA': str(tmp_path), 'EASEL_API_URL': CLOSED_PORT_URL})
        await asyncio.to_thread(doctor, config, AT_HOME, {1234: fake.port}, as_json=False)

    said = capsys.readouterr().out
    assert 'LM Studio at' in said
    assert "It answers, but doesn't generate pictures." in said
    assert 'EASEL_API_URL=http' not in said


@pytest.mark.parametrize(
    ('file', 'text', 'inside'),
    [
        ('.dockerenv', '', True),
        ('run/.containerenv', '', True),
        ('proc/1/cgroup', '0::/system.slice/docker-4f.scope\n', True),
        ('proc/1/cgroup', '1:name=systemd:/kubepods/besteffort\n', True),
        ('proc/1/cgroup', '0::/init.scope\n', False),
        ('etc/hosts', 'docker', False),
    ],
)
def test_a_container_is_known_by_its_marks(
    tmp_path: Path, file: str, text: str, inside: bool
) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text, encoding='ascii')

    assert is_container(tmp_path) is inside


@pytest.mark.parametrize(
    ('routes', 'gateway'),
    [
        (ROUTES, '172.17.0.1'),
        (ROUTES.replace('0003', '0001'), ''),
        (ROUTES.replace('010011AC', 'nonsense'), ''),
        (ROUTES.replace('010011AC', 'FFFFFFFFFF'), ''),
        ('', ''),
    ],
)
def test_the_gateway_is_read_from_the_routes(tmp_path: Path, routes: str, gateway: str) -> None:
    (tmp_path / 'proc/net').mkdir(parents=True)
    (tmp_path / 'proc/net/route').write_text(routes, encoding='ascii')

    assert gateway_of(tmp_path) == gateway


async def test_outside_a_container_only_this_machine_is_asked(tmp_path: Path) -> None:
    around = await find_environment(tmp_path)

    assert around == HostEnvironment(in_container=False, hosts=LOOPBACK)


@pytest.mark.skipif(is_container(), reason='needs a machine that is no container')
def test_the_command_prints_one_object(upstream: str, tmp_path: Path) -> None:
    done = command(
        *('doctor', '--json', '--data', str(tmp_path / 'data')),
        environment={'EASEL_API_URL': upstream},
    )

    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report['provider']['models'] == MODELS

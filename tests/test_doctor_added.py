"""`easel doctor` and the servers of Settings: read beside a running Easel, and each one asked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import apsw
import pytest

from app.cli.doctor import doctor
from app.config import Config, config_from
from app.main import open_services
from app.net.urls import LOOPBACK
from app.providers.discovery.local_servers import HostEnvironment
from app.providers.settings import Secrets
from app.web.views.provider_form import NEW
from tests.support.default_setup import config_of
from tests.support.fakes import KEY, Reply, refused_port, upstream
from tests.support.local_servers import LIST, models
from tests.support.servers import CLOSED_PORT_URL

AT_HOME = HostEnvironment(in_container=False, hosts=LOOPBACK)
IN_CONTAINER = HostEnvironment(in_container=True, hosts=LOOPBACK)
LISTS = {f'GET {LIST}': Reply(body=json.dumps(models('flux')).encode())}


def nobody_set(data: Path) -> Config:
    return config_of(data, CLOSED_PORT_URL)


async def added_to(data: Path, base_url: str, **more: object) -> None:
    """Add a server in Settings, with a key, and stop that Easel."""
    async with open_services(nobody_set(data)) as services:
        row = replace(NEW, name='studio', base_url=base_url, **more)  # type: ignore[arg-type]
        await services.provider_settings.add(row, Secrets(KEY, (('X-Extra', 'more'),)))


async def examined(
    config: Config, capsys: pytest.CaptureFixture[str], around: HostEnvironment = AT_HOME
) -> tuple[int, str]:
    status = await asyncio.to_thread(doctor, config, around, {}, as_json=False)
    return status, capsys.readouterr().out


async def report_of(config: Config, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    await asyncio.to_thread(doctor, config, AT_HOME, {}, as_json=True)
    return cast('dict[str, object]', json.loads(capsys.readouterr().out))


def files_in(data: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in data.rglob('*')}


async def test_a_server_of_settings_is_asked_with_its_key_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream(LISTS) as fake:
        await added_to(tmp_path, f'{fake.origin}/v1')

        status, said = await examined(nobody_set(tmp_path), capsys)

    assert status == 0
    assert f'studio ({fake.origin}/v1) answers. Models: 1 (flux).' in said
    assert f"{CLOSED_PORT_URL} is the default address and isn't used" in said
    assert fake.asked[0].headers['authorization'] == f'Bearer {KEY}'
    assert fake.asked[0].headers['x-extra'] == 'more'
    assert KEY not in said


async def test_the_json_lists_each_with_its_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream({f'GET {LIST}?code=hidden': LISTS[f'GET {LIST}']}) as fake:
        await added_to(tmp_path, f'{fake.origin}/v1?code=hidden')

        report = await report_of(nobody_set(tmp_path), capsys)

    [one] = cast('list[dict[str, object]]', report['providers'])
    assert one['name'] == 'studio'
    assert one['base_url'] == f'{fake.origin}/v1?…'
    assert (one['enabled'], one['can_draw'], one['models']) == (True, True, ['flux'])
    assert (one['key'], one['error']) == ('not_proved', None)
    assert cast('dict[str, object]', report['provider'])['can_draw'] is False
    assert KEY not in json.dumps(report)
    assert 'hidden' not in json.dumps(report)


async def test_one_that_fails_is_told_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with refused_port() as port:
        await added_to(tmp_path, f'http://localhost:{port}/v1')

        status, said = await examined(nobody_set(tmp_path), capsys, IN_CONTAINER)

    assert status == 1
    assert f"studio (http://localhost:{port}/v1): localhost:{port} can't be reached" in said
    assert f'For the host: http://host.docker.internal:{port}/v1\n' in said


async def test_one_that_is_turned_off_is_told_and_not_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream(LISTS) as fake:
        await added_to(tmp_path, f'{fake.origin}/v1', enabled=False)

        status, said = await examined(nobody_set(tmp_path), capsys)

    assert status == 1
    assert f'studio ({fake.origin}/v1) is turned off in Settings.' in said
    assert fake.asked == []


async def test_one_that_draws_is_enough_beside_an_address_that_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_from({'EASEL_API_URL': CLOSED_PORT_URL}, data=str(tmp_path))
    async with upstream(LISTS) as fake:
        await added_to(tmp_path, f'{fake.origin}/v1')

        status, said = await examined(config, capsys)

    assert status == 0
    assert "can't be reached" in said
    assert 'studio' in said


async def test_nothing_is_written_when_no_easel_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream(LISTS) as fake:
        await added_to(tmp_path, f'{fake.origin}/v1')
        before = files_in(tmp_path)

        await examined(nobody_set(tmp_path), capsys)

    assert files_in(tmp_path) == before


async def test_beside_a_running_easel_its_newest_servers_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream(LISTS) as fake, open_services(nobody_set(tmp_path)) as services:
        row = replace(NEW, name='just added', base_url=f'{fake.origin}/v1')
        await services.provider_settings.add(row, Secrets())

        _, said = await examined(nobody_set(tmp_path), capsys)

    assert f'just added ({fake.origin}/v1) answers.' in said


async def test_a_database_that_is_locked_is_told_and_the_rest_still_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await added_to(tmp_path, CLOSED_PORT_URL)
    holding = apsw.Connection(str(tmp_path / 'easel.db'))
    holding.pragma('locking_mode', 'exclusive')
    holding.execute('update providers set at_once = 1')

    _, said = await examined(nobody_set(tmp_path), capsys)
    report = await report_of(nobody_set(tmp_path), capsys)

    holding.close()
    assert "easel.db can't be opened" in said
    assert 'is writable' in said
    assert report['providers'] is None


@pytest.mark.parametrize(
    ('version', 'told'), [(1, 'from another version of Easel.'), (99, 'written by a newer Easel')]
)
async def test_a_database_of_another_version_is_told(
    version: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await added_to(tmp_path, CLOSED_PORT_URL)
    with apsw.Connection(str(tmp_path / 'easel.db')) as other:
        other.pragma('user_version', version)

    _, said = await examined(nobody_set(tmp_path), capsys)

    assert told in said


async def test_what_is_no_database_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'easel.db').write_text('not a database, but long enough to be looked at' * 9)

    _, said = await examined(nobody_set(tmp_path), capsys)

    assert 'easel.db is damaged' in said
